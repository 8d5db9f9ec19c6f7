"""`python -m benchmarks.backends.one_agent`: how much one agent in PostgreSQL stores with one and with many writers.

Each writer is a process with one connection, as shells and workers are, and stores one memory after the other, each
with its vector. What the writers have stored is counted in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time
from multiprocessing.synchronize import Barrier

from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from benchmarks.backends.servers import served

DIMENSION = 32


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends.one_agent", description=__doc__)
    parser.add_argument("--writers", type=int, nargs="*", default=[1, 4, 16])
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with served("postgres") as server:
        asyncio.run(_prepared(server.backend))
        for writers in given.writers:
            rate, stored = _measured(server.backend, writers, given.seconds)
            print(f"{writers:>3} writers: {rate:,.0f} memories a second, {stored} stored", flush=True)


async def _prepared(url: str) -> None:
    store = PostgresStore("busy", url=url)
    await store.open()
    await store.add_space(builders.space(dimension=DIMENSION))
    await store.close()


def _measured(url: str, writers: int, seconds: float) -> tuple[float, int]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(writers)
    with context.Pool(writers, initializer=_start, initargs=(barrier,)) as pool:
        rates = pool.starmap(
            _write, [(url, writers, number, seconds) for number in range(writers)], chunksize=1
        )
    return sum(rates), asyncio.run(_count(url))


def _start(barrier: Barrier) -> None:
    global _together
    _together = barrier


_together: Barrier


def _write(url: str, writers: int, number: int, seconds: float) -> float:
    return asyncio.run(_written(url, writers, number, seconds))


async def _written(url: str, writers: int, number: int, seconds: float) -> float:
    store = PostgresStore("busy", url=url, pool_size=1)
    await store.open()
    vectors = builders.random_vectors(2000, dimension=DIMENSION, seed=1000 * writers + number)

    async def put(count: int) -> None:
        fact = builders.fact(f"writer {number} of {writers} knows matter {count} of many")
        given = {builders.digest(fact): [vectors[count % len(vectors)]]}
        await store.commit(Operation(verb="add"), [Add(fact)], given)

    for count in range(-5, 0):  # what is loaded and prepared once
        await put(count)
    await asyncio.to_thread(_together.wait)
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        await put(count)
        count += 1
    await store.close()
    return count / passed


async def _count(url: str) -> int:
    store = PostgresStore("busy", url=url)
    await store.open()
    count = await store.count(Where())
    await store.close()
    return count


if __name__ == "__main__":
    main()
