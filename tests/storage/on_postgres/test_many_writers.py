"""Many writers of one agent, and one who follows its journal; and a change of the primary under them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import anyio
import psycopg
import pytest
from servers.postgres import PostgresServer
from servers.surviving import written_through

from agent_memory.errors import ConflictError
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.storage.base import Order
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.session import Connection
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, change, opened, put, texts

from .conftest import empty

pytestmark = pytest.mark.anyio

WRITERS, EACH = 16, 12


async def test_a_follower_of_the_journal_misses_nothing(newest: PostgresServer) -> None:
    url = empty(newest)
    over = asyncio.Event()
    answers: list[MemoryRecord] = []

    async def write(writer: int) -> None:
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url, pool_size=1)) as made:
            for number in range(EACH):
                # Some take longer between their number and their commit than others.
                kind = builders.fact if writer % 2 else builders.message
                parts = [kind(f"{writer} {number} {part}") for part in range(1 + writer % 3)]
                answers.extend(await put(made, *parts))

    async def follow() -> list[str]:
        followed: list[str] = []
        last = 0
        query = "select hlc, memory_id from agentmem.journal where hlc > %s order by hlc"
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            while True:
                ended = over.is_set()
                for hlc, memory_id in await (await connection.execute(query, (last,))).fetchall():
                    followed.append(memory_id)
                    last = hlc
                if ended:
                    return followed
                await asyncio.sleep(0)

    async with opened(lambda agent_id: PostgresStore(agent_id, url=url)) as made:
        follower = asyncio.create_task(follow())
        await asyncio.gather(*map(write, range(WRITERS)))
        over.set()
        followed = await follower
        stored = await made.select(EVERYTHING, Order("created", descending=False))
        assert len(stored) == EACH * sum(1 + writer % 3 for writer in range(WRITERS))
        assert sorted(followed) == sorted(record.id for record in stored)
        assert {record.id: record for record in stored} == {record.id: record for record in answers}
        positions = [record.position for record in stored if isinstance(record, ConversationRecord)]
        assert sorted(positions, key=str) == sorted(range(len(positions)), key=str)  # each given once
        assert await made.check() == []


async def test_what_many_store_at_once_is_one_memory(newest: PostgresServer) -> None:
    url = empty(newest)

    async def write(writer: int) -> list[str]:
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url, pool_size=1)) as made:
            facts = [builders.fact(f"fact {number}", tags=(f"of {writer}",)) for number in range(4)]
            return [(await put(made, fact))[0].id for fact in facts]

    async with opened(lambda agent_id: PostgresStore(agent_id, url=url)) as made:
        ids = await asyncio.gather(*map(write, range(6)))
        assert len({tuple(item) for item in ids}) == 1
        stored = await made.select(EVERYTHING)
        assert sorted(texts(stored)) == [f"fact {number}" for number in range(4)]
        assert all(record.tags == tuple(f"of {writer}" for writer in range(6)) for record in stored)
        assert await made.check() == []


async def test_many_writers_of_one_process_wait_for_each_other_as_long_as_it_takes(
    newest: PostgresServer,
) -> None:
    url = empty(newest)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=url, connect_timeout=0.5)) as made:
        assert isinstance(made, PostgresStore)
        with psycopg.connect(url) as connection:
            connection.execute(f"select pg_advisory_xact_lock({0x61676D71}, {made._scope.number})")
            async with anyio.create_task_group() as tasks:
                for number in range(8):
                    tasks.start_soon(put, made, builders.fact(f"fact {number}"))
                await asyncio.sleep(0.8)
                assert texts(await made.select(EVERYTHING)) == []  # a connection is left for readers
                connection.rollback()
        assert len(await made.select(EVERYTHING)) == 8


async def test_a_write_that_is_cancelled_while_it_waits_is_not_stored(newest: PostgresServer) -> None:
    url = empty(newest)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=url, pool_size=1)) as made:
        assert isinstance(made, PostgresStore)
        with psycopg.connect(url) as connection:
            connection.execute(f"select pg_advisory_xact_lock({0x61676D71}, {made._scope.number})")
            for fact in ("one", "two"):
                with anyio.move_on_after(0.1) as scope:
                    await put(made, builders.fact(fact))
                assert scope.cancelled_caught
        await put(made, builders.fact("three"))
        assert texts(await made.select(EVERYTHING)) == ["three"]
        assert await made.check() == []


async def test_a_write_that_is_cancelled_before_the_server_has_begun_is_not_stored(
    newest: PostgresServer,
) -> None:
    """A server that is told to stop before it has begun stops nothing, so it is told again."""
    url = empty(newest)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=url, pool_size=1)) as made:
        assert isinstance(made, PostgresStore)
        await put(made, builders.fact("one"))
        process = await made._server.read(_process)
        with psycopg.connect(url) as connection:
            connection.execute(f"select pg_advisory_xact_lock({0x61676D71}, {made._scope.number})")
            os.kill(process, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(0.5, os.kill, process, signal.SIGCONT)
            with anyio.move_on_after(0.1) as scope:
                await put(made, builders.fact("two"))
            assert scope.cancelled_caught
        await put(made, builders.fact("three"))
        assert sorted(texts(await made.select(EVERYTHING))) == ["one", "three"]


async def _process(connection: Connection) -> int:
    return connection.info.backend_pid


@pytest.mark.parametrize("kind", [builders.message, builders.fact])
async def test_a_write_whose_answer_is_lost_is_stored_once(
    newest: PostgresServer, kind: Callable[[str], MemoryRecord]
) -> None:
    url = empty(newest)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=url)) as made:
        with psycopg.connect(url, autocommit=True) as connection:

            async def cut() -> None:
                for _ in range(20):
                    connection.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where pid <> pg_backend_pid() and backend_type = 'client backend'"
                    )
                    await asyncio.sleep(0.05)

            cutting = asyncio.create_task(cut())
            answers: list[MemoryRecord] = []
            while not cutting.done():
                answers += await put(made, kind(f"number {len(answers)}"))
        stored = await made.select(EVERYTHING, Order("created", descending=False))
        assert texts(stored) == [f"number {number}" for number in range(len(answers))]
        assert stored == answers
        assert await made.check() == []


async def test_a_write_is_stored_after_the_driver_took_back_all_prepared_statements(
    newest: PostgresServer,
) -> None:
    async with opened(lambda agent_id: PostgresStore(agent_id, url=empty(newest), pool_size=1)) as made:
        for number in range(6):
            (record,) = await put(made, builders.fact(f"fact {number}"))
            await made.get([record.id])
        with pytest.raises(ConflictError):  # rolled back, which ends what is prepared
            await change(made, replace(record, revision="another"), content="changed")
        await put(made, builders.fact("fact 6"))
        assert len(await made.select(EVERYTHING)) == 7


@pytest.mark.soak
@pytest.mark.parametrize("run", range(3))
async def test_a_promotion_under_writers_loses_nothing_that_a_synchronous_standby_had(run: int) -> None:
    with PostgresServer(durable=True) as first, PostgresServer(durable=True, primary=first) as second:
        with psycopg.connect(first.url, autocommit=True) as connection:
            connection.execute("alter system set synchronous_standby_names = '*'")
            connection.execute("select pg_reload_conf()")

        def promoted() -> None:
            first.kill()
            second.promote()

        # The standby does not wait for one of its own.
        with psycopg.connect(first.url) as connection:
            assert connection.execute("select count(*) from pg_stat_replication").fetchone() == (1,)
        url = f"postgresql://postgres@127.0.0.1:{first.port},127.0.0.1:{second.port}/postgres"
        async with AsyncExitStack() as stack:
            stores = [
                await stack.enter_async_context(opened(lambda agent_id: PostgresStore(agent_id, url=url)))
                for _ in range(5)
            ]
            promised = await stores[0].durability()
            assert promised is not None
            assert promised.survives.endswith("and the loss of the primary")
            course = await written_through(stores, promoted, before=1 + run, after=4)
        assert len(course.acknowledged) > 20
        assert course.in_error < 10
        assert course.longest < 10
