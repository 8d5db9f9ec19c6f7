"""Where walks take place: each backend with its processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from servers.postgres import PostgresServer
from servers.redis import redis_search

from agent_memory.settings import Settings

from .course import WINDOW, Ground
from .pools import DIMENSION
from .processes import Worker

BACKENDS = ("memory", "sqlite", "postgres", "redis")


@contextmanager
def ground(backend: str) -> Iterator[Ground]:
    """Start what a backend needs, and end it again."""
    if backend == "memory":
        made = Ground(backend, [Worker()], lambda folder: _settings("memory"), persistent=False)
        yield from _used(made)
    elif backend == "sqlite":
        # Both libraries on the same file, in turn.
        workers = [Worker({"AGENTMEM_SQLITE_DRIVER": name}) for name in ("sqlite3", "pysqlite3")]
        yield from _used(
            Ground(backend, workers, lambda folder: _settings("sqlite", path=str(folder / "walk.db")))
        )
    elif backend == "postgres":
        with PostgresServer() as server:
            yield from _used(Ground(backend, [Worker(), Worker()], lambda folder: _settings(server.url)))
    else:
        with redis_search() as cache:
            yield from _used(Ground(backend, [Worker(), Worker()], lambda folder: _settings(cache.url)))


def _used(made: Ground) -> Iterator[Ground]:
    try:
        yield made
    finally:
        made.close()


def _settings(backend: str, **options: str) -> Settings:
    return Settings(
        backend=backend,
        backend_config=options,
        embedding_provider="dummy",
        embedding_config={"dimension": DIMENSION},
        conversation_max_messages=WINDOW,
        session=None,
    )
