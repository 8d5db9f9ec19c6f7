"""How often one search waits for the server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from servers.counting import Relay, fill, search
from servers.postgres import PostgresServer

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.records import MemoryRecord
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


async def _stored(url: str, record: Callable[[int], MemoryRecord]) -> list[int]:
    """Store some memories, and return how many round trips each took."""
    counts = []
    async with Relay(url) as relay:
        store = PostgresStore("tester", url=relay.url, pool_size=1)
        async with opened(lambda _: store):
            await store.add_space(builders.space())
            for number in range(8):
                relay.round_trips = 0
                made = record(number)
                await put(store, made, vectors={builders.digest(made): [builders.vector(number + 1)]})
                counts.append(relay.round_trips)
    return counts


async def test_storing_a_new_memory_with_its_vector_takes_one_round_trip(newest: PostgresServer) -> None:
    counts = await _stored(empty(newest), lambda number: builders.fact(f"fact {number}", tags=("a", "b")))
    # The statements are prepared once, by one of the first.
    assert sorted(counts) == [1] * 7 + [2]


async def test_storing_a_message_with_its_vector_takes_one_round_trip(newest: PostgresServer) -> None:
    counts = await _stored(empty(newest), lambda number: builders.message(f"message {number}"))
    assert sorted(counts) == [1] * 7 + [2]


async def test_storing_a_memory_under_a_key_takes_at_most_five_round_trips(newest: PostgresServer) -> None:
    counts = await _stored(empty(newest), lambda number: builders.fact(f"fact {number}", key=f"k {number}"))
    assert 0 < max(counts) <= 5
