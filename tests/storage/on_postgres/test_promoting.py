"""Tables with an HNSW index, one for each agent with many vectors: made, kept right, dropped."""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from servers.counting import Relay
from servers.postgres import PostgresServer

from agent_memory.records import MemoryRecord
from agent_memory.storage.changes import Operation, Remove
from agent_memory.storage.postgres import PostgresStore, hnsw, migrate, promoting
from agent_memory.storage.postgres.batch import run
from agent_memory.storage.postgres.hnsw import Hnsw, IndexKind, State
from agent_memory.storage.retrieval import VectorRequest
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import put

from .conftest import empty

pytestmark = pytest.mark.anyio

FROM = 50
DIMENSION = 16


class Filled:
    """A store with facts, each with a vector of its own."""

    def __init__(self, server: PostgresServer, agent_id: str = "tester", **options: Any) -> None:
        self.server = server
        self.store = PostgresStore(agent_id, url=server.url, graph_from=FROM, **options)
        self.facts: list[MemoryRecord] = []
        self.vectors: list[bytes] = []

    async def add(self, count: int, seed: int = 1, *, at_once: bool = True) -> None:
        """Store so many facts, in one write or each by itself."""
        new = [builders.fact(f"fact {seed}.{number}") for number in range(count)]
        own = builders.random_vectors(count, dimension=DIMENSION, seed=seed)
        for part in [range(count)] if at_once else [[item] for item in range(count)]:
            given = {builders.digest(new[item]): [own[item]] for item in part}
            self.facts += await put(self.store, *(new[item] for item in part), vectors=given)
        self.vectors += own

    async def erase(self, count: int) -> None:
        """Erase the first facts, in one write."""
        gone, self.facts, self.vectors = self.facts[:count], self.facts[count:], self.vectors[count:]
        await self.store.commit(Operation(verb="purge"), [Remove(item, erase=True) for item in gone])

    @property
    def space_id(self) -> int:
        return 1

    @property
    def table(self) -> str:
        return hnsw.table_name(self.store._server.scope, self.space_id)

    async def state(self) -> Hnsw:
        scope = self.store._server.scope
        return await self.store._server.read(lambda it: hnsw.hnsw_of(it, scope))

    async def kind(self) -> IndexKind:
        scope = self.store._server.scope

        async def unit(connection: Any) -> IndexKind:
            sql, _ = hnsw.kind_query(scope)
            return hnsw.kind_of(await (await connection.execute(sql)).fetchall())

        return await self.store._server.read(unit)

    def rows(self, query: str) -> list[Any]:
        """Ask the server directly."""
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute("set search_path to agentmem, public")
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    async def finds_all(self) -> None:
        """See that each fact is nearest to its own vector, with the index that there is or without."""
        for fact, vector in list(zip(self.facts, self.vectors, strict=True))[:: max(1, len(self.facts) // 8)]:
            (nearest, cosine), *_ = await self.store.by_vector(vector, Where(), 5)
            assert nearest == fact.id
            assert cosine == pytest.approx(1, abs=1e-6)


async def opened_with(filled: Filled, count: int) -> Filled:
    """Open the store of an empty server and fill it."""
    await filled.store.open()
    await filled.store.add_space(builders.space(dimension=DIMENSION))
    if count:
        await filled.add(count)
    return filled


@pytest.fixture
def server(newest: PostgresServer) -> PostgresServer:
    empty(newest)
    return newest


async def test_an_agent_that_grows_gets_a_table_and_keeps_it_up(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM - 1)
    assert await filled.state() == Hnsw()
    await filled.add(FROM, 2)
    assert (await filled.state(), await filled.kind()) == (Hnsw(1, State.LIVE), IndexKind.TABLE)
    await filled.finds_all()
    await filled.add(3, 3, at_once=False)
    await filled.erase(10)
    await filled.finds_all()
    assert filled.rows(f"select count(*) from {filled.table}") == [(len(filled.facts),)]
    assert await filled.store.check() == []
    await filled.store.close()
    await _uses_index(filled)


async def _uses_index(filled: Filled) -> None:
    with psycopg.connect(filled.server.url) as connection:
        connection.execute("set search_path to agentmem, public")
        connection.execute("set enable_seqscan to off")
        connection.execute("set enable_sort to off")
        vector = connection.execute("select vector::text from embedding limit 1").fetchall()[0][0]
        # As `nearest` asks: the query's vector is of full precision, the column may be of half.
        query = f"explain select number from {filled.table} order by vector <=> %s::vector limit 5"
        plan = "\n".join(row[0] for row in connection.execute(query, (vector,)))
        assert f"{filled.table}_nearest" in plan


async def test_many_small_writes_come_to_an_index_and_single_ones_to_a_hint(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 0)
    for seed in range(3):
        await filled.add(FROM // 2, seed)
    assert await filled.kind() is IndexKind.TABLE
    await promoting.demote(filled.store._server, filled.store._server.scope)
    await filled.add(FROM, 7, at_once=False)
    details = (await filled.store.describe()).details
    assert [details[f"vector_index{part}"] for part in ("", "_missing", "_refused")] == [False, True, False]
    await filled.store.rebuild()
    details = (await filled.store.describe()).details
    assert [details[f"vector_index{part}"] for part in ("", "_missing", "_refused")] == [True, False, False]
    await filled.store.close()


async def test_a_portion_takes_one_round_trip_and_a_write_meanwhile_too(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 0)
    filled.store._hnsw_from = 10**6
    await filled.add(100)
    async with Relay(server.url) as relay:
        made = PostgresStore("tester", url=relay.url, graph_from=10**6, pool_size=1)
        await made.open()
        (space,), scope = await made.spaces(), made._server.scope
        kind = hnsw.type_of(space, made._server.pgvector)
        assert kind is not None
        await promoting._make_table(made._server, scope, space, kind)
        relay.round_trips = 0
        await made._server.write_at_once(
            lambda it, frame: run(it, promoting._portion(scope, space, frame, 60)), _nothing
        )
        assert relay.round_trips == 1
        assert await filled.state() == Hnsw(1, State.COPYING)
        fact, relay.round_trips = builders.fact("meanwhile"), 0
        await put(made, fact, vectors={builders.digest(fact): [builders.vector(1, dimension=DIMENSION)]})
        assert relay.round_trips == 1
        await promoting._copy(made._server, scope, space)
        assert await filled.state() == Hnsw(1, State.INDEXING)
        await made.close()
    assert filled.rows(f"select count(*), max(number) from {filled.table}") == [(101, 101)]
    await filled.store.close()


async def test_a_table_that_was_left_over_is_made_anew(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 0)
    filled.rows(f"create table {filled.table} (number bigint primary key, vector vector(3))")
    await filled.add(FROM + 10)
    assert (await filled.state(), await filled.kind()) == (Hnsw(1, State.LIVE), IndexKind.TABLE)
    await filled.finds_all()
    assert await filled.store.check() == []
    await filled.store.close()


async def test_with_an_old_pgvector_the_table_holds_full_precision(oldest: PostgresServer) -> None:
    empty(oldest)
    filled = await opened_with(Filled(oldest), 2 * FROM)
    assert await filled.kind() is IndexKind.TABLE
    await filled.finds_all()
    assert await filled.store.check() == []
    await _uses_index(filled)
    await filled.store.close()


async def test_an_agent_that_shrinks_loses_its_table_and_may_get_it_again(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 2 * FROM + 30)
    name = filled.table
    await filled.erase(2 * FROM)
    assert await filled.kind() is IndexKind.TABLE  # half as many may be left
    await filled.erase(20)
    await filled.store.rebuild()
    assert (await filled.state(), await filled.kind()) == (Hnsw(), IndexKind.NONE)
    assert filled.rows(f"select to_regclass('{name}')") == [(None,)]
    await filled.finds_all()
    await filled.add(FROM, 2)
    assert await filled.kind() is IndexKind.TABLE
    await filled.finds_all()
    await filled.erase(FROM)
    assert await filled.kind() is IndexKind.NONE
    await filled.store.close()


async def test_another_space_gets_a_table_of_its_own_once_it_is_the_current_one(
    server: PostgresServer,
) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    second = await filled.store.add_space(builders.space("second", dimension=DIMENSION))
    own = builders.random_vectors(len(filled.facts), dimension=DIMENSION, seed=9)
    given = {builders.digest(fact): [one] for fact, one in zip(filled.facts, own, strict=True)}
    await filled.store.put_vectors(second, given)
    assert await filled.state() == Hnsw(1, State.LIVE)
    await filled.store.switch_space(second)
    assert await filled.state() == Hnsw(2, State.LIVE)
    filled.vectors = own
    await filled.finds_all()
    assert filled.rows("select relname from pg_class where relname ~ '^embedding_hnsw_[0-9]+_1$'") == []
    assert await filled.store.check() == []
    await filled.store.close()


async def test_a_search_goes_on_where_the_table_is_dropped_in_between(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    made = filled.store
    space = (await made.spaces())[0]
    await promoting.demote(made._server, made._server.scope)
    made._kind = (space.id, IndexKind.TABLE)  # as another search learnt it a moment before
    request = VectorRequest(vector=filled.vectors[3], where=Where(), limit=5, space=space, sample=4)
    found = await made.vector_candidates(request)
    assert next(iter(found.nearest)) == filled.facts[3].id
    await made.close()


async def test_single_writes_follow_a_table_that_is_made_and_dropped_by_somebody_else(
    server: PostgresServer,
) -> None:
    filled = await opened_with(Filled(server), FROM - 10)
    await filled.add(2, 2, at_once=False)
    other = Filled(server)
    await other.store.open()
    await other.add(FROM, 3)
    await filled.add(5, 4, at_once=False)
    assert filled.rows(f"select count(*) from {filled.table}") == [(2 * FROM - 3,)]
    assert filled.store._server.scope.index_space == filled.space_id  # the first looked, the others knew
    await promoting.demote(other.store._server, other.store._server.scope)
    await filled.add(5, 5, at_once=False)
    assert await filled.state() == Hnsw()
    await filled.finds_all()
    assert await filled.store.check() == []
    await filled.store.close()
    await other.store.close()


async def test_a_database_that_was_restored_without_the_tables_goes_on(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    filled.rows(f"drop table {filled.table}")
    assert await filled.kind() is IndexKind.NONE
    await filled.add(3, 2, at_once=False)
    await filled.erase(3)
    await filled.finds_all()
    assert await filled.store.check() == ["the vector index is not there"]
    await filled.add(FROM, 3)
    assert (await filled.state(), await filled.kind()) == (Hnsw(1, State.LIVE), IndexKind.TABLE)
    assert await filled.store.check() == []
    await filled.store.close()


async def test_dropping_an_agent_drops_its_table_and_nobody_elses(server: PostgresServer) -> None:
    one = await opened_with(Filled(server, "one"), FROM + 10)
    other = await opened_with(Filled(server, "other"), FROM + 10)
    gone, kept = one.table, other.table
    with psycopg.connect(server.url) as reader:
        # Somebody who reads the other agent's table, and all vectors, holds nobody up.
        reader.execute(f"select count(*) from agentmem.{kept}, agentmem.embedding")
        await asyncio.wait_for(one.store.drop(), 5)
    query = f"select to_regclass('{gone}') is null, to_regclass('{kept}') is null"
    assert other.rows(query) == [(True, False)]
    await other.finds_all()
    await other.store.close()


# --- interrupted -----------------------------------------------------------------------------------------------


async def test_what_was_interrupted_while_copying_goes_on(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 0)
    made, scope = filled.store, filled.store._server.scope
    made._hnsw_from = 10**6
    await filled.add(100)
    (space,) = await made.spaces()
    kind = hnsw.type_of(space, made._server.pgvector)
    assert kind is not None
    await made._server.write(lambda it: promoting._begin(it, made._server, scope, space, kind))
    await made._server.write_at_once(
        lambda it, frame: run(it, promoting._portion(scope, space, frame, 30)), _nothing
    )
    assert filled.rows(f"select max(number) from {filled.table}") == [(30,)]
    assert await made.check() == []
    # What is written meanwhile: erased from both, added to the vectors alone; also the highest number that is copied.
    await filled.erase(31)
    await filled.add(5, 2)
    assert filled.rows(f"select count(*) from {filled.table}") == [(0,)]
    assert (await filled.state(), await filled.kind()) == (Hnsw(1, State.COPYING), IndexKind.NONE)
    assert await made.check() == []
    made._hnsw_from = FROM
    await filled.add(FROM, 3)
    assert await filled.state() == Hnsw(1, State.LIVE)
    await filled.finds_all()
    assert await made.check() == []
    await made.close()


async def _nothing() -> None:
    """Know of nothing that was stored."""


async def test_an_index_that_was_not_finished_is_made_anew(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    filled.rows(
        f"update pg_index set indisvalid = false where indexrelid = '{filled.table}_nearest'::regclass"
    )
    filled.rows("update agent set hnsw_state = 'indexing'")
    assert await filled.kind() is IndexKind.NONE
    await filled.finds_all()
    await filled.add(FROM, 2)
    assert await filled.kind() is IndexKind.TABLE
    query = f"select indisvalid from pg_index where indexrelid = '{filled.table}_nearest'::regclass"
    assert filled.rows(query) == [(True,)]
    assert await filled.store.check() == []
    await filled.store.close()


async def test_writers_and_several_who_promote_may_come_together(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server, pool_size=6), 0)
    made, scope = filled.store, filled.store._server.scope
    made._hnsw_from = 10**6
    await filled.add(400)
    (space,) = await made.spaces()
    done = asyncio.Event()

    async def write() -> None:
        for seed in range(100, 1000):
            await filled.add(1, seed)
            await filled.erase(1)
            if done.is_set():
                return

    async def promote() -> None:
        with suppress(Exception):
            await promoting.promote(made._server, scope, space)
        done.set()

    await asyncio.gather(write(), promote(), promote())
    await promoting.promote(made._server, scope, space)
    assert await filled.state() == Hnsw(1, State.LIVE)
    assert await made.check() == []
    await filled.finds_all()
    await made.close()


# --- earlier versions ------------------------------------------------------------------------------------------


def _made_old(filled: Filled) -> None:
    """Turn the tables into those of the third version, with its kind of index."""
    number = filled.store._server.agent
    filled.rows(
        'alter table agent add column id text collate "C";'
        " update agent set id = (select id from agent_name as n where n.number = agent.number);"
        " alter table agent alter column id set not null, add unique (id),"
        " alter column number add generated by default as identity; drop table agent_name cascade;"
        " select setval(pg_get_serial_sequence('agent', 'number'), max(number)) from agent"
    )
    filled.rows(
        f"drop table {filled.table}; alter table agent drop column hnsw_space, drop column hnsw_state;"
        " delete from schema_version where version >= 4;"
        f"create index embedding_graph_{number}_1 on embedding using hnsw"
        f" ((vector::vector({DIMENSION})) vector_cosine_ops) where agent = {number} and space = 1"
    )


async def test_an_index_of_an_earlier_version_serves_until_there_is_a_table(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    await filled.store.close()
    _made_old(filled)
    assert await filled.store.list_agents() == [filled.store.requested_agent]
    reader = psycopg.connect(server.url)
    reader.execute("select count(*) from agentmem.agent")  # a transaction that the first step has to wait for
    opening = asyncio.create_task(filled.store.open())
    await asyncio.sleep(0.5)
    with psycopg.connect(server.url) as other:
        # Others go on meanwhile: whoever waits for the reader waits briefly.
        other.execute("set lock_timeout to '400ms'")
        assert other.execute("select count(*) from agentmem.agent").fetchall() == [(1,)]
    assert not opening.done()
    reader.close()
    await opening
    assert filled.store._server.version == migrate.newest_version() >= 4
    assert await filled.kind() is IndexKind.PARTIAL
    await filled.finds_all()
    await filled.add(3, 2)
    assert (await filled.store.describe()).details["vector_index"] is True
    assert await filled.store.check() == []
    await filled.store.rebuild()
    assert await filled.kind() is IndexKind.TABLE
    assert filled.rows("select 1 from pg_class where relname like 'embedding_graph_%'") == []
    await filled.finds_all()
    await filled.store.close()


@pytest.mark.soak
async def test_a_migration_that_is_killed_again_and_again_loses_nothing() -> None:
    program = (
        "import asyncio, sys; from agent_memory.storage.postgres import PostgresStore\n"
        f"async def main():\n    store = PostgresStore('tester', url=sys.argv[1], graph_from={FROM})\n"
        "    await store.open(); print(flush=True)\n"
        "    await store._keep_index_fitting(20000); await store.close()\n"
        "asyncio.run(main())"
    )
    chance, killed, states = random.Random(5), 0, set()
    with PostgresServer(durable=True) as server:
        filled = await opened_with(Filled(server), FROM)
        await filled.add(20_000, 2)
        await filled.store.close()
        _made_old(filled)
        await filled.store.open()
        filled.store._hnsw_from = 10**9  # only the others make it
        for number in range(60):
            running = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, server.url, stdout=asyncio.subprocess.PIPE
            )
            assert running.stdout is not None
            await running.stdout.readline()
            with suppress(TimeoutError):
                await asyncio.wait_for(running.wait(), chance.uniform(0, 0.3 + number**2 / 40))
            if running.returncode is None:
                running.kill()
                killed += 1
                if number % 2 == 0:
                    server.kill()
                    server.start()
            await running.wait()
            await filled.add(3, 100 + number, at_once=False)
            await filled.erase(2)
            states.add((await filled.state()).state)
            await filled.finds_all()
            assert await filled.store.check() == []
            if running.returncode == 0 and (await filled.state()).state == State.LIVE:
                break
        print(f"killed {killed} times, in the states {states}")
        assert killed
        filled.store._hnsw_from = FROM
        await filled.store.rebuild()
        assert (await filled.state()).state == State.LIVE
        assert await filled.store.check() == []
        assert filled.rows("select 1 from pg_class where relname like 'embedding_graph_%'") == []
        await filled.finds_all()
        await filled.store.close()


# --- found by doctor ---------------------------------------------------------------------------------------------


DAMAGE = {
    "delete from {table} where number = 7": "the vector index differs from the vectors in 1",
    "insert into {table} select 7000, vector from {table} limit 1": "the vector index differs from the vectors in 1",
    "update {table} set vector = (select vector from {table} where number = 8) where number = 7": (
        "the vector index differs from the vectors in 1"
    ),
    "drop index {table}_nearest": "the vector index is not there",
    "drop table {table}": "the vector index is not there",
    "update agent set hnsw_space = null, hnsw_state = null": "vector indexes that nobody uses are kept: {table}",
    "create table embedding_hnsw_99999_1 ()": "vector indexes that nobody uses are kept: embedding_hnsw_99999_1",
}


async def test_doctor_finds_what_is_wrong_with_an_index_and_mends_it(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), FROM + 10)
    for damage, said in DAMAGE.items():
        filled.rows(damage.format(table=filled.table))
        assert await filled.store.check() == [said.format(table=filled.table)], damage
        await filled.store.rebuild()
        assert await filled.store.check() == [], damage
        assert await filled.state() == Hnsw(1, State.LIVE), damage
    await filled.finds_all()
    await filled.store.close()


# --- who may read it ---------------------------------------------------------------------------------------------


async def test_with_policies_nobody_sees_the_table_of_another_agent(newest: PostgresServer) -> None:
    with psycopg.connect(newest.url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = 'plain'").fetchone() is None:
            connection.execute("create role plain login")
        connection.execute("create extension if not exists vector")
        connection.execute("grant create on database postgres to plain")
        connection.execute("drop schema if exists policed cascade")

    def made(agent_id: str, *, policed: bool) -> Filled:
        filled = Filled(newest, agent_id, schema="policed", row_level_security=policed)
        filled.store._server.url = newest.url.replace("postgres@", "plain@")
        return filled

    before = await opened_with(made("before", policed=False), FROM + 10)
    one = await opened_with(made("one", policed=True), FROM + 10)
    other = await opened_with(made("other", policed=True), FROM + 10)

    async def count(filled: Filled, table: str) -> int:
        async def unit(connection: Any) -> int:
            return int((await (await connection.execute(f"select count(*) from {table}")).fetchall())[0][0])

        return await filled.store._server.read(unit)

    for filled in (before, one):
        assert await count(filled, filled.table) == FROM + 10
        assert await count(other, filled.table) == 0
        await filled.finds_all()
        assert await filled.store.check() == []
    for filled in (before, one, other):
        await filled.store.close()


async def test_who_may_use_the_vectors_may_use_the_table(server: PostgresServer) -> None:
    filled = await opened_with(Filled(server), 0)
    filled.rows(
        "drop role if exists reader; create role reader login; grant usage on schema agentmem to reader;"
        " grant select on all tables in schema agentmem to reader"
    )
    await filled.add(FROM + 10)
    filled.rows(f"set role reader; select count(*) from {filled.table}; reset role; drop owned by reader")
    await filled.store.close()
