"""The beginning and the end of this program's process, as short as they can be."""

from __future__ import annotations

import atexit
import gc
import os
from typing import Final

_ALLOCATIONS: Final = 100_000
"""Objects that may come before the first of them are looked at for garbage: a short command makes half as many more
than it lets go, nearly all by importing, and looking at them again and again took a twentieth of its time."""


def begin() -> None:
    """Look for garbage seldom; what a long command leaves behind is still found."""
    gc.set_threshold(_ALLOCATIONS, 50, 100)


def leave(code: int) -> None:
    """End this process with an exit code; what is written on the streams must be flushed.

    Python would take everything apart before it ends: modules one by one, the model, the pages that SQLite has read.
    That takes up to a sixth of a command's time, and the system takes it all back at once.
    """
    atexit._run_exitfuncs()
    os._exit(code)
