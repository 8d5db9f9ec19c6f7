"""How often one search waits for a server, in each of the three modes."""

from __future__ import annotations

import pytest
from servers.counting import Relay, fill, search
from servers.redis import RedisServer

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.storage.redis import RedisStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put

from .conftest import start

pytestmark = pytest.mark.anyio

MOST = 5
"""Facts and candidates by keyword (while the model embeds the query), candidates by vector, records with their
vectors, the messages beside them, accesses. Once there were 26."""


@pytest.mark.parametrize("mode", ["search", "vector-sets", "valkey"])
async def test_a_search_takes_five_round_trips(mode: str, servers: dict[str, RedisServer]) -> None:
    async with Relay(start(mode, servers).url) as relay:
        config = MemoryConfig(backend="redis", backend_config={"url": relay.url}, embedding_provider="dummy")
        async with AgentMemory(config=config) as memory:
            await fill(memory)
            await search(memory)
            relay.round_trips = 0
            results = await search(memory)
            assert 0 < relay.round_trips <= MOST
    assert "ConversationRecord" in {type(result.memory).__name__ for result in results}


async def test_a_search_by_vector_takes_one_round_trip(servers: dict[str, RedisServer]) -> None:
    async with Relay(start("search", servers).url) as relay:
        store = RedisStore("tester", url=relay.url)
        async with opened(lambda _: store):
            await store.add_space(builders.space())
            fact = builders.fact("here", tags=("a",))
            await put(store, fact, vectors={builders.digest(fact): [builders.vector(1)]})
            for where in (Where(), Where(tags_any=("a",))):
                await store.by_vector(builders.vector(1), where, 1)
                relay.round_trips = 0
                found = await store.by_vector(builders.vector(1), where, 1)
                assert [memory_id for memory_id, _ in found] == [fact.id]
                assert relay.round_trips == 1
