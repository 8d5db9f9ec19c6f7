"""The function in the database that stores new memories in one call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import DataError
from servers.postgres import PostgresServer

from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.add_function import PARAMETERS, as_json, call
from agent_memory.storage.postgres.session import ADD_FUNCTION
from agent_memory.testing import builders

from .conftest import empty, without_add_function

pytestmark = pytest.mark.anyio


def test_values_that_are_not_named_are_null() -> None:
    statement = call({"agent_number": 7, "vectors": b"\0", "moment": datetime(2026, 1, 2, tzinfo=UTC)})
    assert statement.text.startswith(b"select add_new_memories($1::int8, $2::json, ")
    sent = dict(zip(PARAMETERS, zip(statement.values, statement.formats, strict=True), strict=True))
    assert {name: value for name, value in sent.items() if value != (None, 0)} == {
        "agent_number": (b"7", 0),
        "vectors": (b"\0", 1),
        "moment": (b"2026-01-02T00:00:00+00:00", 0),
    }


def test_rows_are_written_as_the_server_reads_them() -> None:
    row = {
        "bytes": b"\xff",
        "real": 0.1 + 0.2,
        "flag": True,
        "nothing": None,
        "text": 'a "ü" \\',
        "number": 2**62,
    }
    assert json.loads(as_json([row])) == [{**row, "bytes": "\\xff", "real": "0.30000000000000004"}]


@pytest.mark.parametrize(
    "make", [lambda text: as_json({"a": [text]}), lambda text: call({"in_conversation": text})]
)
def test_a_text_with_a_nul_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(DataError):
        make("one\0two")


@pytest.fixture
def url(newest: PostgresServer) -> Iterator[str]:
    yield empty(newest)
    with psycopg.connect(newest.url, autocommit=True) as connection:
        made = connection.execute(f"select to_regproc('agentmem.{ADD_FUNCTION}') is not null").fetchone()
        assert made == (True,)  # the tests behind this one count on it


@asynccontextmanager
async def _opened(agent_id: str, url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(agent_id, url=url)
    await store.open()
    yield store
    await store.close()


async def _stored(store: PostgresStore, text: str) -> bool:
    fact = builders.fact(text)
    await store.commit(Operation(verb="add"), [Add(fact)])
    found = await store.get([fact.id])
    return found[fact.id].content == text


async def test_a_database_without_the_function_stores_all_the_same(newest: PostgresServer, url: str) -> None:
    async with _opened("a", url) as store, _opened("b", url) as other:
        assert await _stored(store, "by the function")
        with without_add_function(newest):
            # Of connections that are open, and of a new one.
            assert await _stored(store, "without it")
            async with _opened("a", url) as opened:
                assert await _stored(opened, "in more round trips")
            assert await _stored(other, "another agent's")
        assert await _stored(store, "by the function again")
        assert await store.check() == []


async def test_a_function_of_other_parameters_is_not_called(newest: PostgresServer, url: str) -> None:
    async with _opened("a", url) as store:
        with without_add_function(newest):
            with psycopg.connect(newest.url, autocommit=True) as connection:
                connection.execute(
                    f"create function agentmem.{ADD_FUNCTION}(new json) returns int8 language sql as 'select 1::int8'"
                )
            assert await _stored(store, "of this version")
        assert await _stored(store, "after it")


async def test_it_reads_no_more_before_the_server_has_counted_its_rows(
    newest: PostgresServer, url: str
) -> None:
    """Every index of a table that is taken for empty looks alike to the server, and most would be read whole."""
    vectors, rows = 30_000, 10
    # In a schema of its own, of which nothing was ever counted.
    store = PostgresStore("a", url=url, pool_size=1, schema="uncounted")
    await store.open()
    await store.add_space(builders.space(dimension=3))
    agent = store._server.agent
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("alter table uncounted.embedding set (autovacuum_enabled = off)")
        connection.execute(
            "insert into uncounted.embedding (agent, space, text_hash, piece, number, vector)"
            f" select {agent}, 1, decode(md5(n::text), 'hex'), 0, n, '[1,0,0]'"
            f" from generate_series(1, {vectors}) as n"
        )
        for number in range(rows):
            fact = builders.fact(f"fact {number}")
            own = {builders.digest(fact): builders.random_vectors(1, dimension=3, seed=number)}
            await store.commit(Operation(verb="add"), [Add(fact)], own)
        await store._server.read(lambda it: it.execute("select pg_stat_force_next_flush()"))
        await store._server.read(lambda it: it.execute("select 1"))
        read = connection.execute(
            "select sum(idx_tup_read), sum(seq_tup_read) from pg_stat_user_tables"
            " join (select relid, sum(idx_tup_read) as idx_tup_read from pg_stat_user_indexes group by 1) as i"
            " using (relid) where schemaname = 'uncounted' and relname = 'embedding'"
        ).fetchone()
        connection.execute("drop schema uncounted cascade")
    await store.close()
    assert read is not None
    assert sum(map(int, read)) < 10 * rows
