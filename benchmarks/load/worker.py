"""Writers of one process: each stores memories of agents picked at random, and searches now and then."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent_memory.errors import AgentMemoryError
from agent_memory.redaction import redacted
from agent_memory.storage.base import KeywordStore, Store, VectorStore
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.registry import create_store
from agent_memory.storage.where import Where
from agent_memory.testing import builders

OPEN = 60
"""Agents that all processes keep open at once: each takes a connection, and PostgreSQL has 100 by default."""
WORDS = [
    "boat",
    "harbour",
    "deploy",
    "garden",
    "invoice",
    "meeting",
    "printer",
    "staging",
    "release",
    "kettle",
]


class Job(NamedTuple):
    """What one process does."""

    url: str
    agents: int
    writers: int
    seconds: float
    dimension: int
    search_every: int
    seed: int
    open_at_once: int = OPEN
    """Agents that this process keeps open."""


@dataclass
class Measured:
    """What one process, or all together, measured."""

    times: dict[str, list[float]] = field(default_factory=lambda: {"put": [], "words": [], "vector": []})
    """Seconds of each call, by kind."""
    errors: Counter[str] = field(default_factory=Counter)
    text_bytes: int = 0
    """Of the texts that were stored."""

    def add(self, other: Measured) -> None:
        """Take over what another process measured."""
        for kind, times in other.times.items():
            self.times[kind] += times
        self.errors.update(other.errors)
        self.text_bytes += other.text_bytes


def agent_name(number: int) -> str:
    """Return the name of an agent that only this program uses."""
    return f"load-{number:06}"


def run(job: Job) -> Measured:
    """Do what a job says."""
    return asyncio.run(_run(job))


async def _run(job: Job) -> Measured:
    measured, agents = Measured(), Agents(job)
    ends = time.monotonic() + job.seconds
    try:
        await asyncio.gather(
            *(
                _write(job, agents, random.Random(f"{job.seed} {number}"), measured, ends)
                for number in range(job.writers)
            )
        )
    finally:
        await agents.close()
    return measured


class Agents:
    """The stores that are open; the one that was not used for longest is closed when there are too many."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._open: OrderedDict[int, Store] = OrderedDict()
        self._used: Counter[int] = Counter()
        self._lock = asyncio.Lock()

    async def take(self, number: int) -> Store:
        """Return an agent's store, opened, until it is given back."""
        async with self._lock:
            store = self._open.get(number)
            if store is None:
                store = create_store(self._job.url, agent_name(number), {})
                await store.open()
                if isinstance(store, VectorStore):
                    await store.add_space(builders.space(dimension=self._job.dimension))
                self._open[number] = store
            self._open.move_to_end(number)
            self._used[number] += 1
            idle = [item for item in self._open if not self._used[item]]
            for item in idle[: max(0, len(self._open) - self._job.open_at_once)]:
                await self._open.pop(item).close()
            return store

    def give_back(self, number: int) -> None:
        """Mark an agent's store as one that may be closed when room is needed."""
        self._used[number] -= 1

    async def close(self) -> None:
        """Close all."""
        for store in self._open.values():
            await store.close()


async def _write(job: Job, agents: Agents, chance: random.Random, measured: Measured, ends: float) -> None:
    done = 0
    while time.monotonic() < ends:
        number, done = chance.randrange(job.agents), done + 1
        try:
            store = await agents.take(number)
            try:
                kind = "put"
                if job.search_every and done % job.search_every == 0:
                    kind = chance.choice(("words", "vector"))
                await _timed(store, kind, job, chance, measured)
            finally:
                agents.give_back(number)
        except AgentMemoryError as error:
            measured.errors[redacted(error.message)[:160]] += 1
            await asyncio.sleep(0.05)


async def _timed(store: Store, kind: str, job: Job, chance: random.Random, measured: Measured) -> None:
    vector = builders.random_vectors(1, dimension=job.dimension, seed=chance.randrange(2**31))[0]
    words = chance.sample(WORDS, 3)
    if kind == "words" and isinstance(store, KeywordStore):
        call: Any = store.by_keyword(words[:2], Where(), 10)
    elif kind == "vector" and isinstance(store, VectorStore):
        call = store.by_vector(vector, Where(), 10)
    else:
        kind = "put"
        fact = builders.fact(f"the {' and the '.join(words)} of number {chance.randrange(2**40)}")
        measured.text_bytes += len(fact.content.encode())
        call = store.commit(Operation(verb="add"), [Add(fact)], {builders.digest(fact): [vector]})
    began = time.perf_counter()
    await call
    measured.times[kind].append(time.perf_counter() - began)
