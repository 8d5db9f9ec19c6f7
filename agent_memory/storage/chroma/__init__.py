"""Memories in Chroma: a folder of this machine, or a server."""

from agent_memory.storage.chroma.store import ChromaStore

__all__ = ["ChromaStore"]
