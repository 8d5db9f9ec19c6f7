"""How often one search waits for the server."""

from __future__ import annotations

import pytest
from servers.counting import Relay, fill, search
from servers.postgres import PostgresServer

from agent_memory import AgentMemory, MemoryConfig

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
