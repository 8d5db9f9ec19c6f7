"""Whether a process may take the memory that a model needs.

The engines end the whole process where they get none, or print what nobody can read: so it is found out before.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from agent_memory.embeddings.threads import usable_cores
from agent_memory.errors import EmbeddingError
from agent_memory.hints import Hint

ENGINE: Final = 300
"""Megabytes of addresses that numpy and onnxruntime take by themselves."""
_FOR_EACH_CORE: Final = 35
"""Megabytes that numpy sets aside for each core as it is imported."""


def check_room(megabytes: int) -> None:
    """See that this process may take so much more, where a limit is set for it (`ulimit -v`).

    Raises:
        EmbeddingError: it may not.
    """
    left = _left()
    needed = megabytes + _FOR_EACH_CORE * usable_cores()
    if left is not None and left < needed:
        raise EmbeddingError(
            f"the model takes about {needed} MB of addresses, and this process may have {max(0, left)} more",
            hint=Hint("raise the limit with `ulimit -v`, or search by words: {MODE_KEYWORD}"),
        )


def _left() -> int | None:
    """Return how many megabytes this process may still take; None without a limit, or where nobody says."""
    with contextlib.suppress(ImportError, OSError, ValueError, IndexError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return (limit - pages * os.sysconf("SC_PAGE_SIZE")) // 1_000_000
    return None
