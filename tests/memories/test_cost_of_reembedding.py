from __future__ import annotations

import pytest

from agent_memory import AgentMemory, ConfigurationError

pytestmark = pytest.mark.anyio


async def test_the_cost_counts_what_is_not_embedded_there_yet(memory: AgentMemory) -> None:
    await memory.long_term.add_many(["one", "two", "three"])
    await memory.forget((await memory.list())[0].id)
    spaces = await memory.backend.spaces()
    same = await memory.cost_of_reembedding()
    assert (same.texts, same.space.provider) == (0, "dummy")
    other = await memory.cost_of_reembedding("dummy", {"dimension": 16})
    assert (other.texts, other.space.dimension) == (2, 16)
    assert other.seconds is not None
    assert 0 < other.seconds < 10
    assert await memory.backend.spaces() == spaces, "asking changes nothing"


async def test_a_begun_reembedding_costs_only_what_is_left(memory: AgentMemory) -> None:
    await memory.long_term.add_many(["one", "two", "three"])
    cost = await memory.cost_of_reembedding("dummy", {"dimension": 16})
    space = await memory.backend.add_space(cost.space)
    (record,) = await memory.backend.pending(1, space)
    from agent_memory.embeddings.registry import create_embedder
    from agent_memory.text.templates import embedded_text, embedding_hash

    embedder = create_embedder("dummy", {"dimension": 16})
    assert embedder is not None
    await embedder.prepare()
    text = embedded_text(record)
    await memory.backend.put_vectors(
        space, {embedding_hash(text): (await embedder.embed_documents([text]))[0]}
    )
    assert (await memory.cost_of_reembedding("dummy", {"dimension": 16})).texts == 2


async def test_a_service_elsewhere_is_not_asked_to_find_out(
    memory: AgentMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent_memory.embeddings import dummy

    async def fails(self: object, *arguments: object, **more: object) -> None:
        raise AssertionError("something was embedded")

    await memory.long_term.add("one")
    monkeypatch.setattr(dummy.DummyEmbedder, "options", dummy.DummyEmbedder.options | {"base_url"})
    monkeypatch.setattr(dummy.DummyEmbedder, "_embed", fails)
    cost = await memory.cost_of_reembedding("dummy", {"dimension": 16})
    assert (cost.texts, cost.seconds) == (1, None)


async def test_without_an_embedder_there_is_nothing_to_cost(memory: AgentMemory) -> None:
    with pytest.raises(ConfigurationError, match="name one"):
        await memory.cost_of_reembedding("none")
