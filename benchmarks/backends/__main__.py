"""`python -m benchmarks.backends`: each backend beside its raw client doing the same work.

The library stores memories with given vectors, and what its client is told to do meanwhile is written down. The raw
client then does just that on a new server: the same rows into the same tables and indexes. Searches are the ten
nearest to a vector with their documents, with and without a filter that one memory in a hundred passes; the library
and the raw client search by turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory.records import LongTermRecord
from agent_memory.storage.base import Store, vector_store
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.registry import create_store
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.vectors import Vector
from benchmarks import measure
from benchmarks.backends import raw
from benchmarks.backends.servers import NAMES, served

DIMENSION = 384
BATCH = 5000
QUERIES = 50
ROUNDS = 3
RARE = Where(tags_any=("rare",))
Search = Callable[[bytes], Awaitable[int]]


async def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends", description=__doc__)
    parser.add_argument("--backends", nargs="*", default=NAMES)
    parser.add_argument("--count", type=int, default=100_000, help="memories")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/backends.json"))
    options = parser.parse_args()
    report: dict[str, Any] = {"machine": measure.machine(), "memories": options.count, "backends": {}}
    heads = ("stored/s", "raw", "x", "search p50", "p95", "raw", "x", "1 % p50", "p95", "raw", "x", "bytes")
    print(f"{options.count} memories, {DIMENSION} dimensions; times in ms")
    print("".join([f"{'backend':<20}", *(f"{head:>11}" for head in heads)]))
    for name in options.backends:
        row = await _backend(name, options.count)
        report["backends"][name] = row
        print(_line(name, row), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")


def corpus(count: int) -> tuple[list[LongTermRecord], list[Vector]]:
    """Make facts and their vectors, in clusters as real ones are."""
    source = np.random.default_rng(7)
    centres = source.normal(size=(500, DIMENSION))
    vectors = centres[source.integers(0, 500, count)] + 0.7 * source.normal(size=(count, DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    facts = [
        builders.fact(
            f"fact {number} about matter {number % 977}", tags=("rare",) if number % 100 == 0 else ()
        )
        for number in range(count)
    ]
    return facts, [Vector(vector.astype("<f4").tobytes()) for vector in vectors]


async def _backend(name: str, count: int) -> dict[str, Any]:
    facts, vectors = corpus(count)
    queries = vectors[:: max(1, count // QUERIES)][:QUERIES]
    row: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        server = stack.enter_context(served(name, DIMENSION))
        store = create_store(server.backend, "bench", dict(server.options))
        with raw.recording(name) as recorded:
            await store.open()
            stack.push_async_callback(store.close)
            await vector_store(store).add_space(builders.space(dimension=DIMENSION))
            row["stored per second"] = round(count / await _fill(store, facts, vectors))
            row["bytes per memory"] = round((await raw.size(store)) / count)
            await raw.settle(name, store)
        client = None
        if name != "sqlite":
            client = await raw.client(name, stack.enter_context(served(name, DIMENSION)))
            stack.push_async_callback(client.close)
            row["raw stored per second"] = round(count / await client.fill(recorded))
            recorded.clear()
        for label, where in (("search", Where()), ("filtered", RARE)):
            ways: dict[str, Search] = {label: partial(_search, store, where)}
            if client is not None:
                ways[f"raw {label}"] = partial(client.search, rare=where is RARE)
            row |= await _timed(ways, queries)
    return row


async def _fill(store: Store, facts: Sequence[LongTermRecord], vectors: Sequence[Vector]) -> float:
    begun = time.perf_counter()
    for start in range(0, len(facts), BATCH):
        part = facts[start : start + BATCH]
        own = {builders.digest(item): [one] for item, one in zip(part, vectors[start:], strict=False)}
        await store.commit(Operation(verb="add"), [Add(item) for item in part], own)
    return time.perf_counter() - begun


async def _search(store: Store, where: Where, query: Vector) -> int:
    nearest = await vector_store(store).by_vector(query, where, 10)
    return len(await store.get([memory_id for memory_id, _ in nearest]))


async def _timed(ways: Mapping[str, Search], queries: Sequence[bytes]) -> dict[str, dict[str, float]]:
    """Search in each way by turns, so that whatever else the machine does slows all of them down alike."""
    for search in ways.values():
        for query in queries:  # from then on what is read is in the server's own cache
            assert await search(query) == 10
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for query in queries:
            for way, search in ways.items():
                begun = time.perf_counter()
                await search(query)
                times[way].append(1000 * (time.perf_counter() - begun))
    return {way: _percentiles(taken) for way, taken in times.items()}


def _percentiles(times: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(times, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _line(name: str, row: dict[str, Any]) -> str:
    cells: list[Any] = [row["stored per second"], row.get("raw stored per second", "")]
    cells.append(f"{cells[1] / cells[0]:.2f}" if cells[1] else "")
    for label in ("search", "filtered"):
        ours, plain = row[label], row.get(f"raw {label}")
        cells += [ours["p50"], ours["p95"], plain["p50"] if plain else ""]
        cells.append(f"{ours['p50'] / plain['p50']:.2f}" if plain else "")
    cells.append(row["bytes per memory"])
    return "".join([f"{name:<20}", *(f"{cell!s:>11}" for cell in cells)])


if __name__ == "__main__":
    asyncio.run(main())
