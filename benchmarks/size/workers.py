"""Processes that take turns: the library, a scan of all vectors in memory, and the bare FTS5 query.

Each has the machine's memory to itself as far as its own peak goes, and all see the same moments of the machine.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from agent_memory import AgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.base import vector_store
from agent_memory.storage.sqlite import driver
from agent_memory.storage.where import Where
from agent_memory.text.analysis import query_terms
from agent_memory.vectors import Vector
from benchmarks.size.corpus import Corpus

RARE = "rare"
"""The tag of every hundredth memory."""
Calls = dict[str, Callable[..., Any]]


class Worker:
    """A process that answers calls by name, and says how long each took."""

    def __init__(self, make: Callable[..., Calls], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, make, arguments), daemon=True)
        self._process.start()
        other.close()
        self._pipe.recv()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pipe.send(None)
        self._process.join()

    def call(self, name: str, *arguments: object) -> tuple[Any, float]:
        """Return what a call gives, and its seconds."""
        self._pipe.send((name, arguments))
        return self._pipe.recv()  # type: ignore[no-any-return]

    @property
    def peak(self) -> int:
        """The most memory the process has held, in bytes."""
        return int(self.call("peak")[0])


def _serve(pipe: Pipe, make: Callable[..., Calls], arguments: tuple[object, ...]) -> None:
    calls = make(*arguments) | {"peak": _peak}
    pipe.send("ready")
    while (request := pipe.recv()) is not None:
        name, values = request
        begun = time.perf_counter()
        answer = calls[name](*values)
        pipe.send((answer, time.perf_counter() - begun))


def _peak() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Linux hands the parent's peak on through fork and exec in `ru_maxrss`, but not here.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def library(path: Path) -> Calls:
    """Open the library on a file, as a long-lived agent would."""
    loop = asyncio.new_event_loop()
    memory = loop.run_until_complete(AgentMemory(None, Settings(backend_config={"path": str(path)})).open())
    embedder = memory.embedding_provider
    assert embedder is not None
    loop.run_until_complete(embedder.prepare())

    def search(query: str, tag: str | None = None) -> int:
        tags = None if tag is None else [tag]
        return len(loop.run_until_complete(memory.search(query, limit=10, tags=tags)))

    def embed(query: str) -> Vector:
        return loop.run_until_complete(embedder.embed_query(query))

    def nearest(vector: Vector, tag: str | None = None) -> list[str]:
        where = Where() if tag is None else Where(tags_any=(tag,))
        searching = vector_store(memory.backend).by_vector(vector, where, 10)
        return [id for id, _ in loop.run_until_complete(searching)]

    return {"search": search, "embed": embed, "nearest": nearest}


def scan(corpus: Corpus, count: int) -> Calls:
    """Hold every vector, and compare a query with all of them."""
    matrix = np.empty((count, corpus.vectors.shape[1]), np.float32)
    start = 0
    for part in corpus.parts(count):
        matrix[start : start + len(part.texts)] = part.vectors
        start += len(part.texts)

    def best(vector: bytes, every: int = 1) -> list[tuple[int, float]]:
        """Return the places and cosines of the ten nearest; with `every` 100, of every hundredth only."""
        cosines = (matrix if every == 1 else matrix[::every]) @ np.frombuffer(vector, "<f4")
        first = np.argpartition(-cosines, 10)[:10]
        return [(int(place) * every, float(cosines[place])) for place in first[np.argsort(-cosines[first])]]

    def cosines_of(vector: bytes, places: list[int]) -> list[float]:
        return [float(item) for item in matrix[places] @ np.frombuffer(vector, "<f4")]

    return {"best": best, "cosines": cosines_of}


def words(path: Path) -> Calls:
    """Ask FTS5 itself, of the same index."""
    connection = driver.connect(str(path))
    connection.execute("pragma query_only = on")

    def best(query: str) -> int:
        match = " OR ".join(f'"{term}"' for term in query_terms(query))
        if not match:
            return 0
        sql = "select rowid, rank from memory_fts where memory_fts match ? order by rank limit 50"
        return len(connection.execute(sql, (match,)).fetchall())

    return {"best": best}
