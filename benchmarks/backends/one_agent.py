"""`python -m benchmarks.backends.one_agent`: how much one agent in PostgreSQL stores with one and with many writers.

Each writer is a process with one connection, as shells and workers are, and stores one memory after the other, each
with its vector: facts, or messages of one conversation. One and many writers take turns, and medians are compared.
What the writers have stored is counted in the end.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import time
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

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
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--messages", action="store_true", help="messages of one conversation instead of facts"
    )
    arguments = parser.parse_args()
    rates: dict[int, list[float]] = {writers: [] for writers in arguments.writers}
    with served("postgres") as server:
        asyncio.run(_prepared(server.backend))
        stored = 0
        for round_ in range(arguments.rounds):
            for writers in arguments.writers:
                job = Job(server.backend, f"{round_}.{writers}", arguments.seconds, arguments.messages)
                rate, count = _measured(job, writers)
                rates[writers].append(rate)
                stored += count
        present = asyncio.run(_count(server.backend))
    for writers, measured in rates.items():
        print(f"{writers:>3} writers: {statistics.median(measured):,.0f} memories a second", flush=True)
    print(f"{stored} acknowledged, {present} stored")


async def _prepared(url: str) -> None:
    store = PostgresStore("busy", url=url)
    await store.open()
    await store.add_space(builders.space(dimension=DIMENSION))
    await store.close()


class Job(NamedTuple):
    """What the writers of one round do."""

    url: str
    name: str
    seconds: float
    messages: bool


def _measured(job: Job, writers: int) -> tuple[float, int]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(writers)
    with context.Pool(writers, initializer=_start, initargs=(barrier,)) as pool:
        answers = pool.starmap(_write, [(job, number) for number in range(writers)], chunksize=1)
    return sum(rate for rate, _ in answers), sum(count for _, count in answers)


def _start(barrier: Barrier) -> None:
    global _together
    _together = barrier


_together: Barrier


def _write(job: Job, number: int) -> tuple[float, int]:
    return asyncio.run(_written(job, number))


async def _written(job: Job, number: int) -> tuple[float, int]:
    store = PostgresStore("busy", url=job.url, pool_size=1)
    await store.open()
    vectors = builders.random_vectors(1000, dimension=DIMENSION, seed=number)
    make: Any = builders.message if job.messages else builders.fact

    async def put(count: int) -> None:
        memory = make(f"writer {number} of round {job.name} knows matter {count} of many")
        own = {builders.digest(memory): [vectors[count % len(vectors)]]}
        await store.commit(Operation(verb="add"), [Add(memory)], own)

    for count in range(-5, 0):  # what is loaded and prepared once
        await put(count)
    await asyncio.to_thread(_together.wait)
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < job.seconds:
        await put(count)
        count += 1
    await store.close()
    return count / passed, count + 5


async def _count(url: str) -> int:
    store = PostgresStore("busy", url=url)
    await store.open()
    count = await store.count(Where())
    await store.close()
    return count


if __name__ == "__main__":
    main()
