"""`python -m benchmarks.backends.one_agent`: how much one agent in PostgreSQL stores with one and with many writers.

Each writer is a process with one connection, as shells and workers are, and stores one memory after the other, each
with its vector: facts, or messages of one conversation. One and many writers take turns, and medians are compared.
What the writers have stored is counted in the end.

As many programs that use psycopg for this one table layout (`pooled.Raw`) store facts for another agent by turns with
them: how much more or less many of them store than one is what the machine and the server allow. Where clients and
server share a few cores, that is less.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from multiprocessing.synchronize import Barrier
from typing import Any, Final, NamedTuple

import psycopg
from pgvector.psycopg import register_vector_async

from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from benchmarks.backends.pooled import Raw
from benchmarks.backends.servers import served

DIMENSION = 32
BEFORE = 8
"""Memories that each stores before: what is loaded and prepared once."""
Put = Callable[[int], Awaitable[None]]


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
    rates: dict[str, dict[int, list[float]]] = {way: {} for way in _WAYS}
    with served("postgres") as server:
        agents = {way: asyncio.run(_prepared(server.backend, way)) for way in _WAYS}
        stored = 0
        for round_ in range(arguments.rounds):
            for writers in arguments.writers:
                for way in _WAYS:
                    name, messages = f"{round_}.{writers}", arguments.messages
                    job = Job(server.backend, name, arguments.seconds, messages, way, agents[way])
                    rate, count = _measured(job, writers)
                    rates[way].setdefault(writers, []).append(rate)
                    stored += count
        found = sum(asyncio.run(_count(server.backend, way)) for way in _WAYS)
    print("\n".join(report(rates)), flush=True)
    print(f"{stored} acknowledged, {found} stored")


_WAYS: Final = ("library", "psycopg")


def report(rates: Mapping[str, Mapping[int, Sequence[float]]]) -> list[str]:
    """Write what was stored a second, and how much that is of what as few writers as were asked for store."""
    lines = [
        "memories a second, and how much that is of the first line",
        " " * 11 + "".join(f"{way:>16}" for way in rates),
    ]
    medians = {
        way: {writers: statistics.median(measured) for writers, measured in sorted(of_way.items())}
        for way, of_way in rates.items()
    }
    for writers in sorted({writers for of_way in medians.values() for writers in of_way}):
        line = f"{writers:>3} writers"
        for of_way in medians.values():
            first = next(iter(of_way.values()))
            line += f"{of_way[writers]:>9,.0f} ({of_way[writers] / first:.2f})"
        lines.append(line)
    return lines


async def _prepared(url: str, way: str) -> int:
    store = PostgresStore(way, url=url)
    await store.open()
    await store.add_space(builders.space(dimension=DIMENSION))
    agent = store._server.agent
    await store.close()
    return agent


class Job(NamedTuple):
    """What the writers of one round do."""

    url: str
    name: str
    seconds: float
    messages: bool
    way: str
    """Of storing, which is the name of its agent too."""
    agent: int
    """Its number."""


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
    async with AsyncExitStack() as stack:
        put = await stack.enter_async_context(
            (_by_library if job.way == "library" else _by_psycopg)(job, number)
        )
        for count in range(-BEFORE, 0):
            await put(count)
        await asyncio.to_thread(_together.wait)
        begun, count = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < job.seconds:
            await put(count)
            count += 1
    return count / passed, count + BEFORE


@asynccontextmanager
async def _by_library(job: Job, number: int) -> AsyncIterator[Put]:
    store = PostgresStore(job.way, url=job.url, pool_size=1)
    await store.open()
    vectors = builders.random_vectors(1000, dimension=DIMENSION, seed=number)
    make: Any = builders.message if job.messages else builders.fact

    async def put(count: int) -> None:
        memory = make(_text(job, number, count))
        own = {builders.digest(memory): [vectors[count % len(vectors)]]}
        await store.commit(Operation(verb="add"), [Add(memory)], own)

    yield put
    await store.close()


@asynccontextmanager
async def _by_psycopg(job: Job, number: int) -> AsyncIterator[Put]:
    vectors = builders.random_vectors(1000, dimension=DIMENSION, seed=number)
    async with await psycopg.AsyncConnection.connect(job.url, autocommit=True) as connection:
        await connection.execute("set search_path to agentmem, public")
        await register_vector_async(connection)
        raw = Raw(connection, job.agent)

        async def put(count: int) -> None:
            await raw.put(raw.rows(builders.fact(_text(job, number, count)), vectors[count % len(vectors)]))

        yield put


def _text(job: Job, number: int, count: int) -> str:
    return f"writer {number} of round {job.name} knows matter {count} of many"


async def _count(url: str, way: str) -> int:
    store = PostgresStore(way, url=url)
    await store.open()
    count = await store.count(Where())
    await store.close()
    return count


if __name__ == "__main__":
    main()
