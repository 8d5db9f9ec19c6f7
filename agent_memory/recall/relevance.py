"""How likely it is that a memory answers a query at all, whatever else is in the store.

The rank compares the memories of one store with each other; something is always first. Relevance compares with what
unrelated texts look like to the same embedder, and with how much of the query's words a memory holds: what is first
in the memory of somebody else is near nothing and lacks the words that matter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from agent_memory.recall import constants
from agent_memory.recall.scoring import Distribution, logistic
from agent_memory.text.analysis import analyse
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.porter import stem

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


class Null(NamedTuple):
    """What the cosines of unrelated texts look like to one embedder."""

    mean: float
    deviation: float

    def __str__(self) -> str:
        return f"{self.mean:.4f} {self.deviation:.4f}"

    def z(self, cosine: float) -> float:
        """Say how many deviations above chance a cosine lies."""
        return Distribution(self.mean, self.deviation).z(cosine)


DEFAULT_NULL = Null(constants.PRIOR_MEAN, constants.PRIOR_DEVIATION)


def null_of(vectors: Sequence[bytes]) -> Null:
    """Work out the null distribution of an embedder from its vectors of `UNRELATED`."""
    import numpy as np

    matrix = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)
    cosines = (matrix @ matrix.T)[np.triu_indices(len(vectors), 1)]
    return Null(float(cosines.mean()), max(float(cosines.std()), constants.SMALLEST_DEVIATION))


class WordShare:
    """Says which share of a query's words a memory holds, rare words counting more, unknown ones most."""

    def __init__(self, terms: Sequence[str], statistics: WordStatistics) -> None:
        documents = max(statistics.documents, constants.SMALL_STORE)
        self._weights: dict[str, float] = {}
        for root in map(stem, terms):
            held = min(statistics.document_frequency.get(root, 0), documents)
            self._weights[root] = math.log(1 + (documents - held + 0.5) / (held + 0.5))
        self._all = sum(self._weights.values())

    def of(self, text: str) -> float:
        """Return the share for a text, in [0, 1]."""
        if not self._all:
            return 0.0
        held = set(map(stem, set(analyse(text))))
        return sum(weight for root, weight in self._weights.items() if root in held) / self._all


def relevance(nearness: float | None, share: float | None) -> float:
    """Estimate the probability that a memory answers a query.

    Args:
        nearness: deviations above chance of its cosine; None where meaning takes no part.
        share: the share of the query's words that it holds; None where words take no part.
    """
    if nearness is None:
        by_words, offset = constants.RELEVANCE_BY_WORDS
        return logistic(by_words * (share or 0.0) + offset)
    if share is None:
        by_meaning, offset = constants.RELEVANCE_BY_MEANING
        return logistic(by_meaning * nearness + offset)
    by_meaning, by_words, offset = constants.RELEVANCE
    return logistic(by_meaning * nearness + by_words * share + offset)
