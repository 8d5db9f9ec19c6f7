"""`python -m benchmarks.backends.pooled`: PostgreSQL directly and through PgBouncer, beside raw psycopg.

Both take turns on one server with an agent each of as many memories. To store one memory, the raw client locks its
agent, reads the counters and whether the text is known, and then inserts the same rows, whose values were made
before: two pipelines. To search, it sends the queries that the library sends. It finds the tables by a setting of its
role, and prepares as psycopg does: nothing behind PgBouncer, in transaction mode.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

import psycopg

from agent_memory.records import LongTermRecord, MemoryType
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.rows import MEMORY, memory_row, words_of
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.postgres.vectors import unpacked
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.vectors import Vector
from benchmarks.backends.servers import FOLDER

DIMENSION = 384
WORDS = ["knows", "matter", "17"]
Call = Callable[[int], Awaitable[Any]]


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends.pooled", description=__doc__)
    parser.add_argument("--memories", type=int, default=1000, help="memories that each has before")
    parser.add_argument("--runs", type=int, default=300)
    arguments = parser.parse_args()
    with _served() as urls:
        print(f"{'median ms':<26}{'library':>9}{'psycopg':>9}{'ratio':>7}")
        for name, url in urls.items():
            measured = asyncio.run(_measured(name, url, arguments.memories, arguments.runs))
            for label, (library, raw) in measured.items():
                times = f"{1000 * library:>9.2f}{1000 * raw:>9.2f}{library / raw:>7.2f}"
                print(f"{f'{label}, {name}':<26}{times}", flush=True)


@contextmanager
def _served() -> Iterator[dict[str, str]]:
    """Start both, and let the tables be found by who does not name their schema."""
    assert str(FOLDER) in sys.path
    from servers.pgbouncer import PgBouncer
    from servers.postgres import PostgresServer

    with PostgresServer() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("alter role postgres set search_path to agentmem, public")
            connection.execute("alter role postgres set jit to off")
        with PgBouncer(server) as pooler:
            yield {"direct": server.url, "through PgBouncer": pooler.url()}


async def _measured(name: str, url: str, memories: int, runs: int) -> dict[str, tuple[float, float]]:
    store = PostgresStore(name, url=url, pool_size=1)
    await store.open()
    await store.add_space(builders.space(dimension=DIMENSION))
    raw = await Raw.opened(f"raw {name}", url)
    vectors = builders.random_vectors(1000, dimension=DIMENSION, seed=1)
    total = memories + runs

    async def put(number: int) -> None:
        fact = _fact(number)
        own = {builders.digest(fact): [vectors[number % 1000]]}
        await store.commit(Operation(verb="add"), [Add(fact)], own)

    async def by_words(_: int) -> None:
        await store.by_keyword(WORDS, Where(), 10)

    async def by_vector(_: int) -> None:
        await store.by_vector(vectors[0], Where(), 10)

    rows = [raw.rows(_fact(number), vectors[number % 1000]) for number in range(total)]

    async def raw_put(number: int) -> None:
        await raw.put(rows[number])

    await _by_turns(put, raw_put, range(memories))
    results = {"put": await _by_turns(put, raw_put, range(memories, total))}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None) as other:
        await other.execute("analyze")
    for label, call in (("words", by_words), ("vector", by_vector)):
        with _recording() as sent:
            await call(0)
        results[label] = await _by_turns(call, partial(_asked, raw, sent), range(runs))
    await store.close()
    await raw.connection.close()
    return results


async def _asked(raw: Raw, sent: list[list[tuple[Any, ...]]], _number: int) -> None:
    await raw.ask(sent)


def _fact(number: int) -> Any:
    return builders.fact(f"writer {number % 7} knows matter {number} of many")


async def _by_turns(library: Call, raw: Call, numbers: Sequence[int]) -> tuple[float, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for number in numbers:
        # Whoever comes second finds warmer caches.
        for part in (0, 1) if number % 2 else (1, 0):
            begun = time.perf_counter()
            await (library, raw)[part](number)
            times[part].append(time.perf_counter() - begun)
    return statistics.median(times[0]), statistics.median(times[1])


@contextmanager
def _recording() -> Iterator[list[list[tuple[Any, ...]]]]:
    """Write down what a call of the library sends; what is sent together in one list."""
    sent: list[list[tuple[Any, ...]]] = []
    execute, settings = Connection.execute, ("select set_config", "begin", "commit")

    async def recorded(self: Connection, query: Any, *arguments: Any, **named: Any) -> Any:
        if not str(query).startswith(settings):
            if self.in_pipeline and sent and sent[-1][0][0] == id(self):
                sent[-1].append((id(self), query, *arguments))
            else:
                sent.append([(id(self) if self.in_pipeline else None, query, *arguments)])
        return await execute(self, query, *arguments, **named)

    with mock.patch.object(Connection, "execute", recorded):
        yield sent


class Raw:
    """What a program does that was written for this one table layout."""

    def __init__(self, connection: Any, agent: int) -> None:
        self.connection = connection
        self._agent = agent

    @classmethod
    async def opened(cls, name: str, url: str) -> Raw:
        """Make an agent, and connect."""
        from pgvector.psycopg import register_vector_async

        store = PostgresStore(name, url=url, pool_size=1)
        await store.open()
        await store.add_space(builders.space(dimension=DIMENSION))
        agent = store._server.agent
        direct = await store._server.read(_is_direct)
        await store.close()
        threshold = 5 if direct else None
        connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=threshold)
        await register_vector_async(connection)
        return cls(connection, agent)

    def rows(self, fact: LongTermRecord, vector: Vector) -> tuple[Any, ...]:
        """Make the values of a fact; its place is known only as it is stored."""
        words = words_of(fact)
        row = memory_row(self._agent, 0, fact, words)
        return fact, words, row, builders.digest(fact), unpacked(vector)

    async def put(self, rows: tuple[Any, ...]) -> None:
        """Store one memory in two round trips."""
        fact, words, row, digest, vector = rows
        agent, execute = self._agent, self.connection.execute
        async with self.connection.pipeline():
            await execute("begin")
            await execute("select pg_advisory_xact_lock(1, %s)", (agent,))
            counters = await execute(f"select last_place, last_hlc from agent where number = {agent}")
            known = f"select id from memory where agent = {agent} and status = 'active' and content_hash = %s"
            await execute(known, (row[list(MEMORY).index("content_hash")],))
            last = await execute(
                "select s.id, (select coalesce(max(e.number), 0) from embedding as e where e.agent = s.agent"
                f" and e.space = s.id) from embedding_space as s where s.agent = {agent} and s.current"
            )
        (place, hlc), (space, number) = await counters.fetchone(), await last.fetchone()
        values = ", ".join(f"%s::{kind}" for kind in MEMORY.values())
        async with self.connection.pipeline():
            row = [agent, place + 1, *row[2:]]
            await execute(f"insert into memory ({', '.join(MEMORY)}) values ({values})", row)
            kind = MemoryType.LONG_TERM.value
            own = f"insert into {kind} (agent, memory, kind) values (%s, %s, 'fact')"
            await execute(own, (agent, place + 1))
            await execute(
                f"insert into term (agent, stem, documents) select {agent}, stem, 1 from unnest(%s::text[]) as stem"
                " on conflict (agent, stem) do update set documents = term.documents + 1",
                (list(words.stems),),
            )
            await execute(
                "insert into operation (agent, seq, id, verb, started_at) values (%s, %s, %s, 'add', now())",
                (agent, place + 1, fact.id),
            )
            await execute(
                "insert into journal (agent, hlc, change_id, operation, memory_id, verb, after)"
                " values (%s, %s, %s, %s, %s, 'add', %s)",
                (agent, hlc + 1, fact.id, fact.id, fact.id, fact.content),
            )
            await execute(
                "insert into embedding (agent, space, text_hash, piece, number, vector)"
                " values (%s, %s, %s, 0, %s, %b::vector)",
                (agent, space, digest, number + 1, vector),
            )
            await execute(
                "update agent set version = version + 1, last_place = last_place + 1, last_hlc = last_hlc + 1,"
                " documents = documents + 1, words = words + %s where number = %s",
                (words.length, agent),
            )
            await execute("commit")

    async def ask(self, sent: list[list[tuple[Any, ...]]]) -> None:
        """Send queries of the library."""
        for together in sent:
            if len(together) == 1:
                await (await self.connection.execute(*together[0][1:])).fetchall()
                continue
            async with self.connection.pipeline():
                cursors = [await self.connection.execute(*query[1:]) for query in together]
            for cursor in cursors:
                await cursor.fetchall()


async def _is_direct(connection: Connection) -> bool:
    return connection.direct


if __name__ == "__main__":
    main()
