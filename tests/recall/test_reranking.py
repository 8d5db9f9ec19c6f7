"""The best of a search are ordered anew on request only: by token vectors, or by a cross-encoder that is named."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_memory import AgentMemory, ConfigurationError, MemoryConfig, ModelMissingError
from agent_memory.embeddings.catalog import RERANKER
from agent_memory.embeddings.local_model import LocalModel
from agent_memory.embeddings.sharing import loaded_models
from agent_memory.recall import constants
from agent_memory.recall.query import Mode
from agent_memory.recall.scoring import logistic
from agent_memory.records import ScoredMemory

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
        backend="memory",
        embedding_provider="none",
        rerank_config={"model": RERANKER, "cache_dir": str(tmp_path)},
    )
    async with AgentMemory("t", config) as memory:
        await memory.long_term.store_fact("The red boat sank")
        with pytest.raises(ModelMissingError, match="pull_model"):
            await memory.search("boat", rerank=True)
        assert len(await memory.search("boat")) == 1


FIX = "What did Marta fix?"
SHOP = "A bicycle shop opened near the station, Marta said"
REPAIR = "Marta repaired her bicycle on Sunday after the chain had snapped"


def order(found: Sequence[ScoredMemory]) -> list[str]:
    return [item.memory.content for item in found]


@asynccontextmanager
async def filled(provider: str, *texts: str, **settings: Any) -> AsyncIterator[AgentMemory]:
    """Open a memory that holds these facts."""
    config = MemoryConfig(backend="memory", embedding_provider=provider, **settings)
    async with AgentMemory("t", config) as memory:
        await memory.add_many([{"type": "long_term", "content": text} for text in texts])
        yield memory


@pytest.mark.parametrize(
    ("provider", "mode"), [("none", "keyword"), ("dummy", "hybrid"), ("local", "keyword")]
)
async def test_by_default_token_vectors_of_the_default_model_order_whatever_embeds_the_store(
    provider: str, mode: Mode
) -> None:
    async with filled(provider, SHOP, REPAIR) as memory:
        plain = await memory.search(FIX, mode=mode, count_access=False)
        found = await memory.search(FIX, mode=mode, rerank=True, explain=True, count_access=False)
    assert order(plain) == [SHOP, REPAIR]
    assert order(found) == [REPAIR, SHOP]
    assert not found.notices
    relevance = {item.memory.id: item.relevance for item in plain}
    assert {item.memory.id: item.relevance for item in found} == pytest.approx(relevance, abs=1e-3)
    for item in found:
        assert item.explanation is not None
        part = item.explanation["rerank"]
        assert part["weight"] == constants.TOKENS_WEIGHT
        total = plain.sums[item.memory.id] + part["weight"] * part["z"]
        assert found.sums[item.memory.id] == pytest.approx(total, abs=1e-4)
        score = logistic((total - constants.SCORE_MIDDLE) / constants.SCORE_SCALE)
        assert item.score == pytest.approx(score, abs=1e-4)


async def test_limit_and_least_score_count_after_it_by_token_vectors_too() -> None:
    async with filled("none", SHOP, REPAIR) as memory:
        (best,) = await memory.search(FIX, limit=1, rerank=True, count_access=False)
        both = await memory.search(FIX, rerank=True, count_access=False)
        (only,) = await memory.search(
            FIX, min_score=(both[0].score + both[1].score) / 2, rerank=True, count_access=False
        )
        (recalled, _) = (await memory.recall(FIX, 200, rerank=True, min_relevance=0)).items
    assert best.memory.content == only.memory.content == recalled.memory.content == REPAIR


async def test_the_key_of_a_memory_still_finds_that_memory_first() -> None:
    async with filled("none", SHOP, REPAIR) as memory:
        await memory.long_term.store_fact("Somebody is away in May", key="marta fix")
        found = await memory.search("marta fix", rerank=True, count_access=False)
    assert found[0].memory.key == "marta fix"


async def test_what_is_not_read_stays_behind_what_is_in_its_own_order() -> None:
    texts = [f"Marta fixed bicycle {number} " + "with tools " * (number % 7) for number in range(70)]
    async with filled("none", *texts) as memory:
        plain = order(await memory.search("Marta's tools", limit=70, count_access=False))
        found = await memory.search("Marta's tools", limit=70, rerank=True, count_access=False)
    read = constants.RERANKED
    assert order(found)[read:] == plain[read:]
    assert sorted(order(found)[:read]) == sorted(plain[:read])
    assert order(found)[:read] != plain[:read]
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


async def test_a_long_text_among_short_ones_keeps_its_sum() -> None:
    long = f"{REPAIR}. " + "The weather was fine and nothing else happened that day. " * 30
    async with filled("none", SHOP, REPAIR, long) as memory:
        plain = await memory.search(FIX, count_access=False)
        found = await memory.search(FIX, rerank=True, count_access=False)
    assert order(found) != order(plain)
    (there,) = (item for item in found if item.memory.content == long)
    assert found.sums[there.memory.id] == pytest.approx(plain.sums[there.memory.id], abs=1e-3)


async def test_among_long_texts_the_order_stays() -> None:
    padding = "The weather was fine and nothing else happened that day. " * 12
    async with filled("none", f"{SHOP}. {padding}", f"{REPAIR}. {padding}") as memory:
        plain = await memory.search(FIX, count_access=False)
        found = await memory.search(FIX, rerank=True, count_access=False)
    assert order(found) == order(plain)
    assert found.sums == pytest.approx(plain.sums, abs=1e-3)


async def test_a_reply_matches_as_well_as_what_it_replies_to() -> None:
    config = MemoryConfig(backend="memory", embedding_provider="none")
    said = [
        ("Ann", "Which instrument does your daughter play?"),
        ("Ben", "The cello, my daughter loves it"),
        ("Ann", "My daughter plays no game"),
    ]
    async with AgentMemory("t", config) as memory:
        for name, text in said:
            await memory.conversation.add_message("user", text, name=name)
        found = await memory.search(
            "instrument my daughter plays", rerank=True, explain=True, count_access=False
        )
    z = {item.memory.content: (item.explanation or {})["rerank"]["z"] for item in found}
    assert z[said[1][1]] >= z[said[0][1]] > z[said[2][1]]


async def test_a_query_that_the_default_model_does_not_read_keeps_the_order_and_says_so() -> None:
    async with filled("dummy", "我们明天下午三点在公园见面", "我们明天去公园") as memory:
        plain = await memory.search("我们明天下午", count_access=False)
        found = await memory.search("我们明天下午", rerank=True, explain=True, count_access=False)
    assert order(found) == order(plain)
    assert [item.score for item in found] == pytest.approx([item.score for item in plain], abs=1e-3)
    assert any("does not read" in notice for notice in found.notices)
    assert all("rerank" not in (item.explanation or {}) for item in found)


async def test_a_memory_that_it_does_not_read_keeps_its_sum() -> None:
    foreign = "Marta 我们明天下午三点在公园见面，然后我们去吃饭"
    async with filled("none", SHOP, REPAIR, foreign) as memory:
        plain = await memory.search(FIX, count_access=False)
        found = await memory.search(FIX, rerank=True, count_access=False)
    (there,) = (item for item in found if item.memory.content == foreign)
    assert found.sums[there.memory.id] == pytest.approx(plain.sums[there.memory.id], abs=1e-3)


async def test_without_the_default_models_weights_the_order_stays_and_a_notice_says_why(
    tmp_path: Path,
) -> None:
    async with filled("local", SHOP, REPAIR, embedding_config={"path": str(tmp_path)}) as memory:
        found = await memory.search(FIX, rerank=True, count_access=False)
    assert order(found) == [SHOP, REPAIR]
    assert any(notice.startswith("not reranked: ") and "model.onnx" in notice for notice in found.notices)


async def test_a_model_that_was_loaded_for_it_is_let_go_of_at_the_end() -> None:
    async with filled("none", SHOP, REPAIR) as memory:
        await memory.search(FIX, rerank=True, count_access=False)
        assert loaded_models(LocalModel) == 1
    gc.collect()
    assert loaded_models(LocalModel) == 0


async def test_an_option_that_does_not_exist_is_refused() -> None:
    async with filled("none", SHOP, rerank_config={"modle": RERANKER}) as memory:
        with pytest.raises(ConfigurationError, match="modle"):
            await memory.search("shop", rerank=True, count_access=False)
