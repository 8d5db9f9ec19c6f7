"""How often one search waits for a server, in each of the three modes."""

from __future__ import annotations

import pytest
from servers.counting import Relay, fill, search
from servers.redis import RedisServer

from agent_memory import AgentMemory, MemoryConfig

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
