"""Keeping memories in one SQLite file per agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_memory.storage.interim.store import SqliteStore

__all__ = ["SqliteStore"]


def __getattr__(name: str) -> type[SqliteStore]:
    # Loaded when asked for: looking into a file (`peek`) needs neither the store nor an event loop.
    if name == "SqliteStore":
        from agent_memory.storage.interim.store import SqliteStore

        return SqliteStore
    raise AttributeError(name)
