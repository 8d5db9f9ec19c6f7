"""The backends that exist, by name or by URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.errors import ConfigurationError
from agent_memory.registry import Registry
from agent_memory.storage.base import Store

BACKENDS = Registry(
    what="backend",
    group="agentmem.backends",
    builtin={
        "sqlite": "agent_memory.storage.sqlite:SqliteStore",
        "memory": "agent_memory.storage.in_memory:InMemoryStore",
        "postgres": "agent_memory.storage.postgres:PostgresStore",
        "redis": "agent_memory.storage.redis:RedisStore",
        "chroma": "agent_memory.storage.chroma:ChromaStore",
        "pinecone": "agent_memory.storage.pinecone:PineconeStore",
    },
    extras={"postgres": "postgres", "redis": "redis", "chroma": "chroma", "pinecone": "pinecone"},
)

_SCHEMES = {
    "sqlite": "sqlite",
    "memory": "memory",
    "redis": "redis",
    "rediss": "redis",
    "unix": "redis",
    "redis+cluster": "redis",
    "rediss+cluster": "redis",
    "redis+sentinel": "redis",
    "rediss+sentinel": "redis",
    "postgres": "postgres",
    "postgresql": "postgres",
    "chroma": "chroma",
    "http": "chroma",
    "https": "chroma",
    "chroma+http": "chroma",
    "chroma+https": "chroma",
    "pinecone": "pinecone",
}


def check_backend_name(backend: str) -> str:
    """Return the name or URL, without white space around it, if a backend stands behind it.

    Raises:
        ConfigurationError: the name or the URL's scheme is unknown.
    """  # noqa: DOC501
    backend = backend.strip()
    scheme, separator, _ = backend.partition("://")
    if separator:
        if scheme.lower() not in _SCHEMES:
            raise ConfigurationError.unknown(
                "backend URL scheme", scheme, [f"{item}://" for item in _SCHEMES]
            )
    elif backend not in BACKENDS.builtin and backend not in BACKENDS.names():
        raise ConfigurationError.unknown(BACKENDS.what, backend, BACKENDS.names())
    return backend


def names_a_file(backend: str, options: Mapping[str, Any]) -> bool:
    """Return whether the settings name the file to open, rather than the agent whose file it is."""
    scheme, separator, rest = backend.partition("://")
    return "path" in options or (bool(separator) and _SCHEMES.get(scheme.lower()) == "sqlite" and bool(rest))


def create_store(backend: str, agent_id: str | None, options: Mapping[str, Any]) -> Store:
    """Make the store of that name or URL, not yet opened.

    Returns:
        The store.

    Raises:
        ConfigurationError: the name, the URL's scheme or one of the options is unknown, or not there.
        MissingDependencyError: a package that it needs is not installed.
    """
    name = backend = check_backend_name(backend)
    settings = dict(options)
    scheme, separator, rest = backend.partition("://")
    if separator:
        name = _SCHEMES[scheme.lower()]
        if name == "sqlite":
            settings.setdefault("path", rest)
        elif name != "memory":
            settings.setdefault("url", backend)
    store: Store = BACKENDS.load(name)(agent_id, **settings)
    return store
