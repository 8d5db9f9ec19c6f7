"""Keeping memories in one SQLite file per agent."""

from agent_memory.storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
