"""The store in this process's memory."""

from agent_memory.storage.in_memory.store import InMemoryStore

__all__ = ["InMemoryStore"]
