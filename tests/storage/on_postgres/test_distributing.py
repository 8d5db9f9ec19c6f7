"""Tables and statements are such that Citus could distribute them by agent; without Citus, which is not at hand."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import distributing
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put

from .conftest import empty
from .recorded_statements import Fault, Recorder, faults_of_tables, faults_of_text, foreign_keys
from .test_server import store

_STANDS_IN = """
create table public.done (step int generated always as identity, kind text, name text, beside text);
create function public.create_reference_table(name regclass) returns void language sql as
  $$insert into public.done (kind, name) values ('copied', name::text)$$;
create function public.create_distributed_table(name regclass, by text, colocate_with text default 'default')
  returns void language plpgsql as $$begin
    if exists (select 1 from pg_constraint where contype = 'f' and name in (conrelid, confrelid)) then
      raise 'foreign keys of % stand in the way', name;
    end if;
    if not exists (select 1 from pg_attribute where attrelid = name and attname = by) then
      raise '% has no %', name, by;
    end if;
    insert into public.done (kind, name, beside) values (by, name::text, colocate_with);
  end$$;
create function public.citus_schema_distribute(name regnamespace) returns void language sql as
  $$insert into public.done (kind, name) values ('schema', name::text)$$;
"""
"""Instead of what Citus does: note what it is asked for, and refuse what it would refuse for its foreign keys."""


@pytest.fixture
async def connection(newest: PostgresServer) -> Any:
    """A connection to our tables; what is done to them is taken back."""
    empty(newest)
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        await put(made, builders.fact("apples", tags=("fruit",)))
    with psycopg.connect(newest.url) as made_for_test:
        made_for_test.execute("set search_path to agentmem, public")
        yield made_for_test
        made_for_test.rollback()


@pytest.mark.anyio
async def test_every_table_is_distributed_or_copied_and_no_constraint_stands_in_the_way(
    connection: Any,
) -> None:
    rows = connection.execute(
        "select relname from pg_class where relnamespace = 'agentmem'::regnamespace and relkind in ('r', 'p')"
        " and not relispartition"
    )
    tables = {row[0] for row in rows}
    assert tables == {*distributing.DISTRIBUTED, distributing.NAMES, "schema_version"}
    assert list(faults_of_tables(connection, "agentmem")) == []
    known = {
        (key.table, key.target, key.name, key.columns, key.target_columns)
        for key in distributing.foreign_keys()
    }
    there = foreign_keys(connection, "agentmem")
    assert {(key[0], key[1], key[2], tuple(key[3]), tuple(key[4])) for key in there} == known


@pytest.mark.anyio
async def test_the_statements_by_row_distribute_everything_and_leave_the_tables_as_they_were(
    connection: Any,
) -> None:
    before = foreign_keys(connection, "agentmem")
    connection.execute(_STANDS_IN)
    begin, *statements, commit = distributing.by_row("agentmem")
    assert (begin, commit) == ("begin", "commit")
    for statement in statements:
        connection.execute(statement)
    assert foreign_keys(connection, "agentmem") == before
    done = connection.execute("select kind, name, beside from public.done order by step").fetchall()
    assert done[:2] == [("copied", "agent_name", None), ("number", "agent", "default")]
    assert {(name, kind) for kind, name, _ in done[1:]} == set(distributing.DISTRIBUTED.items())
    assert {beside for _, _, beside in done[2:]} == {'"agentmem"."agent"'}


@pytest.mark.anyio
async def test_the_statements_by_schema_take_a_schema_with_any_name(connection: Any) -> None:
    connection.execute(_STANDS_IN)
    for name in ("agentmem", 'a "group" of agents\' own'):
        for statement in distributing.by_schema(name):
            connection.execute(statement)
    rows = connection.execute("select kind, name from public.done order by step").fetchall()
    assert rows == [("schema", "agentmem"), ("schema", '"a ""group"" of agents\' own"')]


# --- what the checks refuse ------------------------------------------------------------------------------------


@pytest.fixture
def recorder(newest: PostgresServer) -> Recorder:
    empty(newest)
    return Recorder(newest)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("select count(*) from memory", "memory is read for no agent in particular"),
        ("delete from embedding where space = 1", "embedding is read for no agent in particular"),
        (
            "select (select count(*) from memory_tag as t where t.agent = m.agent and t.memory = m.place)"
            " from memory as m where m.agent = 1",
            "memory_tag is read for no agent in particular",
        ),
        (
            "select 1 from memory where agent = 1 or content like 'agent = 1 AND %'",
            "memory is read for no agent in particular",
        ),
        (
            "select 1 from embedding_space as s join pg_index on indexrelid = to_regclass('graph_' || s.id)"
            " where s.agent = 1",
            "pg_index is joined, which is not distributed",
        ),
        ("update memory set place = 7, agent = 2 where agent = 1", "memory.agent is changed, by which"),
        (
            "alter table memory add column a text; alter table memory drop column a",
            "several statements are sent",
        ),
    ],
    ids=["no agent", "delete", "correlated", "or", "catalogue", "moved", "two at once"],
)
async def test_what_citus_refuses_is_noticed(
    newest: PostgresServer, recorder: Recorder, statement: str, why: str
) -> None:
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        await put(made, builders.fact("apples", tags=("fruit",)))
    with psycopg.connect(recorder.url, autocommit=True) as connection:
        connection.execute("set search_path to agentmem, public")
        connection.execute(statement.encode())
    (fault,) = recorder.faults()
    assert fault.why.startswith(why)
    assert fault.statement == statement


@pytest.mark.anyio
async def test_a_constraint_over_all_agents_is_noticed(connection: Any) -> None:
    connection.execute("alter table memory add unique (id)")
    connection.execute("alter table journal add column place bigint")
    connection.execute("alter table memory add unique (place)")
    connection.execute("alter table journal add foreign key (place) references memory (place)")
    assert sorted(faults_of_tables(connection, "agentmem")) == [
        "journal_place_fkey is a foreign key to rows of any agent",
        "memory_id_key is unique over all agents",
        "memory_place_key is unique over all agents",
    ]


@pytest.mark.anyio
async def test_a_join_by_agent_and_a_subquery_that_names_the_agent_are_no_faults(
    newest: PostgresServer, recorder: Recorder
) -> None:
    async with opened(lambda agent_id: store(newest, agent_id)) as made:
        await put(made, builders.fact("apples", tags=("fruit",)))
    with psycopg.connect(recorder.url, autocommit=True) as connection:
        connection.execute("set search_path to agentmem, public")
        connection.execute(
            "select (select count(*) from memory_tag as t where t.agent = 1 and t.memory = m.place)"
            " from memory as m left join usage as u on u.agent = m.agent and u.memory = m.place where m.agent = 1"
        )
    assert recorder.faults() == []
    assert any("memory_tag" in statement for statement in recorder.seen)


def test_statements_that_only_set_up_a_transaction_may_be_sent_as_one() -> None:
    assert (
        list(faults_of_text("begin; set local lock_timeout to '30s'; select pg_advisory_xact_lock(1, 2)"))
        == []
    )
    assert list(faults_of_text("begin; delete from setting where agent = 1")) == [
        Fault("several statements are sent as one", "begin; delete from setting where agent = 1")
    ]


@pytest.mark.anyio
async def test_making_the_tables_sends_one_statement_at_a_time(newest: PostgresServer) -> None:
    recorder = Recorder(newest)
    async with opened(lambda agent_id: store_of(recorder.url, agent_id)) as made:
        assert await made.select(Where()) == []
    recorder.faults()
    assert [fault for statement in recorder.seen for fault in faults_of_text(statement)] == []
    assert any(statement.startswith("create table memory (") for statement in recorder.seen)
    with psycopg.connect(newest.url, autocommit=True) as connection:
        connection.execute("drop schema made_anew cascade")


def store_of(url: str, agent_id: str) -> Any:
    from agent_memory.storage.postgres import PostgresStore

    return PostgresStore(agent_id, url=url, schema="made_anew")
