from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from agent_memory import AgentMemory, ConfigurationError, EmbeddingError, MemoryConfig, SemanticRecord, clock

pytestmark = pytest.mark.anyio


async def test_search_by_meaning_finds_the_nearest(memory: AgentMemory) -> None:
    python = await memory.semantic.add("Python was created by Guido van Rossum")
    await memory.semantic.add("Bananas are rich in potassium")
    found = await memory.semantic.search("who created Python", limit=5)
    assert found[0].memory.id == python
    assert found[0].similarity is not None
    assert 0 < found[0].similarity <= 1
    assert len(await memory.semantic.search("who created Python", limit=1)) == 1
    assert [
        scored.memory.id for scored in await memory.semantic.search("who created Python", min_score=0.3)
    ] == [python]


async def test_search_with_filters(memory: AgentMemory) -> None:
    await memory.semantic.add("red apple", tags=["fruit"], importance=0.2)
    wanted = await memory.semantic.add("green apple", tags=["fruit"], importance=0.9)
    await memory.semantic.add("apple computer", tags=["tech"], importance=0.9)
    found = await memory.semantic.search_with_filters("apple", tags=["fruit"], min_importance=0.5)
    assert [result.memory.id for result in found] == [wanted]


async def test_related_memories_leave_out_the_memory_itself(memory: AgentMemory) -> None:
    first = await memory.semantic.add("the cat sat on the mat")
    second = await memory.semantic.add("the cat sat on the sofa")
    await memory.semantic.add("interest rates rose sharply")
    related = await memory.semantic.find_related(first[:10], limit=5, min_score=0.5)
    assert [item.memory.id for item in related] == [second]


async def test_a_vector_made_elsewhere(memory: AgentMemory) -> None:
    embedder = memory.embedding_provider
    assert embedder is not None
    await embedder.prepare()
    size = embedder.identity.dimension
    stored = await memory.semantic.add_with_embedding("given", [1.0] + [0.0] * (size - 1), tags=["t"])
    vectors = await memory.backend.vectors([stored])
    assert len(vectors[stored]) == 1
    for wrong in ([1.0, 2.0], [0.0] * size, [math.nan] * size):
        with pytest.raises(EmbeddingError):
            await memory.semantic.add_with_embedding("wrong", wrong)
    assert await memory.semantic.count() == 1


async def test_documents_in_chunks(memory: AgentMemory) -> None:
    ids = await memory.semantic.add_chunks(
        ["one", "two", "three"], title="Numbers", source="book", tags=["n"]
    )
    record = await memory.semantic.get(ids[1])
    assert isinstance(record, SemanticRecord)
    assert (record.title, record.position, record.source) == ("Numbers", 1, "book")
    assert record.document_id is not None
    chunks = await memory.semantic.get_by_document_id(record.document_id)
    assert [chunk.id for chunk in chunks] == ids
    assert await memory.semantic.get_by_document_id(record.document_id[:8]) == chunks
    assert await memory.semantic.add_chunks(["one", "two", "three"], title="Numbers", source="book") == ids
    other = await memory.semantic.add_chunks(["one"], title="Another")
    assert other[0] not in ids
    assert await memory.semantic.get_by_document_id("nothing-here") == []


async def test_documents_are_listed_with_single_pieces(memory: AgentMemory) -> None:
    with clock.fixed(datetime(2026, 5, 1, tzinfo=UTC)):
        ids = await memory.semantic.add_chunks(["one", "two"], title="First")
    with clock.fixed(datetime(2026, 5, 2, tzinfo=UTC)):
        single = await memory.semantic.add("by itself")
    with clock.fixed(datetime(2026, 5, 3, tzinfo=UTC)):
        await memory.semantic.add_chunks(["three"], document_id="third")
    listed = await memory.semantic.get_documents()
    assert [(item.id, item.chunks) for item in listed[:2]] == [("third", 1), (single, 1)]
    assert (listed[2].first.id, listed[2].first.title, listed[2].chunks) == (ids[0], "First", 2)
    assert [document.id for document in await memory.semantic.get_documents(2)] == ["third", single]


