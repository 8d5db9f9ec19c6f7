"""How often one search waits for the server."""

from __future__ import annotations

import pytest
from servers.counting import Relay, fill, search
from servers.postgres import PostgresServer

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.storage.postgres import PostgresStore
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put

from .conftest import empty

pytestmark = pytest.mark.anyio

MOST = 5
"""Facts, candidates by keyword (while the model embeds the query), candidates by vector, records with all that scores
them, accesses. Once there were 28."""


async def test_a_search_takes_five_round_trips(newest: PostgresServer) -> None:
    async with Relay(empty(newest)) as relay:
        config = MemoryConfig(
            backend="postgres", backend_config={"url": relay.url}, embedding_provider="dummy"
        )
        async with AgentMemory(config=config) as memory:
            await fill(memory)
            await search(memory)
            relay.round_trips = 0
            results = await search(memory)
            assert 0 < relay.round_trips <= MOST
    assert "ConversationRecord" in {type(result.memory).__name__ for result in results}


async def test_storing_a_memory_with_its_vector_takes_three_round_trips(newest: PostgresServer) -> None:
    async with Relay(empty(newest)) as relay:
        store = PostgresStore("tester", url=relay.url, pool_size=1)
        async with opened(lambda _: store):
            await store.add_space(builders.space())
            for number in range(8):
                relay.round_trips = 0
                fact = builders.fact(f"fact {number}")
                await put(store, fact, vectors={builders.digest(fact): [builders.vector(number + 1)]})
                assert 0 < relay.round_trips <= 3
