"""Vector indexes of many agents in one database: they do not know each other."""

from __future__ import annotations

import asyncio

import pytest
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import PostgresStore
from agent_memory.testing.store.support import opened
from benchmarks.backends import promoted

from .conftest import empty

MOST_LOCKS = 20


@pytest.mark.anyio
async def test_a_search_locks_no_more_with_more_indexes_beside_it(newest: PostgresServer) -> None:
    url, sizes = empty(newest), promoted.Sizes(agents=8, memories=12, large=0, dimension=8)
    held = []
    for number in range(sizes.agents):
        await promoted.small(url, number, sizes)
        async with opened(lambda agent_id: PostgresStore(agent_id, url=url), "agent 0") as store:
            assert isinstance(store, PostgresStore)
            held.append(await promoted.locks(store, sizes))
    assert held == [held[0]] * sizes.agents
    assert 0 < held[0] <= MOST_LOCKS


@pytest.mark.soak
def test_two_thousand_indexes_leave_room_for_all_connections() -> None:
    with PostgresServer() as server:
        sizes = promoted.Sizes(agents=2000, memories=20, large=50_000, dimension=384)
        print(asyncio.run(promoted.large_agent(server.url, sizes)).line(sizes))
        alone = promoted.copied(server.url)
        promoted.fill(server.url, sizes)
        before, after = asyncio.run(promoted.by_turns([alone, server.url], sizes))
        print("one:", before.line())
        print("all:", after.line())
        print("each in another agent:", asyncio.run(promoted.different(server.url, sizes)).line())
        seconds, most = asyncio.run(promoted.crowd(server.url, sizes, 90))
        print(f"90 connections: {seconds:.1f} s")
        assert before.locks == after.locks == most <= MOST_LOCKS
