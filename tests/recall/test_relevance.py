"""Knowing when there is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import AgentMemory
from agent_memory.embeddings.base import pack_rows
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.errors import EmbeddingError
from agent_memory.recall.relevance import UNRELATED, WordShare, background_of, relevance
from agent_memory.text.analysis import query_words
from agent_memory.text.bm25 import WordStatistics
from tests.recall.test_finding import local

pytestmark = pytest.mark.anyio

KNOWN = [
    "Caroline is researching adoption agencies",
    "Melanie painted a sunrise over the lake last year",
    "the release is cut from the main branch every Tuesday",
    "Oskar is allergic to peanuts and carries an injector",
    "the staging database runs on port 5433",
]
ANSWERED = ["what is Oskar allergic to?", "which port does staging use?", "what did Melanie paint?"]
UNANSWERED = [
    "how many goals did the striker score in Lisbon?",
    "what is the recipe of grandmother's apple strudel?",
    "which visa do I need for Vietnam?",
]


@pytest.mark.parametrize("mode", ["hybrid", "keyword", "vector"])
async def test_a_question_that_nothing_answers_is_told_from_one_that_something_does(
    tmp_path: Path, mode: str
) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add_many(KNOWN)
        for query in ANSWERED:
            found = await memory.search(query, mode=mode)  # type: ignore[arg-type]
            assert not found.nothing_relevant, query
        for query in UNANSWERED:
            found = await memory.search(query, mode=mode)  # type: ignore[arg-type]
            assert found.nothing_relevant, query
            if mode != "keyword":
                assert found, "the near misses are there all the same"


async def test_one_memory_alone_may_answer(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add("my favourite colour is teal")
        assert not (await memory.search("what is my favourite colour?")).nothing_relevant
        assert (await memory.search("who won the chess match in Reykjavik?")).nothing_relevant
        recall = await memory.recall("who won the chess match in Reykjavik?")
        assert recall.nothing_relevant
        assert not recall.items
        assert [item.memory.content for item in recall.left_out] == ["my favourite colour is teal"]
        assert not (await memory.recall("favourite colour")).nothing_relevant
        assert not (await memory.recall()).nothing_relevant


async def test_an_exact_key_is_surely_relevant(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        await memory.long_term.add("teal", key="zq-17")
        (found,) = await memory.search("zq-17")
        assert found.relevance == 1.0


async def test_what_chance_looks_like_is_measured_once_for_another_embedder(tmp_path: Path) -> None:
    class Counting(DummyEmbedder):
        calls = 0

        async def _embed(self, texts: list[str], *, query: bool) -> list[bytes]:  # type: ignore[override]
            Counting.calls += UNRELATED[0] in texts
            return list(await super()._embed(texts, query=query))

    for _ in range(2):
        async with AgentMemory(config=local(tmp_path / "a.db"), embedding_provider=Counting()) as memory:
            await memory.long_term.add("teal is a colour")
            await memory.search("colour")
            await memory.search("teal")
    assert Counting.calls == 2, "as queries and as documents, and then no more"


async def test_an_embedder_that_fails_on_them_costs_no_results(tmp_path: Path) -> None:
    class Failing(DummyEmbedder):
        async def _embed(self, texts: list[str], *, query: bool) -> list[bytes]:  # type: ignore[override]
            if UNRELATED[0] in texts:
                raise EmbeddingError("the service is overloaded")
            return list(await super()._embed(texts, query=query))

    async with AgentMemory(config=local(tmp_path / "a.db"), embedding_provider=Failing()) as memory:
        stored = await memory.long_term.add("teal is a colour")
        assert [scored.memory.id for scored in await memory.search("colour")] == [stored]


def test_the_background_distribution_is_that_of_all_pairs_of_a_query_and_another_text() -> None:
    import numpy as np

    documents = pack_rows(np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], dtype="<f4"))
    background = background_of(documents, documents)
    assert background.mean == pytest.approx((0 + 0.6 + 0.8) / 3)
    assert background.deviation == pytest.approx(np.std([0, 0.6, 0.8]))
    queries = pack_rows(np.array([[0, 0, 1], [0, 0, 1], [0, 1, 0]], dtype="<f4"))
    assert background_of(queries, documents).mean == pytest.approx(1 / 6)


def test_rare_words_count_more_and_unknown_ones_most() -> None:
    statistics = WordStatistics(
        documents=1000, mean_length=10.0, document_frequency={"port": 400, "stage": 3}
    )
    share = WordShare(query_words("port staging zebra"), statistics)
    assert share.of("nothing of it") == 0.0
    assert 0 < share.of("the port") < share.of("the staging area") < share.of("a zebra") < 1
    assert share.of("a zebra at the staging port") == pytest.approx(1.0)
    assert WordShare([], statistics).of("port") == 0.0


def test_a_compound_word_is_held_by_its_parts_and_a_code_by_its_beginning() -> None:
    statistics = WordStatistics(documents=1000, mean_length=10.0, document_frequency={"cost": 10, "ship": 10})
    share = WordShare(query_words("computeShippingCost"), statistics)
    assert share.of("computeShippingCost") == share.of("compute the cost of shipping") == pytest.approx(1.0)
    assert 0 < share.of("the cost") < share.of("the shipping cost") < 1
    share = WordShare(query_words("commit 3f9a2bc"), statistics)
    assert share.of("commit 3f9a2bcd4e5f60718") == pytest.approx(1.0)
    assert share.of("3f9a2bcd4e5f60718") == share.of("commit 3f9a2b") == pytest.approx(0.5)


def test_relevance_grows_with_nearness_and_with_words() -> None:
    for many in (0, 1, 6, 300_000):
        assert (
            relevance(0.0, 0.0, many)
            < relevance(3.0, 0.0, many)
            < relevance(3.0, 0.5, many)
            < relevance(6.0, 1.0, many)
        )
        assert relevance(None, 0.1, many) < relevance(None, 0.9, many)
        assert relevance(1.0, None, many) < relevance(8.0, None, many)


@given(st.one_of(st.none(), st.floats(-30, 30)), st.one_of(st.none(), st.floats(0, 1)))
def test_the_more_there_are_the_less_one_that_is_as_near_is_relevant(
    nearness: float | None, share: float | None
) -> None:
    estimates = [relevance(nearness, share, many) for many in (0, 1, 2, 6, 30, 300, 3_000, 300_000)]
    assert all(0.0 <= estimate <= 1.0 for estimate in estimates)
    assert estimates == sorted(estimates, reverse=True)
