"""`python -m benchmarks.backends.promoted`: thousands of agents with vector indexes of their own in one PostgreSQL.

`graph_from` is lowered so that an agent with few vectors gets an index too; one agent has really many. With the first
few and, by turns, with all of them: searching by vector, storing a memory with its vector, the locks of a search; at
the end connections that all search at once. While the large agent gets its index, it and another one are written to.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import psycopg

from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore, hnsw, nearest, promoting
from agent_memory.storage.postgres.reading import fetch
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.text.templates import TextHash
from agent_memory.vectors import Vector
from benchmarks.backends.servers import served

ROOT: Final = Path(__file__).parents[2]
WORKERS: Final = 2
RUNS: Final = 200
TURNS: Final = 10
LARGE: Final = "large"
PORTION: Final = 5000


class Sizes(NamedTuple):
    """What is stored."""

    agents: int
    memories: int
    large: int
    dimension: int

    @property
    def arguments(self) -> list[str]:
        """What a process beside this one is told."""
        return [f"--{name}={value}" for name, value in self._asdict().items()]


class Times(NamedTuple):
    """Milliseconds, each call."""

    search: list[float]
    insert: list[float]
    locks: int
    """That one transaction holds while it searches by vector."""

    def line(self) -> str:
        """Return the figures as a line."""
        return f"search {_quantiles(self.search)}; insert {_quantiles(self.insert)}; {self.locks} locks in a search"


def main() -> None:
    """Read the arguments and run."""
    options = options_of(sys.argv[1:])
    sizes = sizes_of(options)
    if options.index:
        asyncio.run(_index(options.index, sizes))
    elif options.fill:
        asyncio.run(_fill(options.fill, options.first, sizes))
    else:
        measure(sizes, options.connections)


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the arguments."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends.promoted", description=__doc__)
    parser.add_argument("--agents", type=int, default=2000, help="agents with few vectors and an index")
    parser.add_argument("--memories", type=int, default=20, help="vectors of such an agent")
    parser.add_argument("--large", type=int, default=50_000, help="vectors of the large agent")
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--connections", type=int, default=90)
    # What processes beside this one are asked to do; they end then.
    parser.add_argument("--fill", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--index", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=1, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def sizes_of(options: argparse.Namespace) -> Sizes:
    """Return the sizes that the arguments say."""
    return Sizes(*(getattr(options, name) for name in Sizes._fields))


def measure(sizes: Sizes, connections: int) -> None:
    """Start a server, measure and print."""
    with served("postgres") as server:
        print(asyncio.run(large_agent(server.backend, sizes)).line(sizes), flush=True)
        alone = copied(server.backend)
        begun = time.perf_counter()
        fill(server.backend, sizes)
        print(f"{sizes.agents} agents promoted in {time.perf_counter() - begun:,.0f} s", flush=True)
        before, after = asyncio.run(by_turns([alone, server.backend], sizes))
        print(f"one small agent and the large one alone: {before.line()}")
        print(f"the same with {sizes.agents} beside them: {after.line()}")
        ratios = [float(np.median(after[part])) / float(np.median(before[part])) for part in (0, 1)]
        print(f"search {ratios[0]:.2f} times, insert {ratios[1]:.2f} times as long", flush=True)
        everybody = asyncio.run(different(server.backend, sizes))
        print(f"each search and insert in another agent: {everybody.line()}", flush=True)
        seconds, most = asyncio.run(crowd(server.backend, sizes, connections))
        print(f"{connections} connections that search at once: {seconds:.1f} s, at most {most} locks each")


# --- what is stored --------------------------------------------------------------------------------------------


def store_of(url: str, name: str, graph_from: int, pool_size: int = 1) -> PostgresStore:
    return PostgresStore(name, url=url, pool_size=pool_size, graph_from=graph_from)


def _batch(
    name: str, first: int, count: int, dimension: int
) -> tuple[list[Add], Mapping[TextHash, list[Vector]]]:
    facts = [builders.fact(f"agent {name} knows fact {first + item}") for item in range(count)]
    seed = sum(name.encode()) * 1_000_003 + first
    vectors = np.random.default_rng(seed).normal(size=(count, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own = {
        builders.digest(fact): [Vector(one.astype("<f4").tobytes())]
        for fact, one in zip(facts, vectors, strict=True)
    }
    return [Add(fact) for fact in facts], own


def fill(url: str, sizes: Sizes) -> None:
    """Store the agents with few vectors, each of which gets an index."""
    fillers = [_beside(sizes, "--fill", url, "--first", str(first)) for first in range(1, 1 + WORKERS)]
    codes = [filler.wait() for filler in fillers]
    if any(codes):
        raise SystemExit("not all agents were stored")


def _beside(sizes: Sizes, *arguments: str) -> subprocess.Popen[bytes]:
    """Start this program in a process of its own."""
    program = [sys.executable, "-m", "benchmarks.backends.promoted"]
    return subprocess.Popen([*program, *sizes.arguments, *arguments], cwd=ROOT)


async def _fill(url: str, first: int, sizes: Sizes) -> None:
    for number in range(first, sizes.agents, WORKERS):
        await small(url, number, sizes)


async def small(url: str, number: int, sizes: Sizes) -> None:
    """Store an agent with few vectors, and see that it has an index."""
    store = store_of(url, f"agent {number}", sizes.memories)
    await store.open()
    await store.add_space(builders.space(dimension=sizes.dimension))
    await store.commit(Operation(verb="add"), *_batch(f"agent {number}", 0, sizes.memories, sizes.dimension))
    if not (await store.describe()).details["vector_index"]:
        raise SystemExit(f"agent {number} has no vector index")
    await store.close()


class Waits(NamedTuple):
    """How long the index took, and milliseconds of each memory that was stored."""

    seconds: float
    before: list[float]
    """Of the large agent, while nothing else happened."""
    meanwhile: list[float]
    """Of the large agent, while its index was made."""
    others: list[float]
    """Of another agent, while it was made."""

    def line(self, sizes: Sizes) -> str:
        """Return the figures as a line."""
        return (
            f"index over {sizes.large} vectors made in {self.seconds:,.0f} s; storing a memory of its own meanwhile"
            f" {_quantiles(self.meanwhile)}, slowest {max(self.meanwhile):.0f} ms (before:"
            f" {_quantiles(self.before)}, slowest {max(self.before):.0f} ms); one of another agent"
            f" {_quantiles(self.others)}, slowest {max(self.others):.0f} ms"
        )


async def large_agent(url: str, sizes: Sizes) -> Waits:
    """Store the large agent and the first small one; both are written to while the large one gets its index."""
    await small(url, 0, sizes)
    store = store_of(url, LARGE, 10**9)
    await store.open()
    await store.add_space(builders.space(dimension=sizes.dimension))
    for first in range(0, sizes.large, PORTION):
        await store.commit(
            Operation(verb="add"), *_batch(LARGE, first, min(PORTION, sizes.large - first), sizes.dimension)
        )
    await store.close()
    alone, over = asyncio.Event(), asyncio.Event()
    before = asyncio.create_task(_writes(url, LARGE, sizes, alone, "before"))
    await asyncio.sleep(3)
    alone.set()
    quiet = await before
    # In a process of its own: what that one computes is not to hold up the writers that are measured.
    begun = time.perf_counter()
    program = _beside(sizes, "--index", url)
    writers = [asyncio.create_task(_writes(url, name, sizes, over, name)) for name in (LARGE, "agent 0")]
    while program.poll() is None:
        await asyncio.sleep(0.1)
    took = time.perf_counter() - begun
    over.set()
    if program.returncode:
        raise SystemExit("the index was not made")
    return Waits(took, quiet, *[await writer for writer in writers])


class _Portions(logging.Handler):
    """Notes how long each portion took that was copied."""

    def __init__(self) -> None:
        super().__init__()
        self.milliseconds: list[float] = []

    def emit(self, record: logging.LogRecord) -> None:
        *_, milliseconds = record.args if isinstance(record.args, tuple) else ()
        assert isinstance(milliseconds, float)
        self.milliseconds.append(milliseconds)


async def _index(url: str, sizes: Sizes) -> None:
    """Let the large agent get its index, and say how long its lock was held for that."""
    portions = _Portions()
    logging.getLogger(promoting.__name__).addHandler(portions)
    logging.getLogger(promoting.__name__).setLevel(logging.DEBUG)
    store = store_of(url, LARGE, min(sizes.large, 50_000), pool_size=4)
    await store.open()
    await store._keep_index_fitting(sizes.large)
    if not (await store.describe()).details["vector_index"]:
        raise SystemExit("the large agent has no vector index")
    await store.close()
    times = portions.milliseconds
    print(
        f"lock held for {len(times)} portions: {_quantiles(times)}, slowest {max(times):.0f} ms", flush=True
    )


async def _writes(url: str, name: str, sizes: Sizes, over: asyncio.Event, label: str) -> list[float]:
    times = []
    store = store_of(url, name, 10**9)
    await store.open()
    number = 0
    while not over.is_set():
        number += 1
        changes, vectors = _batch(f"{label} meanwhile", number, 1, sizes.dimension)
        begun = time.perf_counter()
        await store.commit(Operation(verb="add"), changes, vectors)
        times.append(1000 * (time.perf_counter() - begun))
        await asyncio.sleep(0.01)
    await store.close()
    return times


# --- what is measured ------------------------------------------------------------------------------------------


def copied(url: str) -> str:
    """Make a database as it is now beside it, and return its URL: with few agents, for a comparison by turns."""
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/template1", autocommit=True) as connection:
        connection.execute(f"create database alone template {name}")
    return f"{server}/alone"


async def by_turns(urls: Sequence[str], sizes: Sizes) -> list[Times]:
    """Measure databases by turns, so that whatever else the machine does is the same for all."""
    result = [Times([], [], 0) for _ in urls]
    for _ in range(TURNS):
        for place, url in enumerate(urls):
            one, all_ = await few(url, sizes, 2 * RUNS // TURNS), result[place]
            result[place] = Times(
                all_.search + one.search, all_.insert + one.insert, max(all_.locks, one.locks)
            )
    return result


async def few(url: str, sizes: Sizes, runs: int = RUNS) -> Times:
    """Search and write the large agent and one small one by turns."""
    stores = [store_of(url, name, 10**9) for name in (LARGE, "agent 0")]
    for store in stores:
        await store.open()
    result = await _measured(stores * (runs // 2), sizes, warm=min(10, runs // 2))
    for store in stores:
        await store.close()
    return result


async def different(url: str, sizes: Sizes) -> Times:
    """Search and write one agent after another."""
    times = Times([], [], 0)
    for number in range(0, sizes.agents, max(1, sizes.agents // RUNS)):
        store = store_of(url, f"agent {number}", 10**9)
        await store.open()
        one = await _measured([store, store], sizes, warm=1)
        await store.close()
        times = Times(times.search + one.search, times.insert + one.insert, max(times.locks, one.locks))
    return times


async def _measured(stores: list[PostgresStore], sizes: Sizes, *, warm: int) -> Times:
    times = Times([], [], max([await locks(store, sizes) for store in stores[-2:]]))
    queries = builders.random_vectors(len(stores), dimension=sizes.dimension, seed=7)
    label = time.time_ns()
    for number, (store, query) in enumerate(zip(stores, queries, strict=True)):
        changes, vectors = _batch(f"{store.agent_id} {label}", number, 1, sizes.dimension)
        begun = time.perf_counter()
        nearest = await store.by_vector(query, Where(), 10)
        middle = time.perf_counter()
        await store.commit(Operation(verb="add"), changes, vectors)
        end = time.perf_counter()
        assert len(nearest) == 10
        if number >= warm:
            times.search.append(1000 * (middle - begun))
            times.insert.append(1000 * (end - middle))
    return times


async def locks(
    store: PostgresStore, sizes: Sizes, then: Callable[[], Awaitable[object]] | None = None
) -> int:
    """Return how many tables and indexes the statement of a search by vector locks.

    Args:
        store: an open store whose agent has an index.
        sizes: what is stored.
        then: what to wait for before the transaction ends.

    Returns:
        The number.
    """
    scope, (space, *_) = store._server.scope, await store.spaces()
    query = builders.random_vectors(1, dimension=sizes.dimension)[0]

    async def unit(connection: Connection) -> int:
        condition = scope.condition(Where())
        statement = nearest.first_walk(scope, space, query, condition, 10, hnsw.IndexKind.TABLE)
        assert len(await fetch(connection, *statement)) == 10
        count = (
            "select count(*) from pg_locks where pid = pg_backend_pid() and locktype = 'relation'"
            " and relation <> 'pg_locks'::regclass"
        )
        number = int((await fetch(connection, count))[0][0])
        if then is not None:
            await then()
        return number

    return await store._server.read_whole(unit)


async def crowd(url: str, sizes: Sizes, connections: int) -> tuple[float, int]:
    """Search different agents by so many connections, each in a transaction that stays open until all have searched.

    Returns:
        How many seconds it took, and the most locks that one held.
    """
    stores = [store_of(url, f"agent {number % sizes.agents}", 10**9) for number in range(connections)]
    for store in stores:
        await store.open()
    waiting, all_there = [0], asyncio.Event()

    async def together() -> None:
        waiting[0] += 1
        if waiting[0] == connections:
            all_there.set()
        await asyncio.wait_for(all_there.wait(), 60)

    begun = time.perf_counter()
    most = max(await asyncio.gather(*(locks(store, sizes, together) for store in stores)))
    took = time.perf_counter() - begun
    for store in stores:
        await store.close()
    return took, most


def _quantiles(times: list[float]) -> str:
    p50, p95 = np.percentile(times, [50, 95])
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms"


if __name__ == "__main__":
    main()
