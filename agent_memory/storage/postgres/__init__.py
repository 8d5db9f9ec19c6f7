"""Memories in a PostgreSQL database with pgvector."""

from agent_memory.storage.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
