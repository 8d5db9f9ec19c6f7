"""Our BM25 against FTS5's own, and the estimate of its statistics against the truth."""

from __future__ import annotations

import math
import random
from collections import Counter
from contextlib import closing
from statistics import fmean, pstdev
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.text.analysis import analyse, analysed_text, query_terms, query_words
from agent_memory.text.bm25 import (
    WordStatistics,
    bm25_score,
    expected_statistics,
    idf,
    share_held,
    whole_score,
)
from agent_memory.text.porter import stem

from .full_text import DRIVERS, index, matches

every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.sqlite_version)

WORDS = "rocket rockets fuel engine the launch launched café 设备 设 methane tank cold"
words = st.sampled_from(WORDS.split())
rows = st.lists(st.lists(words, max_size=12).map(" ".join), min_size=1, max_size=25)


def counted(texts: list[str]) -> list[Counter[str]]:
    return [Counter(map(stem, analyse(text))) for text in texts]


def statistics_of(bags: list[Counter[str]], terms: list[str]) -> WordStatistics:
    return WordStatistics(
        documents=len(bags),
        mean_length=sum(bag.total() for bag in bags) / len(bags),
        document_frequency={term: sum(term in bag for bag in bags) for term in terms},
    )


def scores_of(bags: list[Counter[str]], terms: list[str]) -> list[float]:
    statistics = statistics_of(bags, terms)
    return [bm25_score({term: bag[term] for term in terms}, bag.total(), statistics) for bag in bags]


@every_driver
@settings(max_examples=150, deadline=None)
@given(rows, st.lists(words, min_size=1, max_size=4).map(" ".join))
def test_the_scores_are_those_of_fts5(driver: ModuleType, texts: list[str], query: str) -> None:
    terms = query_terms(query)
    expected = dict(matches(driver, [analysed_text(text) for text in texts], terms))
    scores = scores_of(counted(texts), [stem(term) for term in terms])
    assert {row for row, score in enumerate(scores) if score > 0} == expected.keys()
    for row, score in expected.items():
        assert scores[row] == pytest.approx(score, rel=1e-12)


@every_driver
def test_fts5_counts_the_documents_of_our_stems(driver: ModuleType) -> None:
    texts = ["Relational databases", "a database relates 设备", "nothing here", "Café cafés"]
    with closing(index(driver, map(analysed_text, texts))) as connection:
        counts = dict(connection.execute("select term, doc from vocabulary"))
    stems = ["databas", "relat", "设备", "cafe"]
    assert {term: counts[term] for term in stems} == statistics_of(counted(texts), stems).document_frequency


def test_idf() -> None:
    assert idf(100, 1) == pytest.approx(math.log(99.5 / 1.5))
    assert idf(100, 50) == idf(100, 99) == idf(1, 1) == idf(3, 7) == 1e-6
    assert idf(0, 0) == 1e-6


@given(
    st.integers(0, 10**7),
    st.floats(0, 1e5),
    st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 10**7), st.integers(0, 1000)), max_size=5),
    st.integers(0, 10**6),
)
def test_scores_and_statistics_are_finite_and_not_negative(
    documents: int, mean_length: float, terms: dict[str, tuple[int, int]], length: int
) -> None:
    statistics = WordStatistics(documents, mean_length, {term: held for term, (held, _) in terms.items()})
    score = bm25_score({term: times for term, (_, times) in terms.items()}, length, statistics)
    assert 0 <= score < math.inf
    assert all(0 <= value < math.inf for value in expected_statistics(statistics))


def test_nothing_is_expected_of_nothing() -> None:
    assert expected_statistics(WordStatistics(0, 0.0, {})) == (0.0, 0.0)
    assert expected_statistics(WordStatistics(10, 5.0, {"absent": 0})) == (0.0, 0.0)
    assert expected_statistics(WordStatistics(0, 0.0, {"stale": 3})) == (0.0, 0.0)


@pytest.mark.parametrize("length", [10, 30, 200])
def test_the_expected_statistics_are_near_the_true_ones(length: int) -> None:
    dice = random.Random(length)
    vocabulary = [f"w{number}" for number in range(3000)]
    weights = [1 / (rank + 3) for rank in range(3000)]
    bags = []
    for _ in range(1500):
        topic = dice.sample(vocabulary, 8)  # words come together and come again, as in real texts
        body = dice.choices(vocabulary, weights, k=length)
        bags.append(Counter(dice.choice(topic) if dice.random() < 0.1 else word for word in body))
    for _ in range(20):
        terms = dice.sample([*dice.choices(bags)[0]], 4)
        scores = scores_of(bags, terms)
        mean, deviation = expected_statistics(statistics_of(bags, terms))
        assert 0.65 < mean / fmean(scores) < 1.5
        assert 0.65 < deviation / pstdev(scores) < 1.5


STATISTICS = WordStatistics(
    documents=1_000,
    mean_length=20.0,
    document_frequency={"rocket": 3, "fuel": 50, "tank": 50, "limit": 10, "rate": 10},
)


@pytest.mark.parametrize("length", [20, 50, 400, 3_000])
def test_the_share_of_a_querys_words_is_read_from_the_score(length: int) -> None:
    whole = whole_score(query_words("rocket fuel tank"), STATISTICS)
    every, one = (
        share_held(bm25_score(dict.fromkeys(terms, 1), length, STATISTICS), length, whole, STATISTICS)
        for terms in (("rocket", "fuel", "tank"), ("fuel",))
    )
    assert every == pytest.approx(1.0)
    assert one == pytest.approx(idf(1_000, 50) / (idf(1_000, 3) + 2 * idf(1_000, 50)))


def test_a_word_that_nothing_has_weighs_most() -> None:
    known, unknown = (
        whole_score(query_words(f"fuel {word}"), STATISTICS) for word in ("rocket", "xylophone")
    )
    assert unknown > known


def test_a_compound_is_there_where_its_parts_are() -> None:
    whole = whole_score(query_words("rateLimit"), STATISTICS)
    score = bm25_score({"rate": 1, "limit": 1}, 20, STATISTICS)
    assert share_held(score, 20, whole, STATISTICS) >= 1.0


def test_a_code_is_there_where_a_word_begins_so() -> None:
    statistics = WordStatistics(100, 20.0, {"4f2a91c": 0, "4f2a91c07be3": 1})
    whole = whole_score(query_words("4f2a91c"), statistics)
    assert share_held(bm25_score({"4f2a91c07be3": 1}, 20, statistics), 20, whole, statistics) >= 1.0


def test_where_nothing_is_stored_there_is_no_share() -> None:
    empty = WordStatistics(documents=0, mean_length=0.0, document_frequency={})
    whole = whole_score(query_words("rocket fuel"), empty)
    assert share_held(0.0, 5, whole, empty) == share_held(0.0, 5, 0.0, empty) == 0.0
