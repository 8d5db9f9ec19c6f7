"""Behind a pooler in transaction mode: every transaction may reach another session, which others use in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from servers.pgbouncer import PgBouncer
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.support import opened, put, texts

from .conftest import empty

AGENTS, CLIENTS, READS = 3, 20, 240


@pytest.fixture(scope="session")
def pooler(newest: PostgresServer) -> Iterator[PgBouncer]:
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("create role pooled login")
        connection.execute("grant create on database postgres to pooled")
        connection.execute("create extension if not exists vector")
    with PgBouncer(newest, users=("postgres", "pooled")) as started:
        yield started


class TestPooled(StoreSuite):
    @pytest.fixture
    def store_factory(self, newest: PostgresServer, pooler: PgBouncer) -> StoreFactory:
        empty(newest)
        return lambda agent_id: PostgresStore(agent_id, url=pooler.url())


@pytest.mark.anyio
async def test_each_read_sees_the_rows_of_its_own_agent_under_policies(pooler: PgBouncer) -> None:
    def policed(agent_id: str) -> PostgresStore:
        return PostgresStore(
            agent_id, url=pooler.url("pooled"), schema="pooled", row_level_security=True, pool_size=1
        )

    def name(number: int) -> str:
        return f"agent {number % AGENTS}"

    for number in range(AGENTS):
        async with opened(policed, name(number)) as store:
            await put(store, builders.fact(name(number)))

    async def reads(number: int) -> list[list[str]]:
        async with opened(policed, name(number)) as store:
            return [texts(await store.select(Where())) for _ in range(READS // CLIENTS)]

    for number, read in enumerate(await asyncio.gather(*map(reads, range(CLIENTS)))):
        assert read == [[name(number)]] * (READS // CLIENTS)
    # Not even a statement of somebody who knows the other's number sees more, and nothing stays in a session.
    async with opened(policed, name(0)) as store:
        assert isinstance(store, PostgresStore)
        seen = await store._server.read(lambda it: it.execute("select count(*) from memory"))
        assert await seen.fetchall() == [(1,)]
    with psycopg.connect(pooler.url("pooled"), autocommit=True) as connection:
        settings = "select current_setting('agentmem.agent', true), current_setting('search_path')"
        for _ in range(10):
            row = connection.execute(settings).fetchone()
            assert row is not None
            assert row[0] in (None, "")
            assert "pooled" not in row[1]


@pytest.mark.anyio
async def test_a_vector_index_is_made_used_and_dropped_under_policies(pooler: PgBouncer) -> None:
    def policed(agent_id: str) -> PostgresStore:
        return PostgresStore(
            agent_id, url=pooler.url("pooled"), schema="pooled", row_level_security=True, graph_from=50
        )

    supply = builders.random_vectors(60)
    facts = [builders.fact(str(number)) for number in range(60)]
    for name in ("indexed", "indexed too"):
        async with opened(policed, name) as store:
            assert isinstance(store, PostgresStore)
            await store.add_space(builders.space())
            given = {builders.digest(one): [own] for one, own in zip(facts, supply, strict=True)}
            stored = await put(store, *facts, vectors=given)
            assert (await store.describe()).details["vector_index"] is True
            assert (await store.by_vector(supply[7], Where(), 1))[0][0] == stored[7].id
            assert await store.check() == []
            await store.drop()


@pytest.mark.anyio
async def test_a_direct_connection_is_told_from_one_through_a_pooler(
    newest: PostgresServer, pooler: PgBouncer
) -> None:
    async def direct(url: str) -> bool:
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url)) as store:
            assert isinstance(store, PostgresStore)
            return await store._server.read(_direct)

    assert [await direct(empty(newest)), await direct(pooler.url())] == [True, False]


async def _direct(connection: Connection) -> bool:
    return connection.direct