async def test_a_document_is_stored_whole(memory: AgentMemory) -> None:
    text = "\n\n".join(f"Paragraph {number} says something about topic {number}." for number in range(200))
    ids = await memory.semantic.add_document(text, title="Long")
    chunks = [record.content for record in await memory.semantic.get_by_document_id(ids[0])]
    assert "".join("".join(chunks).split()) == "".join(text.split())


async def test_embeddings_can_be_made_sure_of(memory: AgentMemory) -> None:
    stored = await memory.semantic.add("some knowledge")
    assert await memory.semantic.update_embedding(stored)
    assert not await memory.semantic.update_embedding("nothing-here")
    assert await memory.semantic.reindex_all() == 1
    assert (await memory.semantic.search("some knowledge"))[0].memory.id == stored


async def test_without_an_embedder_it_stores_and_says_what_is_missing(backend: str) -> None:
    async with AgentMemory("t", MemoryConfig(backend=backend, embedding_provider="none")) as memory:
        assert not memory.has_semantic
        stored = await memory.semantic.add("Python was created by Guido")
        with pytest.raises(ConfigurationError, match="embedding_provider"):
            await memory.semantic.search("Python")
        with pytest.raises(ConfigurationError, match="embedding_provider"):
            await memory.search("Python", mode="vector")
        assert [scored.memory.id for scored in await memory.search("python")] == [stored]
        assert len(await memory.semantic.add_document("a document")) == 1


async def test_related_goes_by_the_stored_vectors_and_counts_no_access_on_itself(memory: AgentMemory) -> None:
    first = await memory.semantic.add("the cat sat on the mat", title="Pets", importance=0.1)
    near = await memory.semantic.add("the cat sat on the mat again", title="Pets", importance=0.1)
    far = await memory.semantic.add("the cat ran", importance=1.0)
    related = await memory.semantic.find_related(first, min_score=0.0)
    assert [item.memory.id for item in related[:2]] == [near, far]
    assert [item.similarity for item in related] == sorted(
        (item.similarity or 0.0 for item in related), reverse=True
    )
    counted = await memory.backend.get([first, near])
    assert (counted[first].access_count, counted[near].access_count) == (0, 1)


async def test_a_new_version_of_a_document_takes_the_place_of_the_old(memory: AgentMemory) -> None:
    first = await memory.semantic.add_chunks(["one", "two", "three"], "guide", title="Guide")
    second = await memory.semantic.add_chunks(["one", "zwei"], "guide", title="Guide")
    assert [item.content for item in await memory.semantic.get_by_document_id("guide")] == ["one", "zwei"]
    assert second[0] == first[0]
    assert {record.id for record in await memory.list(status="archived")} == {first[1], first[2]}
    await memory.undo()
    chunks = await memory.semantic.get_by_document_id("guide")
    assert [chunk.content for chunk in chunks] == ["one", "two", "three"]


async def test_a_document_is_stored_though_the_model_is_not_there(
    make_config: Callable[..., MemoryConfig],
) -> None:
    async with AgentMemory("t", make_config(embedding_provider="fastembed")) as memory:
        ids = await memory.semantic.add_document("A sentence of a long text. " * 200)
        assert len(ids) > 3
        assert await memory.backend.pending_count() == len(ids)
        with pytest.raises(EmbeddingError):
            await memory.semantic.update_embedding(ids[0])
        found = await memory.search("sentence", limit=1)
        assert found[0].memory.id in ids
        assert any("words only" in notice for notice in found.notices)


async def test_a_least_similarity_that_nothing_can_have_is_said(
    make_config: Callable[..., MemoryConfig],
) -> None:
    async with AgentMemory("t", make_config(embedding_provider="local")) as memory:
        await memory.semantic.add("東京タワーは高い")
        found = await memory.semantic.search("東京", min_score=0.2)
        assert found == []
        assert any("similarity" in notice for notice in found.notices)  # type: ignore[attr-defined]
