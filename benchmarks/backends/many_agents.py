"""`python -m benchmarks.backends.many_agents`: a million memories of a thousand agents in one PostgreSQL database.

Agents are filled one after the other, by two processes; then each of a sample of them is searched by words and by
vector, and the slowest agent is compared with the first that was filled while the database was empty.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import time

import numpy as np

from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from benchmarks.backends.servers import served

SAMPLE = 20
WORKERS = 2


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends.many_agents", description=__doc__)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--each", type=int, default=1000, help="memories of an agent")
    parser.add_argument("--dimension", type=int, default=32)
    options = parser.parse_args()
    with served("postgres") as server:
        asyncio.run(_one(server.backend, 0, options.each, options.dimension))
        first = asyncio.run(_searched(server.backend, [0], options.dimension))
        print(f"one agent alone: {_times(first)}", flush=True)
        begun = time.perf_counter()
        with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
            jobs = [
                (server.backend, number, options.each, options.dimension)
                for number in range(1, options.agents)
            ]
            for done, _ in enumerate(pool.imap_unordered(_fill, jobs), 1):
                if done % max(1, options.agents // 10) == 0:
                    rate = done * options.each / (time.perf_counter() - begun)
                    print(f"{done} agents, {rate:,.0f} memories a second", flush=True)
        sample = list(range(0, options.agents, max(1, options.agents // SAMPLE)))
        later = asyncio.run(_searched(server.backend, sample, options.dimension))
        print(f"{len(sample)} of {options.agents} agents: {_times(later)}")


def _fill(job: tuple[str, int, int, int]) -> None:
    asyncio.run(_one(*job))


async def _one(url: str, number: int, count: int, dimension: int) -> None:
    store = PostgresStore(f"agent {number}", url=url, pool_size=1)
    await store.open()
    await store.add_space(builders.space(dimension=dimension))
    facts = [
        builders.fact(f"agent {number} knows fact {item} about matter {item % 97}") for item in range(count)
    ]
    vectors = np.random.default_rng(number).normal(size=(count, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors_by_text = {
        builders.digest(fact): [one.astype("<f4").tobytes()] for fact, one in zip(facts, vectors, strict=True)
    }
    await store.commit(Operation(verb="add"), [Add(item) for item in facts], vectors_by_text)
    await store.close()


async def _searched(url: str, agents: list[int], dimension: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"words": [], "vector": [], "add": []}
    query = builders.random_vectors(1, dimension=dimension)[0]
    for number in agents:
        store = PostgresStore(f"agent {number}", url=url, pool_size=1)
        await store.open()
        for run in range(5):
            begun = time.perf_counter()
            assert len(await store.by_keyword(["matter", str(run)], Where(), 10)) == 10
            middle = time.perf_counter()
            assert len(await store.by_vector(query, Where(), 10)) == 10
            end = time.perf_counter()
            await store.commit(Operation(verb="add"), [Add(builders.event(f"searched {run}"))])
            if run:
                times["words"].append(1000 * (middle - begun))
                times["vector"].append(1000 * (end - middle))
                times["add"].append(1000 * (time.perf_counter() - end))
        await store.close()
    return times


def _times(times: dict[str, list[float]]) -> str:
    parts = []
    for name, item in times.items():
        p50, p95 = np.percentile(item, [50, 95])
        parts.append(f"{name} p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return "; ".join(parts)


if __name__ == "__main__":
    main()
