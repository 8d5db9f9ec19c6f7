"""The sum that ranks: z-scored keyword and vector scores, and small boosts that reorder but never hide.

Pure functions of numbers; `candidate_scoring` knows where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent_memory.recall import constants


class Distribution(NamedTuple):
    """Mean and deviation of a score over the whole store."""

    mean: float
    deviation: float

    def z(self, value: float) -> float:
        """Return how many deviations above the mean a value lies."""
        return (value - self.mean) / self.deviation


def cosine_distribution(count: int, mean: float, deviation: float, background: Distribution) -> Distribution:
    """Blend a sample's statistics with what unrelated texts look like to the embedder.

    With few vectors the background carries the weight; with `constants.SAMPLE` of them it no longer matters.

    Returns:
        The blended mean, and the deviation, which is never too small to divide by.
    """
    prior = constants.PRIOR_WEIGHT
    blended = (count * mean + prior * background.mean) / (count + prior)
    spread = (
        count * (deviation**2 + (mean - blended) ** 2)
        + prior * (background.deviation**2 + (background.mean - blended) ** 2)
    ) / (count + prior)
    return Distribution(blended, max(math.sqrt(spread), constants.SMALLEST_DEVIATION))


def piecewise(cosines: Sequence[float], distribution: Distribution) -> float:
    """Return how many deviations above the mean a memory in several segments lies.

    Of many segments the nearest is near by chance: of n normal values the largest lies about sqrt(2 ln n) deviations
    above their mean. So the first segment, which mostly says what the whole is about, counts as well; unless one is
    nearer than chance explains.
    """
    nearest = max(cosines)
    opening = constants.OPENING_WEIGHT
    blended = distribution.z(opening * cosines[0] + (1 - opening) * nearest)
    return max(blended, distribution.z(nearest) - constants.CHANCE * expected_largest(len(cosines)))


def expected_largest(count: int) -> float:
    """Return about how many deviations above the mean the largest of so many normal values lies; 0 for none or one.

    The leading term of its expectation: sqrt(2 ln n).
    """
    return math.sqrt(2 * math.log(count)) if count > 1 else 0.0


@dataclass(slots=True)
class Parts:
    """What one memory's rank is made of."""

    bm25: float = 0.0
    keyword_z: float = 0.0
    cosine: float | None = None
    vector_z: float = 0.0
    keyword_weight: float = constants.WORDS_WEIGHT
    vector_weight: float = constants.MEANING_WEIGHT
    words_counted: float = 1.0
    """How much of the weight of keywords counts, in [0, 1]."""
    by_meaning_alone: float = 0.0
    """What is added for meaning where words do not count at all, in deviations."""
    importance: float = 0.0
    decay: float = 0.0
    reply: float = 0.0
    session: float = 0.0
    speaker: float = 0.0
    around: float = 0.0
    """What the messages right before and behind it are worth."""
    brevity: float = 0.0
    """Taken from a short message or a question among people; 0 or less."""
    date: float = 0.0
    limited: float = 0.0
    """Taken off again, where its conversation would lift it above something that answers; 0 or less."""
    exact_key: bool = False
    echo: bool = False
    """Whether it merely repeats the query."""
    notes: list[str] = field(default_factory=list)

    def weigh_words(self, share: float, words: int) -> None:
        """Reduce the weight of words where the memory has few of the query's words, and raise that of meaning.

        Words never lower a rank: where they would add less than meaning gains without them, they are left out.

        Args:
            share: the share of the query's words that it has, rare and unknown ones counting more than others.
            words: how many words the query has.
        """
        self.by_meaning_alone = constants.HANDED_OVER * max(0.0, self.vector_z - constants.HANDED_OVER_FROM)
        if self.keyword_weight * self.keyword_z < self.by_meaning_alone:
            self.words_counted = 0.0
        else:
            self.words_counted = min(1.0, share / min(1.0, constants.WORDS_WANTED / words)) ** 2

    @property
    def evidence(self) -> float:
        """What words and meaning say, in deviations above the store's average."""
        return self._words_weight * self.keyword_z + self.vector_weight * self.vector_z + self._handed_over

    @property
    def _words_weight(self) -> float:
        """The weight that keywords have in the evidence."""
        return self.keyword_weight * self.words_counted if self.keyword_z > 0 else self.keyword_weight

    @property
    def _handed_over(self) -> float:
        """The part of `by_meaning_alone` that is added: all of it where words do not count."""
        return (1.0 - self.words_counted) * self.by_meaning_alone

    @property
    def topic(self) -> float:
        """The evidence as it counts for the messages around a memory: with the full weight of its words.

        Any of its words may say what a conversation is about.
        """
        return self.keyword_weight * self.keyword_z + self.vector_weight * self.vector_z

    @property
    def total(self) -> float:
        """The sum that memories are ordered by."""
        boosts = self.importance + self.decay + self.date
        boosts += self.reply + self.session + self.speaker + self.around + self.brevity
        key = constants.EXACT_KEY if self.exact_key else 0.0
        echo = constants.ECHO_COST if self.echo else 0.0
        return self.evidence + boosts + self.limited + key - echo

    @property
    def score(self) -> float:
        """The sum through one fixed logistic, in [0, 1]."""
        return logistic((self.total - constants.SCORE_MIDDLE) / constants.SCORE_SCALE)

    def explain(self, retrievers: tuple[str, ...]) -> Mapping[str, Any]:
        """Return every part by name, rounded for reading."""
        words = {"bm25": _short(self.bm25), "z": _short(self.keyword_z), "weight": _short(self._words_weight)}
        result: dict[str, Any] = {"arms": list(retrievers), "words": words}
        if self.cosine is not None:
            result["meaning"] = {
                "cosine": _short(self.cosine),
                "z": _short(self.vector_z),
                "weight": self.vector_weight,
            }
            if self._handed_over:
                result["meaning"]["without_words"] = _short(self._handed_over)
        result["boosts"] = {"importance": _short(self.importance), "decay": _short(self.decay)}
        for name in ("reply", "session", "speaker", "around", "brevity", "date", "limited"):
            if value := getattr(self, name):
                result["boosts"][name] = _short(value)
        if self.exact_key:
            result["boosts"]["exact_key"] = constants.EXACT_KEY
        if self.echo:
            result["boosts"]["echo"] = -constants.ECHO_COST
        result["sum"] = _short(self.total)
        if self.notes:
            result["notes"] = list(self.notes)
        return result


def logistic(value: float) -> float:
    """Map any number into (0, 1) without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-min(value, 700.0)))
    return 1.0 - logistic(-value)


def logit(share: float) -> float:
    """Invert `logistic`; shares of 0 and 1 give large finite numbers."""
    share = min(max(share, 1e-12), 1 - 1e-12)
    return math.log(share / (1 - share))


def sum_of_logit(value: float) -> float:
    """Return the sum whose `score` has this logit, so that the sums of all searches are of one scale."""
    return constants.SCORE_MIDDLE + constants.SCORE_SCALE * value


def _short(value: float) -> float:
    return round(value, 4)
