"""A primary with a replica: reading from it, finding the primary among several hosts, and a change of roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from servers.postgres import PostgresServer

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.errors import StoreReadOnlyError
from agent_memory.storage.postgres import PostgresStore, addresses
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, opened, put, texts

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: PostgresServer) -> Iterator[PostgresServer]:
    with PostgresServer(primary=primary) as server:
        yield server


async def replayed(primary: PostgresServer, replica: PostgresServer) -> None:
    """Wait until the replica has all that the primary has."""
    with psycopg.connect(primary.url) as source, psycopg.connect(replica.url, autocommit=True) as target:
        row = source.execute("select pg_current_wal_insert_lsn()::text").fetchone()
        assert row is not None
        while target.execute("select pg_last_wal_replay_lsn() >= %s::pg_lsn", row).fetchone() != (True,):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def memory(url: str, agent: str = "tester") -> AsyncIterator[AgentMemory]:
    config = MemoryConfig(backend="postgres", backend_config={"url": url}, embedding_provider="dummy")
    async with AgentMemory(agent, config=config) as opened_:
        yield opened_


async def in_recovery(connection: Connection) -> bool:
    return bool((await (await connection.execute("select pg_is_in_recovery()")).fetchall())[0][0])


# --- reading from a replica -------------------------------------------------------------------------------------


async def test_a_replica_serves_every_verb_that_reads(
    primary: PostgresServer, replica: PostgresServer
) -> None:
    async with memory(primary.url) as first:
        kept = await first.long_term.store_fact("The boat is called Ada", tags=["boat"])
        await first.conversation.add_message("user", "Who sails the boat?")
        await first.episodic.record_event("repair", "The mast was mended", outcome="success")
        await first.procedural.record_skill("mooring", "Tie the boat up", triggers=["harbour"])
        await first.semantic.add("Boats float on water")
        await first.search("boat")
        counted = (await first.get(kept)).access_count
    await replayed(primary, replica)
    async with memory(replica.url) as second:
        assert (await second.search("boat"))[0].memory.id
        assert "Ada" in (await second.recall("what is the boat called?")).text
        assert (await second.get(kept)).content == "The boat is called Ada"
        assert len(await second.list()) == 5
        assert await second.count() == 5
        assert [item.verb for item in await second.history(kept)]
        assert (await second.get_stats())["total"] == 5
        assert await second.conversation.get_messages()
        assert await second.procedural.find_applicable_skills("in the harbour")
        assert await second.semantic.search("water")
        assert await second.check() == []
        state = await second.get_status()
        assert (state["level"], state["accesses_counted"]) == ("read-only", False)
        with pytest.raises(StoreReadOnlyError, match="primary"):
            await second.long_term.store_fact("Written where nothing can be")
    async with memory(primary.url) as first:
        assert (await first.get(kept)).access_count == counted + 1  # by the `get` above


async def test_an_agent_that_a_replica_does_not_know_is_empty_until_it_is_there(
    primary: PostgresServer, replica: PostgresServer
) -> None:
    async with opened(lambda agent_id: PostgresStore(agent_id, url=primary.url), "somebody"):
        pass
    await replayed(primary, replica)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=replica.url), "new one") as reader:
        assert await reader.select(Where()) == []
        assert await reader.version() == 0
        assert await reader.by_keyword(["boat"], Where(), 10) == []
        assert await reader.check() == []
        async with opened(lambda agent_id: PostgresStore(agent_id, url=primary.url), "new one") as writer:
            await put(writer, builders.fact("a boat"))
        await replayed(primary, replica)
        assert texts(await reader.select(Where())) == ["a boat"]


async def test_reads_go_to_replicas_and_see_what_was_written_just_before(
    primary: PostgresServer, replica: PostgresServer
) -> None:
    def store(agent_id: str) -> PostgresStore:
        return PostgresStore(agent_id, url=primary.url, read_url=replica.url)

    async with opened(store, "reader") as made:
        assert isinstance(made, PostgresStore)
        for number in range(30):
            await put(made, builders.event(f"number {number}"))
            assert await made.count(EVERYTHING) == number + 1
        await replayed(primary, replica)
        assert await made._server.read(in_recovery)
        assert not await made._server.on_primary(in_recovery)
        # A replica that has stopped replaying is waited for a moment, and then not asked.
        with psycopg.connect(replica.url, autocommit=True) as connection:
            connection.execute("select pg_wal_replay_pause()")
            try:
                await put(made, builders.event("one more"))
                assert await made.count(EVERYTHING) == 31
                assert not await made._server.read(in_recovery)
            finally:
                connection.execute("select pg_wal_replay_resume()")


async def test_a_replica_that_is_down_is_left_out(primary: PostgresServer) -> None:
    gone = PostgresServer()
    gone.stop()
    async with opened(
        lambda agent_id: PostgresStore(agent_id, url=primary.url, read_url=gone.url), "alone"
    ) as made:
        await put(made, builders.fact("kept"))
        assert await made.count(EVERYTHING) == 1


def test_the_address_of_replicas_may_stand_in_the_url_and_an_option_counts_more() -> None:
    url = "postgresql://me@one:1,two:2/db?read_url=postgresql%3A%2F%2Fme%40three%2Fdb&sslmode=prefer"
    assert addresses.split(url) == (
        "postgresql://me@one:1,two:2/db?sslmode=prefer",
        "postgresql://me@three/db",
    )
    assert addresses.split(url, "")[1] == ""
    assert addresses.split(url, "postgresql://four/db")[1] == "postgresql://four/db"
    assert addresses.split("postgresql://one/db?sslmode=prefer") == ("postgresql://one/db?sslmode=prefer", "")


# --- a change of roles -----------------------------------------------------------------------------------------


async def test_writers_go_on_at_the_server_that_is_promoted(caplog: pytest.LogCaptureFixture) -> None:
    with PostgresServer() as first, PostgresServer(primary=first) as second:
        url = f"postgresql://postgres@127.0.0.1:{second.port},127.0.0.1:{first.port}/postgres"
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url)) as made:
            assert isinstance(made, PostgresStore)
            await put(made, builders.fact("before"))  # the first host named takes no writes
            await replayed(first, second)
            first.kill()
            second.promote()
            await put(made, builders.fact("after"))
            assert sorted(texts(await made.select(Where()))) == ["after", "before"]
        shown = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert {record.name.partition(".")[0] for record in shown} <= {"psycopg"}
        assert logging.getLogger("psycopg").handlers  # else Python itself would print them


async def test_connections_that_turned_read_only_are_replaced() -> None:
    with PostgresServer() as server:
        async with opened(lambda agent_id: PostgresStore(agent_id, url=server.url)) as made:
            await put(made, builders.fact("before"))
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("alter system set default_transaction_read_only = on")
                connection.execute("select pg_reload_conf()")
                # The sessions hear of it a moment later.
                while connection.execute("show default_transaction_read_only").fetchone() != ("on",):
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.2)
                switched = asyncio.create_task(put(made, builders.fact("after")))
                await asyncio.sleep(1)
                assert not switched.done()
                connection.execute("set default_transaction_read_only = off")
                connection.execute("alter system reset default_transaction_read_only")
                connection.execute("select pg_reload_conf()")
                await switched
            assert len(await made.select(Where())) == 2
