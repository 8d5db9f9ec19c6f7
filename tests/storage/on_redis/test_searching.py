"""What a search asks for at once is what the single methods would have said."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from servers.counting import fill
from servers.redis import RedisServer

from agent_memory import AgentMemory, Filters, MemoryConfig
from agent_memory.memories.filters import build_where
from agent_memory.storage import retrieval
from agent_memory.storage.base import VectorStore
from agent_memory.storage.redis import words
from agent_memory.storage.retrieval import CandidateRequest, ContextRequest, VectorRequest
from agent_memory.text.analysis import query_terms

pytestmark = pytest.mark.anyio

FILTERS: Mapping[str, Filters] = {
    "none": {},
    "a type": {"types": "fact"},
    "a tag": {"tags": "blue"},
    "a time": {"since": "1d"},
    "metadata": {"metadata": {"number": 3}},
}


async def filled(memory: AgentMemory) -> VectorStore:
    """Store memories of all types, some with a tag, archived, expired or pending; return the store."""
    await fill(memory)
    for number in range(30):
        id = await memory.long_term.add(
            f"The boat {number} lies in harbour {number % 7}.",
            tags=["blue"] if number % 2 else ["red"],
            metadata={"number": number % 5},
        )
        if number % 5 == 0:
            await memory.forget(id)
    await memory.short_term.add("The boat is late.", ttl=0.001)
    await memory.search("boat")
    await memory.short_term.add("The boat is pending.")
    store = memory.backend
    assert isinstance(store, VectorStore)
    return store


@pytest.mark.parametrize("most", [words.MOST_IN_SCRIPT, 5])
async def test_both_ways_give_the_same(
    most: int, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "MOST_IN_SCRIPT", most)
    config = MemoryConfig(backend="redis", backend_config={"url": server.url}, embedding_provider="dummy")
    async with AgentMemory(config=config) as memory:
        store = await filled(memory)
        for filters in FILTERS.values():
            for limit in (3, 200):
                await compare_both_ways(store, filters, limit)


async def compare_both_ways(store: VectorStore, filters: Filters, limit: int) -> None:
    """Search in the few round trips of the backend, and by the single methods."""
    where = build_where(**filters)
    terms = query_terms("who cleans the boat in the harbour")
    request = CandidateRequest(where, limit, terms, ("boat",), 10, "note-1", True)
    answer = await store.candidates(request)
    single = await retrieval.candidates(store, request)
    assert list(answer.keyword.items()) == list(single.keyword.items())
    assert answer == single
    assert answer.keyword
    assert answer.space is not None
    vector = (await store.sample_vectors(1))[0]
    near = VectorRequest(vector, where, limit, answer.space, 10)
    for _ in range(2):  # as the copy is read for the first time, and again
        nearest = await store.vector_candidates(near)
        alone = await retrieval.vector_candidates(store, near)
        assert nearest.nearest == pytest.approx(alone.nearest, abs=1e-6)
        assert list(nearest.nearest) == list(alone.nearest)
        assert nearest.sample == alone.sample
    ids = list(dict.fromkeys([*answer.keyword, *nearest.nearest]))
    context = ContextRequest(
        ids,
        where,
        lambda record: record.content.endswith("?"),
        lambda record: not record.content.endswith("?"),
        answer.terms,
        answer.statistics,
        answer.keyword,
        answer.space,
    )
    assert await store.search_context(context) == await retrieval.search_context(store, context)
