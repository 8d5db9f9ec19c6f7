"""What only PostgreSQL does: many agents, policies, graphs, migrations; and servers that refuse or vanish."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from servers.ports import free_port
from servers.postgres import NEWEST, OLDEST, PostgresServer
from servers.surviving import survives

from agent_memory import MemoryConfig
from agent_memory.errors import (
    BackendError,
    ConfigurationError,
    IntegrityError,
    MissingExtensionError,
    StoreBusyError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.records import OWN_FIELDS, MemoryType, OwnField
from agent_memory.storage.postgres import PostgresStore, declared, migrate
from agent_memory.storage.postgres.failures import translated
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, opened, put
from agent_memory.text.bm25 import bm25_score

from ..damaged import history_stops_nothing_but_itself, stops_nothing_but_itself
from .conftest import empty

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[NEWEST, OLDEST])
def server(request: pytest.FixtureRequest) -> PostgresServer:
    """Each version in turn, empty."""
    found: PostgresServer = request.getfixturevalue({NEWEST: "newest", OLDEST: "oldest"}[request.param])
    empty(found)
    return found


def store(server: PostgresServer, agent_id: str = "tester", **options: Any) -> PostgresStore:
    return PostgresStore(agent_id, url=server.url, **options)


# --- what is in it ---------------------------------------------------------------------------------------------


async def test_a_person_finds_six_tables(newest: PostgresServer) -> None:
    empty(newest)
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        await put(made, builders.fact("apples", tags=("fruit",)), builders.event("rain"))
    with psycopg.connect(newest.url) as connection:
        query = (
            "select a.id, m.content, o.kind from agentmem.agent_name a join agentmem.memory m on m.agent = a.number"
            " join agentmem.long_term o on o.agent = m.agent and o.memory = m.place"
        )
        assert connection.execute(query).fetchall() == [("tester", "apples", "fact")]


async def test_a_word_that_comes_often_counts_as_often(server: PostgresServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        counts = [1, 2, 3, 7, 40, 200, 255]
        for count in counts:
            await put(made, builders.event("apple " * count + "pear " * (300 - count)))
        known = await made.word_statistics(["apple"])
        found = dict(await made.by_keyword(["apple"], Where(), 100))
        records = await made.get(list(found))
        for memory_id, score in found.items():
            words = records[memory_id].content.split()
            # An event's type and date are words of it too.
            expected = bm25_score({"appl": words.count("apple")}, 300 + 5, known)
            assert score == pytest.approx(expected, rel=1e-6)


async def test_agents_of_one_database_have_statistics_of_their_own(newest: PostgresServer) -> None:
    url = empty(newest)
    for number in range(20):
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url), f"agent {number}") as made:
            await put(made, *(builders.event(f"apple {item}") for item in range(number + 1)))
            assert (await made.word_statistics(["apple"])).documents == number + 1
            assert len(await made.by_keyword(["apple"], Where(), 100)) == number + 1


async def test_with_policies_the_server_itself_keeps_agents_apart(server: PostgresServer) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_roles where rolname = 'plain'").fetchone() is None:
            connection.execute("create role plain login")
        connection.execute("create extension if not exists vector")
        connection.execute("grant create on database postgres to plain")
        connection.execute("drop schema if exists policed cascade")
    url = server.url.replace("postgres@", "plain@")

    def policed(agent_id: str) -> PostgresStore:
        return PostgresStore(agent_id, url=url, schema="policed", row_level_security=True)

    async with opened(policed) as made:
        await put(made, builders.fact("mine"))
        async with opened(policed, "somebody else") as other:
            await put(other, builders.fact("theirs"))
            number = made._server.agent
            seen = await other._server.read(lambda it: _contents(it, f"where agent = {number}"))
            assert seen == []
            assert await other._server.read(lambda it: _contents(it, "")) == ["theirs"]
            with pytest.raises(BackendError, match="policy"):
                await _intrude(other, number)
        assert await made.count(EVERYTHING) == 1


async def _contents(connection: Any, condition: str) -> list[str]:
    found = await (await connection.execute(f"select content from memory {condition}")).fetchall()
    return [row[0] for row in found]


async def _intrude(made: PostgresStore, agent: int) -> None:
    async def unit(connection: Any) -> None:
        await connection.execute("insert into setting values (%s, 'x', 'y')", (agent,))

    await made._server.write(unit)


# --- vectors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", [32, 3072])
async def test_a_graph_finds_what_comparing_finds(server: PostgresServer, dimension: int) -> None:
    count = 2500 if dimension == 32 else 400
    supply = builders.random_vectors(count, dimension=dimension, seed=3)
    facts = [builders.fact(str(number), tags=("rare",) * (number % 100 == 0)) for number in range(count)]
    given = {builders.digest(record): [item] for record, item in zip(facts, supply, strict=True)}
    async with opened(lambda agent_id: store(server, agent_id, graph_from=300)) as made:
        await made.add_space(builders.space(dimension=dimension))
        await put(made, *facts, vectors=given)
        able = dimension <= 2000 or made._server.pgvector >= (0, 7)
        assert (await made.describe()).details["vector_index"] is able
        for query in builders.random_vectors(5, dimension=dimension, seed=4):
            cosines = {item.id: builders.cosine(query, one) for item, one in zip(facts, supply, strict=True)}
            best = sorted(cosines, key=lambda item: -cosines[item])
            found = await made.by_vector(query, Where(), 10)
            assert len(set(best[:10]) & {memory_id for memory_id, _ in found}) >= 8
            for memory_id, cosine in found:
                assert cosine == pytest.approx(cosines[memory_id], abs=5e-4)
            rare = [fact.id for fact in facts if fact.tags]
            few = await made.by_vector(query, Where(tags_any=("rare",)), 10)
            assert [memory_id for memory_id, _ in few] == [item for item in best if item in set(rare)][:10]
        # A filter that the graph cannot know, and that admits more than a few.
        late = Where(created=None, metadata=(), min_importance=0.4)
        assert len(await made.by_vector(query, late, 100)) == 100
        await made.rebuild()
        assert await made.check() == []


async def test_there_are_no_more_graphs_than_others_bear(newest: PostgresServer) -> None:
    def with_graph(agent_id: str) -> PostgresStore:
        made = store(newest, agent_id, graph_from=50)
        made._most_hnsw_indexes = 2
        return made

    async def filled(made: PostgresStore) -> tuple[bool, bool]:
        await made.add_space(builders.space(dimension=32))
        facts = [builders.fact(str(number)) for number in range(60)]
        supply = builders.random_vectors(60, dimension=32, seed=3)
        await put(
            made,
            *facts,
            vectors={builders.digest(one): [vector] for one, vector in zip(facts, supply, strict=True)},
        )
        assert len(await made.by_vector(supply[0], Where(), 5)) == 5
        details = (await made.describe()).details
        return details["vector_index"], details["vector_index_refused"]

    url = empty(newest)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists agentmem cascade")
    async with opened(with_graph, "one") as one, opened(with_graph, "two") as two:
        assert [await filled(one), await filled(two)] == [(True, False)] * 2
        async with opened(with_graph, "three") as three:
            assert await filled(three) == (False, True)
            await _dropped_beside_a_reader(newest, one)
            await three.rebuild()
            assert (await three.describe()).details["vector_index"] is True


async def _dropped_beside_a_reader(server: PostgresServer, made: PostgresStore) -> None:
    """Drop an agent while somebody reads vectors: nobody else waits for that."""
    with psycopg.connect(server.url) as reader:
        reader.execute("select count(*) from agentmem.embedding")  # and keeps its transaction open
        dropping = asyncio.create_task(made.drop())
        await asyncio.sleep(0.5)
        with psycopg.connect(server.url) as other:
            other.execute("set lock_timeout to '100ms'")
            other.execute("select count(*) from agentmem.embedding")
        reader.rollback()
        await dropping


# --- setting up ------------------------------------------------------------------------------------------------


async def test_many_processes_may_make_the_tables_at_once(newest: PostgresServer) -> None:
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("drop schema if exists crowd cascade")
    program = (
        "import asyncio, sys; from agent_memory.storage.postgres import PostgresStore\n"
        "async def main():\n"
        "    store = PostgresStore('tester', url=sys.argv[1], schema='crowd'); await store.open()\n"
        "    print(await store.count(__import__('agent_memory.storage.where').storage.where.Where()))\n"
        "    await store.close()\n"
        "asyncio.run(main())"
    )
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, newest.url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(5)
    ]
    assert [(await item.communicate())[0] for item in running] == [b"0\n"] * 5


async def test_tables_of_a_later_version_are_left_alone(newest: PostgresServer) -> None:
    url = empty(newest)
    await _later(newest)
    try:
        with pytest.raises(IntegrityError, match="version 99"):
            await PostgresStore("tester", url=url).open()
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("delete from agentmem.schema_version where version = 99")


async def _later(server: PostgresServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)):
        pass
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("insert into agentmem.schema_version values (99)")


def test_no_two_steps_have_one_number_and_none_is_left_out() -> None:
    numbers = [number for number, _ in migrate.steps()]
    declared = {field.since for fields in OWN_FIELDS.values() for field in fields}
    assert len(numbers) == len(set(numbers))
    # SQLite had a fourth step before the two counted alike.
    assert {*numbers, *declared} - {4} == set(range(1, migrate.newest_version() + 1)) - {4}


async def test_what_the_records_declare_is_added_where_the_tables_lack_it(server: PostgresServer) -> None:
    fields = {
        **OWN_FIELDS,
        "goal": (OwnField("due", "text"), OwnField("progress", "real")),
        MemoryType.EPISODIC: (*OWN_FIELDS[MemoryType.EPISODIC], OwnField("mood", "text")),
    }
    async with opened(lambda agent_id: store(server, agent_id)) as first:
        await put(first, builders.event(), builders.fact())
        before = await first.select(Where())
        number = "select number from agent limit 1"
        insert = (
            "insert into memory (agent, place, id, type, content, importance, created_at, updated_at, status,"
            f" content_hash, embedded_hash, revision, length, lexemes) values (({number}), 99, 'g', %s, 'x', 0.5,"
            " now(), now(), 'active', '', '', 'r', 1, '')"
        )
        async with await psycopg.AsyncConnection.connect(server.url) as connection:
            await migrate.set_search_path(connection, "agentmem")
            for _ in range(2):
                await declared.add_missing(connection, fields)
            await connection.execute(insert, ("goal",))
            await connection.execute(
                f"insert into goal (agent, memory, due, progress) values (({number}), 99, 'May', 0.5)"
            )
            assert await (await connection.execute("select mood from episodic")).fetchall() == [(None,)]
            with pytest.raises(psycopg.errors.CheckViolation):
                await connection.execute(insert, ("nothing",))
            await connection.rollback()
        assert await first.select(Where()) == before


# --- servers that refuse or vanish -----------------------------------------------------------------------------


async def test_a_server_that_is_down_is_said_in_one_line() -> None:
    url = f"postgresql://user:secret@127.0.0.1:{free_port()}/x"
    with pytest.raises(StoreUnreachableError) as caught:
        await PostgresStore("tester", url=url, connect_timeout=1).open()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_refused_password_and_a_missing_database_are_said_in_one_line(tmp_path: Path) -> None:
    with PostgresServer(password="right-one") as server:
        wrong = server.url.replace("right-one", "wrong-one")
        for url, said in ((wrong, "password"), (f"{server.url}_none", "does not exist")):
            with pytest.raises(BackendError, match=said) as caught:
                await PostgresStore("tester", url=url).open()
            assert not isinstance(caught.value, StoreUnreachableError)
            assert "-one" not in str(caught.value)
            assert "\n" not in str(caught.value)
        secret = tmp_path / "password"
        secret.write_text("right-one\n")
        plain = server.url.replace(":right-one", "")
        async with opened(lambda agent_id: PostgresStore(agent_id, url=plain, password_file=secret)) as made:
            assert (await made.describe()).location == plain
        async with opened(lambda agent_id: store(server, agent_id)) as made:
            assert "right-one" not in (await made.describe()).location


async def test_a_database_that_takes_no_writes_is_said_to_be_read_only(newest: PostgresServer) -> None:
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        (kept,) = await put(made, builders.fact("written before"))
        name = newest.url.rpartition("/")[2].partition("?")[0]
        with psycopg.connect(newest.url, autocommit=True) as connection:
            connection.execute(f'alter database "{name}" set default_transaction_read_only = on')
        try:
            async with opened(lambda agent_id: store(newest, agent_id)) as again:
                assert list(await again.get([kept.id])) == [kept.id]
                with pytest.raises(StoreReadOnlyError, match="primary"):
                    await put(again, builders.fact("written where nothing can be"))
        finally:
            with psycopg.connect(newest.url, autocommit=True) as connection:
                connection.execute("set default_transaction_read_only = off")
                connection.execute(f'alter database "{name}" reset default_transaction_read_only')


async def test_a_server_without_pgvector_is_said_in_one_line() -> None:
    with PostgresServer(without="vector") as server, pytest.raises(MissingExtensionError, match="pgvector"):
        await store(server).open()


@pytest.fixture(params=[NEWEST, OLDEST])
def durable(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with PostgresServer(request.param, durable=True) as server:
        yield server


async def test_nothing_acknowledged_is_lost_when_the_server_crashes(durable: PostgresServer) -> None:
    async with opened(lambda agent_id: store(durable, agent_id)) as made:
        await survives(made, durable, writers=5, writes=40)


# --- names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", ["odd \"s%c{h}'", "Größe", "a.b", "x" * 63])
async def test_a_schema_may_have_any_name(newest: PostgresServer, schema: str) -> None:
    for number in (1, 2):  # the second finds the tables of the first
        async with opened(lambda agent_id: store(newest, agent_id, schema=schema)) as made:
            await put(made, builders.fact(f"apples {number}"))
            assert len(await made.by_keyword(["appl"], Where(), 10)) == number
            assert await made.list_agents() == ["tester"]
            assert await made.check() == []
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))


@pytest.mark.parametrize("schema", ["", " ", "a\x00", "x" * 64, "ä" * 32, "pg_mine"])
def test_a_name_that_the_server_would_cut_off_or_refuse_is_no_schema(schema: str) -> None:
    with pytest.raises(ConfigurationError, match=r"backend_config.schema"):
        PostgresStore("tester", url="postgresql://h/db", schema=schema)


# --- what an administrator sets --------------------------------------------------------------------------------


@pytest.fixture
def role(newest: PostgresServer) -> Iterator[str]:
    """A role that is no superuser, in a schema with an agent; its rights and settings go with it."""
    empty(newest)
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("create role limited login")
        yield newest.url.replace("//postgres@", "//limited@")
        connection.execute("drop owned by limited; drop role limited")


def administer(server: PostgresServer, *statements: str) -> None:
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def test_who_may_only_read_reads_everything(newest: PostgresServer, role: str) -> None:
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        (fact,) = await put(made, builders.fact("apples"))
    administer(
        newest,
        "grant usage on schema agentmem to limited",
        "grant select on all tables in schema agentmem to limited",
    )
    async with opened(lambda agent_id: PostgresStore(agent_id, url=role)) as made:
        await made.touch([fact.id])  # which is not counted
        assert await made.count(Where()) == len(await made.by_keyword(["appl"], Where(), 10)) == 1
        with pytest.raises(BackendError, match="permission denied for table operation: let an administrator"):
            await put(made, builders.fact("more"))
    async with opened(lambda agent_id: PostgresStore(agent_id, url=role), "unknown") as made:
        assert await made.count(Where()) == 0
        with pytest.raises(BackendError, match="the agent 'unknown' is new, and may not be made known"):
            await put(made, builders.fact("more"))


@pytest.mark.parametrize("setting", ["datestyle = 'German, DMY'", "client_encoding = latin1"])
async def test_what_a_role_is_set_to_changes_nothing(newest: PostgresServer, role: str, setting: str) -> None:
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        await put(made, builders.fact("apples"))
    administer(
        newest,
        "grant usage on schema agentmem to limited",
        "grant all on all tables in schema agentmem to limited",
        f"alter role limited set {setting}",
    )
    async with opened(lambda agent_id: PostgresStore(agent_id, url=role)) as made:
        await put(made, builders.fact("🍏 apples"))
        assert {record.content for record in await made.select(Where())} == {"apples", "🍏 apples"}


def test_a_statement_that_is_ended_early_is_said_to_be_that(newest: PostgresServer) -> None:
    ended = pytest.raises(StoreBusyError, match=r"ended a statement early: .* statement_timeout raised")
    with ended, translated(newest.url), psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("set statement_timeout = 1")
        connection.execute("select pg_sleep(5)")


# --- what happens beneath an open store -------------------------------------------------------------------------


async def test_an_agent_that_somebody_removed_is_made_known_again(newest: PostgresServer) -> None:
    empty(newest)
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        (fact,) = await put(made, builders.fact("apples"))
        for number, text in enumerate(("one", "two")):
            async with opened(lambda agent_id: store(newest, agent_id)) as other:
                await other.drop()
            assert await made.get([fact.id]) == {}
            if number:
                await made.set_setting("conversation", text)
            await put(made, builders.fact(text))
            assert [record.content for record in await made.select(Where())] == [text]
            assert await made.check() == []


async def test_the_first_call_finds_a_server_that_was_away_for_long() -> None:
    with PostgresServer(NEWEST, durable=True) as server:
        async with opened(lambda agent_id: store(server, agent_id, connect_timeout=2.5)) as made:
            await put(made, builders.fact("apples"))
            server.kill()
            for _ in range(3):  # the pauses of the pool grow
                with pytest.raises(StoreUnreachableError):
                    await made.count(Where())
            server.restart()
            assert await made.count(Where()) == 1


@pytest.mark.parametrize("text", ["broken", "[]", "{}"])
async def test_a_change_that_cannot_be_read_stops_nothing_but_itself(
    newest: PostgresServer, text: str
) -> None:
    url = {"url": empty(newest)}

    def done(memory_id: str) -> None:
        first = f"select min(hlc) from agentmem.journal where memory_id = '{memory_id}'"
        administer(newest, f"update agentmem.journal set after = '{text}' where hlc = ({first})")

    config = MemoryConfig(backend="postgres", backend_config=url, embedding_provider="dummy")
    await history_stops_nothing_but_itself(config, done)
    empty(newest)


@pytest.mark.parametrize(
    "damage",
    [
        "update agentmem.memory set metadata = 'broken' where id = '{id}'",
        "update agentmem.memory set metadata = '[1]' where id = '{id}'",
        "update agentmem.memory set type = 'episodic' where id = '{id}'",
        "delete from agentmem.long_term where memory = (select place from agentmem.memory where id = '{id}')",
    ],
)
async def test_what_cannot_be_a_memory_stops_nothing_but_itself(
    newest: PostgresServer, damage: str, tmp_path: Path
) -> None:
    url = {"url": empty(newest)}
    config = MemoryConfig(backend="postgres", backend_config=url, embedding_provider="dummy")

    def done(memory_id: str) -> None:
        administer(newest, f"set session_replication_role = replica; {damage.format(id=memory_id)}")

    await stops_nothing_but_itself(config, done, tmp_path)
    empty(newest)
