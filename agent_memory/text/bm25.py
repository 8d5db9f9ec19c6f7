"""BM25 as FTS5's `bm25()` computes it, and what it is like over a whole store.

After FTS5's source, `fts5_aux.c`: k1 = 1.2, b = 0.75, and the idf of Robertson and Spärck Jones, with 1e-6 in place
of what would be negative for a term in more than half of the rows. FTS5 returns the score negated; here larger is
better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from agent_memory.text.analysis import QueryWord, is_code
from agent_memory.text.porter import stem

K1: Final = 1.2
B: Final = 0.75
SMALLEST_IDF: Final = 1e-6

_SHORT_ROW = 25.0
_MEAN_GROWTH, _DEVIATION_GROWTH = 0.08, 0.2
_MOST_GROWTH = 3.5  # in units of ln(length / 25): rows of 800 words, longer than any that were measured


@dataclass(frozen=True, slots=True)
class WordStatistics:
    """What BM25 has to know about a store."""

    documents: int
    """How many rows the word index has."""
    mean_length: float
    """Words per row."""
    document_frequency: Mapping[str, int]
    """For each stemmed term asked for, in how many rows it is."""


def idf(documents: int, document_frequency: int) -> float:
    """Return the weight of a term that is in so many of so many rows, at least 1e-6."""
    holders = min(document_frequency, documents)  # counts taken a moment apart may contradict each other
    return max(math.log((documents - holders + 0.5) / (holders + 0.5)), SMALLEST_IDF)


def bm25_score(term_frequencies: Mapping[str, int], length: int, statistics: WordStatistics) -> float:
    """Return the score of one row, 0 or more.

    Args:
        term_frequencies: how often each stemmed term of the query is in the row.
        length: the row's words, all of them.
        statistics: how often the words occur in all memories.
    """
    relative = length / statistics.mean_length if statistics.mean_length > 0 else 1.0
    damping = K1 * (1 - B + B * relative)
    score = 0.0
    for term, frequency in term_frequencies.items():
        if frequency > 0:
            weight = idf(statistics.documents, statistics.document_frequency.get(term, 0))
            score += weight * frequency * (K1 + 1) / (frequency + damping)
    return score


def whole_score(words: Iterable[QueryWord], statistics: WordStatistics) -> float:
    """Return what a row of mean length scores that has every word of a query once, 0 or more.

    A word that no row has weighs most. A compound is there where its parts are, a code where a word begins so.
    """
    total = 0.0
    for word in words:
        weight = _idf_of(word.whole, statistics)
        if word.parts:
            weight = min(weight, sum(_idf_of(part, statistics) for part in word.parts))
        elif is_code(word.whole):
            begun = [term for term in statistics.document_frequency if term.startswith(word.whole)]
            weight = min([weight, *(_idf_of(term, statistics) for term in begun)])
        total += weight
    return total


def share_held(score: float, length: int, whole: float, statistics: WordStatistics) -> float:
    """Return about which share of a query's words a row has, from its score: 0 or more, rare words counting more.

    Args:
        score: the row's.
        length: its words, about. A long row scores less for the same words.
        whole: `whole_score` of the query.
        statistics: how often the words occur in all memories.
    """
    relative = max(1.0, length / statistics.mean_length) if statistics.mean_length > 0 else 1.0
    return score * (1 + K1 * (1 - B + B * relative)) / (whole * (K1 + 1)) if whole > 0 else 0.0


def _idf_of(term: str, statistics: WordStatistics) -> float:
    return idf(statistics.documents, statistics.document_frequency.get(stem(term), 0))


def expected_statistics(statistics: WordStatistics) -> tuple[float, float]:
    """Estimate the mean and the standard deviation of a query's score over all rows, most of which score 0.

    The terms are taken as independent, and a row that holds a term as scoring its idf:
    mean = a * sum(idf p), deviation = c * sqrt(sum(idf^2 p (1 - p))), with p the share of rows that hold the term.
    In long rows terms come together and repeat, so a and c grow with the mean length. Measured, against the true
    values of each query: rows of 10 to 35 words (LoCoMo, LongMemEval) a .90 to .99, c .94 to 1.10; 160 to 225
    words (Cranfield, SciFact, LongMemEval) a 1.03 to 1.20, c 1.21 to 1.46; 250 to 385 words (BEAM) a 1.17 to
    1.25, c 1.56 to 1.68. Within a set, nine queries of ten are within a fifth of its average c.

    Returns:
        (0, 0) where no row holds any of the terms, or there are no rows.
    """
    mean = variance = 0.0
    for frequency in statistics.document_frequency.values():
        if frequency > 0 and statistics.documents > 0:
            weight = idf(statistics.documents, frequency)
            share = min(1.0, frequency / statistics.documents)
            mean += weight * share
            variance += weight * weight * share * (1 - share)
    growth = min(_MOST_GROWTH, math.log(max(statistics.mean_length, _SHORT_ROW) / _SHORT_ROW))
    return (1 + _MEAN_GROWTH * growth) * mean, (1 + _DEVIATION_GROWTH * growth) * math.sqrt(variance)
