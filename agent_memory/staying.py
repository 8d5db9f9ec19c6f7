"""What a process keeps from one memory that it opens to the next, where it is one that stays."""

from __future__ import annotations

from typing import Final

from agent_memory.embeddings import sharing
from agent_memory.storage.sqlite import parked

SECONDS: Final = parked.SECONDS
"""How long it is kept what was read of a file that nobody has open."""


def keep(*, models: int, files: int) -> None:
    """Keep that many models, and of that many files what searches read of them; no file is held open.

    Args:
        models: how many models stay loaded.
        files: of how many SQLite files it is remembered what was read, until somebody writes to them.
    """
    sharing.keep_models(models)
    parked.keep(files)


def forget_files() -> None:
    """Forget what was read of files."""
    parked.forget_old(0)
