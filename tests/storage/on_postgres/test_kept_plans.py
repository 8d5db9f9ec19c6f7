"""Plans that the server keeps: for what is looked up by keys, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from servers.postgres import PostgresServer

from agent_memory.errors import BackendError
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.retrieval import VectorRequest
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import put

from .conftest import empty

pytestmark = pytest.mark.anyio

FROM, DIMENSION = 50, 8


async def _store(server: PostgresServer, **options: Any) -> PostgresStore:
    store = PostgresStore("a", url=empty(server), pool_size=1, graph_from=FROM, **options)
    await store.open()
    await store.add_space(builders.space(dimension=DIMENSION))
    return store


async def _filled(store: PostgresStore, count: int = 2 * FROM) -> list[str]:
    vectors = builders.random_vectors(count, dimension=DIMENSION, seed=1)
    facts = [builders.fact(f"fact {number}", tags=("even",) * (number % 2 == 0)) for number in range(count)]
    own = {builders.digest(fact): [vector] for fact, vector in zip(facts, vectors, strict=True)}
    return [fact.id for fact in await put(store, *facts, vectors=own)]


async def _mode(store: PostgresStore) -> str:
    async def unit(connection: Connection) -> str:
        row = await (await connection.execute("select current_setting('plan_cache_mode')")).fetchone()
        return str(row[0])

    return await store._server.read(unit)


async def _plans(store: PostgresStore, part: str) -> tuple[int, int]:
    """Return how often prepared statements with a text in them were run by a plan kept, and by one of their own."""

    async def unit(connection: Connection) -> tuple[int, int]:
        query = (
            "select coalesce(sum(generic_plans), 0), coalesce(sum(custom_plans), 0) from pg_prepared_statements"
            " where position(%s in statement) > 0 and position('pg_prepared' in statement) = 0"
        )
        row = await (await connection.execute(query, (part,), prepare=False)).fetchone()
        return int(row[0]), int(row[1])

    return await store._server.read(unit)


async def test_looking_up_keeps_plans_and_filtering_does_not(newest: PostgresServer) -> None:
    store = await _store(newest)
    ids = await _filled(store)
    even = Where(tags_all=("even",))
    vector = builders.random_vectors(1, dimension=DIMENSION, seed=2)[0]
    for _ in range(20):
        assert len(await store.by_vector(vector, Where(), 10)) == 10
        assert len(await store.get(ids[:10])) == 10
    for _ in range(20):
        assert len(await store.by_vector(vector, even, 10)) == 10
        assert await store.count(even) == len(ids) // 2
    kept, own = await _plans(store, "and id = wanted.id")
    assert kept >= 10
    assert own == 0
    kept, own = await _plans(store, "with near as")
    assert kept >= 10
    assert own == 0
    for part in ("count(*) from memory", "with admitted as"):
        kept, own = await _plans(store, part)
        assert kept == 0, part
        assert own >= 10, part
    assert await _mode(store) == "force_custom_plan"
    await store.close()


async def test_look_ups_between_other_reads_change_nothing(newest: PostgresServer) -> None:
    """A session that went there and back for each would take longer than planning one does."""
    store = await _store(newest)
    ids = await _filled(store)
    await store.by_vector(builders.random_vectors(1, dimension=DIMENSION, seed=2)[0], Where(), 5)
    for _ in range(20):
        assert len(await store.get(ids[:3])) == 3
        assert await store.count(Where()) == len(ids)
    kept, own = await _plans(store, "and id = wanted.id")
    assert kept == 0
    assert own >= 10
    await store.close()


async def test_a_transaction_keeps_no_plans_and_leaves_the_session_as_it_was(newest: PostgresServer) -> None:
    store = await _store(newest)
    ids = await _filled(store)
    modes = []

    async def unit(connection: Connection) -> None:
        row = await (await connection.execute("select current_setting('plan_cache_mode')")).fetchone()
        modes.append((row[0], connection.plans.kept))

    await store.by_vector(builders.random_vectors(1, dimension=DIMENSION, seed=2)[0], Where(), 5)
    for _ in range(10):
        await store.get(ids[:2])
    await store._server.write(unit)
    await store._server.read_whole(unit)
    assert modes == [("force_custom_plan", True)] * 2
    assert await _mode(store) == "force_custom_plan"
    await store._server.read_whole(unit)
    assert modes[-1] == ("force_custom_plan", False)
    await store.close()


async def test_a_look_up_that_fails_changes_no_plans_of_what_comes_after(newest: PostgresServer) -> None:
    store = await _store(newest)
    await _filled(store)

    async def unit(connection: Connection) -> None:
        with connection.looking_up(in_large=True):
            await connection.execute("select 1 / (random() * 0)::int")

    for _ in range(10):
        with pytest.raises(BackendError):
            await store._server.read(unit)
    assert await _mode(store) == "force_custom_plan"
    await store.close()


def _rows_read(connection: psycopg.Connection[Any], tables: Sequence[str]) -> int:
    row = connection.execute(
        "select sum(i.idx_tup_read) + sum(seq_tup_read) from pg_stat_user_tables"
        " join (select relid, sum(idx_tup_read) as idx_tup_read from pg_stat_user_indexes group by 1) as i"
        " using (relid) where schemaname = 'uncounted' and relname = any(%s)",
        (list(tables),),
    ).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_plan_that_was_kept_while_the_tables_were_small_reads_a_few_rows_of_full_ones(
    newest: PostgresServer,
) -> None:
    rounds, wanted = 10, 10
    store = await _store(newest, schema="uncounted")
    tables = ("memory", "semantic", "usage")
    with psycopg.connect(newest.url, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"alter table uncounted.{table} set (autovacuum_enabled = off)")
        first = await _filled(store, FROM)
        vector = builders.random_vectors(1, dimension=DIMENSION, seed=2)[0]
        for _ in range(20):
            await store.by_vector(vector, Where(), 5)
            await store.get(first[:5])
        ids: list[str] = []
        read: list[int] = []
        for start in range(0, 2000, 50):  # as few at once as nobody has the server count again for
            facts = [builders.fact(f"fact {number}", tags=("a",)) for number in range(start, start + 50)]
            ids += [fact.id for fact in await put(store, *facts)]
        for _ in range(100):  # the server did not count, so they are made anew now
            await store.get(ids[:1])
        for _ in range(2):
            await store._server.read(lambda it: it.execute("select pg_stat_force_next_flush()"))
            await store._server.read(lambda it: it.execute("select 1"))
            read.append(_rows_read(connection, tables))
            for start in range(rounds):
                assert len(await store.get(ids[start : start + wanted])) == wanted
        kept, _ = await _plans(store, "and id = wanted.id")
        connection.execute("drop schema uncounted cascade")
    await store.close()
    assert kept >= rounds
    assert read[1] - read[0] <= 4 * rounds * wanted


async def test_a_search_after_another_process_changed_the_space_asks_again(newest: PostgresServer) -> None:
    store = await _store(newest)
    await _filled(store)
    vector = builders.random_vectors(1, dimension=DIMENSION, seed=3)[0]
    for _ in range(8):
        assert len(await store.by_vector(vector, Where(), 5)) == 5
    other = PostgresStore("a", url=newest.url, graph_from=FROM)
    await other.open()
    await other.switch_space(await other.add_space(builders.space("another", dimension=DIMENSION)))
    assert await store.by_vector(vector, Where(), 5) == []
    fact = builders.fact("of the new space")
    (stored,) = await put(other, fact, vectors={builders.digest(fact): [vector]})
    for where in (Where(), Where(types=(stored.memory_type,))):
        assert [found for found, _ in await store.by_vector(vector, where, 5)] == [stored.id]
    request = VectorRequest(vector, Where(), 5)
    assert list((await store.vector_candidates(request)).nearest) == [stored.id]
    await other.close()
    await store.close()


async def test_an_answer_without_memories_is_the_callers_own(newest: PostgresServer) -> None:
    store = PostgresStore("a", url=empty(newest))
    await store.open()
    vector = builders.vector(1)
    (await store.by_vector(vector, Where(), 5)).append(("ghost", 1.0))
    assert await store.by_vector(vector, Where(), 5) == []
    await store.close()
