"""A cross-encoder orders the best of a search anew, on request only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_memory import AgentMemory, MemoryConfig, ModelMissingError

pytestmark = pytest.mark.anyio
QUERY = "which red boat sank in the harbour"
TEXTS = [
    "One boat, another boat",
    "In the harbour the red boat sank",
    "A red boat",
    "Nothing to do with it",
]


@pytest.fixture
async def memory(reranker_folder: Path) -> AsyncIterator[AgentMemory]:
    config = MemoryConfig(
        backend="memory", embedding_provider="none", rerank_config={"path": str(reranker_folder)}
    )
    async with AgentMemory("t", config) as memory:
        await memory.add_many([{"type": "long_term", "content": text} for text in TEXTS])
        yield memory


async def test_the_order_is_the_cross_encoders_and_so_is_the_score(memory: AgentMemory) -> None:
    found = await memory.search(QUERY, rerank=True, explain=True)
    logits = [result.explanation["rerank"]["logit"] for result in found if result.explanation]
    assert found[0].memory.content == TEXTS[1]
    assert logits == sorted(logits, reverse=True)
    assert len(set(logits)) > 1
    scores = [result.score for result in found]
    assert scores == sorted(scores, reverse=True)
    assert all((score > 0.5) == (logit > 0) for score, logit in zip(scores, logits, strict=True))
    plain = await memory.search(QUERY)
    assert {item.memory.id: item.relevance for item in plain} == {
        result.memory.id: result.relevance for result in found
    }


async def test_limit_and_least_score_count_after_it(memory: AgentMemory) -> None:
    (best,) = await memory.search(QUERY, limit=1, rerank=True)
    assert best.memory.content == TEXTS[1]
    (only,) = await memory.search(QUERY, min_score=0.6, rerank=True)
    assert only.memory.content == TEXTS[1]


async def test_a_recall_takes_it_too(memory: AgentMemory) -> None:
    recall = await memory.recall(QUERY, 200, rerank=True, explain=True)
    assert recall.items[0].memory.content == TEXTS[1]
    assert recall.items[0].scored is not None
    assert "rerank" in (recall.items[0].scored.explanation or {})


async def test_without_its_model_it_says_what_to_type_and_a_plain_search_goes_on(tmp_path: Path) -> None:
    config = MemoryConfig(
        backend="memory", embedding_provider="none", rerank_config={"cache_dir": str(tmp_path)}
    )
    async with AgentMemory("t", config) as memory:
        await memory.long_term.store_fact("The red boat sank")
        with pytest.raises(ModelMissingError, match="pull_model"):
            await memory.search("boat", rerank=True)
        assert len(await memory.search("boat")) == 1
