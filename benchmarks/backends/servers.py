"""The servers that the tests use, for a benchmark."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

# The tests start servers from wheels; benchmarks use the same ones.
FOLDER = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(FOLDER))


class Served(NamedTuple):
    """A backend, ready to be used."""

    name: str
    backend: str
    options: Mapping[str, Any]


@contextmanager
def served(name: str, dimension: int = 384) -> Iterator[Served]:
    """Start what a backend needs, and stop it afterwards."""
    if name == "sqlite":
        yield Served(name, "sqlite", {})
    elif name == "postgres":
        from servers.postgres import PostgresServer

        with PostgresServer() as server:
            yield Served(name, server.url, {})
    elif name.startswith("redis"):
        from servers.redis import redis_search

        mode = name.partition("-")[2] or "search"
        with redis_search() as server:
            yield Served(name, server.url, {"mode": mode})
    elif name == "chroma":
        with tempfile.TemporaryDirectory() as folder:
            yield Served(name, "chroma", {"path": folder})
    elif name == "pinecone":
        from servers.pinecone import PineconeServer

        with PineconeServer() as server:
            options = {"index": "bench", "host": server.host, "api_key": server.api_key}
            yield Served(name, "pinecone", {**options, "dimension": dimension})
    else:
        raise SystemExit(f"unknown backend {name}")


NAMES = ("sqlite", "postgres", "redis-search", "redis-vector-sets", "redis-plain", "chroma", "pinecone")
"""In the order in which they are measured."""
VECTORS_ONLY = ("chroma", "pinecone")
