"""How likely it is that a memory answers a query at all, whatever else is in the store.

The rank compares the memories of one store with each other; something is always first. Relevance compares with what
unrelated texts look like to the same embedder, with how near the nearest of so many of them is by chance, and with
how much of the query's words a memory holds: what is first in the memory of somebody else is no nearer than chance
and lacks the words that matter. A question about another property of something that is stored can fool it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from agent_memory.recall import constants
from agent_memory.recall.scoring import Distribution, expected_largest, logistic
from agent_memory.text.analysis import QueryWord, analyse, is_code
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.porter import stem

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

UNRELATED = (
    "The ferry to the island leaves at seven in the morning.",
    "Quarterly revenue grew by eleven percent.",
    "She plays the cello in a chamber orchestra.",
    "Boil the lentils until they are soft.",
    "The database migration failed on the second shard.",
    "Our cat is afraid of the vacuum cleaner.",
    "Volcanic soil is rich in minerals.",
    "He was elected mayor of a small town.",
    "The goalkeeper broke two fingers during practice.",
    "Interest rates are expected to fall next year.",
    "A function should do one thing only.",
    "They painted the kitchen in a pale yellow.",
    "The dentist moved the appointment to Thursday.",
    "Migrating birds follow the coast southward.",
    "This jacket is too tight around the shoulders.",
    "The novel is set in a monastery in the fourteenth century.",
)
"""Sentences that have nothing to do with each other: how near an embedder finds them is what chance looks like."""


class BackgroundDistribution(Distribution):
    """What the cosines of unrelated texts look like to one embedder."""

    def __str__(self) -> str:
        return f"{self.mean:.4f} {self.deviation:.4f}"

    @classmethod
    def parse(cls, text: str) -> BackgroundDistribution:
        """Read what `str` wrote."""
        mean, deviation = map(float, text.split())
        return cls(mean, deviation)


DEFAULT_BACKGROUND = BackgroundDistribution(constants.BACKGROUND_MEAN, constants.BACKGROUND_DEVIATION)


def background_of(queries: Sequence[Vector], documents: Sequence[Vector]) -> BackgroundDistribution:
    """Work out the background distribution of an embedder from its vectors of `UNRELATED`.

    Args:
        queries: the vectors of all of them, embedded as queries.
        documents: the same, embedded as what is stored.

    Returns:
        Mean and deviation of the cosines of all pairs of a query and another text.
    """
    import numpy as np

    asked, stored = (
        np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)
        for vectors in (queries, documents)
    )
    cosines = (asked @ stored.T)[~np.eye(len(asked), dtype=bool)]
    return BackgroundDistribution(
        float(cosines.mean()), max(float(cosines.std()), constants.SMALLEST_DEVIATION)
    )


class WordShare:
    """Says which share of a query's words a memory holds, rare words counting more, unknown ones most.

    A compound word is held where all its parts are, a code where a word begins so.
    """

    def __init__(self, words: Sequence[QueryWord], statistics: WordStatistics) -> None:
        self._statistics = statistics
        self._documents = max(statistics.documents, constants.SMALL_STORE)
        self._words = [(word, self._weight(word.whole), self._parts(word)) for word in words]
        self._all = sum(weight for _, weight, _ in self._words)

    def _weight(self, term: str) -> float:
        frequency = min(self._statistics.document_frequency.get(stem(term), 0), self._documents)
        return math.log(1 + (self._documents - frequency + 0.5) / (frequency + 0.5))

    def _parts(self, word: QueryWord) -> dict[str, float]:
        weights = {stem(part): self._weight(part) for part in word.parts}
        total = sum(weights.values())
        return {root: weight / total for root, weight in weights.items()}

    def of(self, text: str) -> float:
        """Return the share for a text, in [0, 1]."""
        if not self._all:
            return 0.0
        roots = set(map(stem, set(analyse(text))))
        return (
            sum(weight * _share_of_word(word, parts, roots) for word, weight, parts in self._words)
            / self._all
        )


def _share_of_word(word: QueryWord, parts: Mapping[str, float], roots: Set[str]) -> float:
    """Return how much of a word stems hold, in [0, 1]."""
    if stem(word.whole) in roots:
        return 1.0
    if is_code(word.whole) and any(root.startswith(word.whole) for root in roots):
        return 1.0
    return sum(weight for root, weight in parts.items() if root in roots)


def relevance(nearness: float | None, share: float | None, compared: int) -> float:
    """Estimate the probability that a memory answers a query.

    A memory answers by what it means or by the words that it shares with the query; each is weighed against what
    chance gives among so many memories, so that the same number means the same in a small and in a large store. It is
    the probability for the best of a search where half of all questions have an answer.

    Args:
        nearness: deviations of its cosine above those of unrelated texts; None where meaning takes no part.
        share: the share of the query's words that it holds, in [0, 1]; None where words take no part.
        compared: among how many it was looked for: vectors, or memories where meaning takes no part.

    Returns:
        A number in [0, 1].
    """
    chance = expected_largest(compared + 1)  # one memory alone may be near by chance, too
    by_meaning = by_words = 0.0
    if nearness is not None:
        by_meaning = logistic(
            constants.RELEVANCE_BY_MEANING * nearness - constants.MEANING_BY_CHANCE * chance
        )
    if share is not None:
        likely = constants.LIKELY_SHARE + constants.WORDS_BY_CHANCE * chance
        by_words = logistic(constants.RELEVANCE_BY_WORDS * (share - likely))
    return 1.0 - (1.0 - by_meaning) * (1.0 - by_words)
