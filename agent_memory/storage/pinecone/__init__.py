"""Memories in a Pinecone index."""

from agent_memory.storage.pinecone.store import PineconeStore

__all__ = ["PineconeStore"]
