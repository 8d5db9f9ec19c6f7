"""MaxSim, by hand."""

from __future__ import annotations

import numpy
import pytest

from agent_memory.recall.maxsim import (
    brevity,
    match_scores,
    standardised,
    with_the_former,
    word_similarities,
    word_weights,
)
from agent_memory.text.analysis import query_words
from agent_memory.text.bm25 import WordStatistics

WORDS = ["What", "did", "Marta", "fix", "?"]


def test_rare_words_weigh_most_and_stop_words_nothing() -> None:
    statistics = WordStatistics(documents=1000, mean_length=10.0, document_frequency={"marta": 400, "fix": 3})
    weights = word_weights(WORDS, query_words("What did Marta fix?"), statistics)
    assert list(weights) == ["Marta", "fix"]
    assert weights["fix"] > 4 * weights["Marta"] > 0
    assert sum(weights.values()) == pytest.approx(1)


def test_without_statistics_each_word_weighs_the_same() -> None:
    assert word_weights(WORDS, query_words("What did Marta fix?"), None) == {"Marta": 0.5, "fix": 0.5}


def test_a_query_of_stop_words_counts_them_and_one_without_words_nothing() -> None:
    assert word_weights(["to", "be"], query_words("to be"), None) == {"to": 0.5, "be": 0.5}
    assert word_weights(["?"], query_words("?"), None) == {}


def test_each_token_takes_the_nearest_one_and_a_word_the_mean_of_its_tokens() -> None:
    query = numpy.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=numpy.float16)
    text = numpy.array([[1, 0], [0.8, 0.6]], dtype=numpy.float16)
    words = ["re", "paint", "paint"]
    assert word_similarities(words, ["re", "paint"], query, text) == pytest.approx(
        [1, (0.6 + 0.96) / 2], abs=1e-3
    )
    assert word_similarities([*words, "more"], ["more", "paint"], query, text[:0]) == [0, 0]


def test_a_text_matches_as_well_as_the_one_before_it() -> None:
    assert with_the_former([[0.1, 0.9], [0.5, 0.2]], {1: 0}) == [[0.1, 0.9], [0.5, 0.9]]


def test_no_chain_of_replies_hands_on_what_was_said_before() -> None:
    assert with_the_former([[0.9], [0.1], [0.1]], {1: 0, 2: 1}) == [[0.9], [0.9], [0.1]]


def test_a_word_that_all_match_alike_decides_nothing() -> None:
    scores = match_scores([0.9, 0.1], [[0.7, 0.1], [0.7, 0.9], [0.7, 0.5]])
    assert scores[1] > scores[2] > scores[0]
    assert match_scores([1.0], [[0.5], [0.5]]) == [0, 0]


def test_values_that_are_nearly_alike_are_not_blown_up() -> None:
    assert max(map(abs, standardised([0.5, 0.5001]))) < 0.01
    assert standardised([0.0, 1.0]) == [-1, 1]


def test_it_is_trusted_among_short_texts_and_less_the_longer_they_are() -> None:
    assert brevity([20, 40, 100]) == 1
    assert brevity([120, 120]) == pytest.approx(0.25)
    assert brevity([30, 480]) == pytest.approx(0.25)
