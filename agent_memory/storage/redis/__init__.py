"""Memories in a Redis or Valkey server."""

from agent_memory.storage.redis.store import RedisStore

__all__ = ["RedisStore"]
