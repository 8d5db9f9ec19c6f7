"""How much a memory counts, as pure functions of a memory and a moment. All return a number in [0, 1].

`ImportanceScorer` is what search uses. The others look at the text or the tags, and `CompositeScorer` weighs any of
them, or a function of your own, against each other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from agent_memory import clock
from agent_memory.errors import ConfigurationError
from agent_memory.records import MemoryRecord

_NEW = timedelta(0)
Scorer = Callable[[MemoryRecord, datetime], float]
"""Says how much a memory counts at a moment, in [0, 1]."""


class ImportanceScorer:
    """What was said about a memory, how often it is used, and how lately, as a weighted mean.

    With the default weights a new memory of importance .5 that nobody has asked for scores .5, so that it is neither
    lifted nor lowered.
    """

    def __init__(
        self,
        *,
        base_weight: float = 0.6,
        access_weight: float = 0.2,
        recency_weight: float = 0.2,
        many_accesses: int = 50,
        half_life: timedelta | float | str = timedelta(days=7),
    ) -> None:
        """Take the weights of the three parts, which need not add up to 1.

        Args:
            base_weight: of the memory's own importance.
            access_weight: of how often it was returned. That part grows with the logarithm, since the tenth time says
                less than the first.
            recency_weight: of how lately it was returned, or else written.
            many_accesses: from how many on the part of accesses is 1.
            half_life: after which time half the recency is left; a pinned memory keeps all of it.

        Raises:
            ConfigurationError: a weight is negative, or all are 0; `many_accesses` is below 1.
            ValidationError: the half-life is not a positive duration.
        """
        check_weights([base_weight, access_weight, recency_weight])
        if not many_accesses >= 1:
            raise ConfigurationError(f"many_accesses is {many_accesses}", hint="give 1 or more")
        total = base_weight + access_weight + recency_weight
        self._base = base_weight / total
        self._access = access_weight / total / math.log1p(many_accesses)
        self._recency = recency_weight / total
        self._many = many_accesses
        self._half_life = clock.as_duration(half_life)

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return the importance of a memory at a moment."""
        used = math.log1p(min(max(0, record.access_count), self._many))
        idle = now - max(record.accessed_at or record.updated_at, record.updated_at)
        recency = 1.0 if record.pinned or idle <= _NEW else 0.5 ** (idle / self._half_life)
        return clamped(
            self._base * clamped(record.importance) + self._access * used + self._recency * recency
        )


class KeywordScorer:
    """The highest value of the words and phrases that a memory's text holds, whatever their case."""

    def __init__(self, keywords: Mapping[str, float] | Iterable[str], *, otherwise: float = 0.5) -> None:
        """Take the value of each keyword, 1 where only words are given, and the one of a memory without any.

        Raises:
            ConfigurationError: there is no keyword, or a value is outside [0, 1].
        """
        self._patterns = [
            (value, re.compile(_whole(word.casefold())))
            for word, value in _valued("keyword", keywords).items()
        ]
        self._otherwise = check_value("otherwise", otherwise)

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return the highest value of the keywords in the text."""
        text = record.content.casefold()
        return max(
            (value for value, pattern in self._patterns if pattern.search(text)), default=self._otherwise
        )


def _whole(word: str) -> str:
    """Return the pattern of a word that is not part of a longer one, in scripts that put spaces between words."""
    return (
        (r"(?<!\w)" if word[0] < _UNSPACED else "")
        + re.escape(word)
        + (r"(?!\w)" if word[-1] < _UNSPACED else "")
    )


_UNSPACED = "\u0e00"  # from Thai on; Chinese and Japanese are behind it


class TagScorer:
    """The highest value of a memory's tags."""

    def __init__(self, tags: Mapping[str, float] | Iterable[str], *, otherwise: float = 0.5) -> None:
        """Take the value of each tag, 1 where only tags are given, and the one of a memory without any.

        Raises:
            ConfigurationError: there is no tag, or a value is outside [0, 1].
        """
        self._values = _valued("tag", tags)
        self._otherwise = check_value("otherwise", otherwise)

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return the highest value of the tags."""
        return max((self._values[tag] for tag in record.tags if tag in self._values), default=self._otherwise)


class CompositeScorer:
    """The weighted mean of several scorers."""

    def __init__(self, scorers: Iterable[tuple[Scorer, float]]) -> None:
        """Take scorers with their weights, which need not add up to 1.

        Raises:
            ConfigurationError: there is none, a weight is negative, or all are 0.
        """
        self._scorers = tuple(scorers)
        check_weights([weight for _, weight in self._scorers])

    def __call__(self, record: MemoryRecord, now: datetime) -> float:
        """Return the weighted mean.

        Raises:
            ConfigurationError: a scorer returned something that is not a number.
        """
        total = sum(weight for _, weight in self._scorers)
        return clamped(sum(weight * clamped(scorer(record, now)) for scorer, weight in self._scorers) / total)


def clamped(value: float) -> float:
    """Return the nearest number in [0, 1].

    Raises:
        ConfigurationError: it is not a number, which no scorer or curve may return.
    """
    if 0.0 <= value <= 1.0:  # as nearly always
        return value
    if math.isnan(value):
        raise ConfigurationError(
            "a scorer or decay curve returned NaN", hint="make it return a number from 0 to 1"
        )
    return min(1.0, max(0.0, value))


def check_value(name: str, value: float) -> float:
    """Return a number in [0, 1].

    Raises:
        ConfigurationError: it is outside.
    """
    if not 0.0 <= value <= 1.0:
        raise ConfigurationError(f"{name} is {value}", hint="give a number from 0 to 1")
    return float(value)


def check_weights(weights: Iterable[float]) -> None:
    """Raise ConfigurationError unless the weights are finite, none is negative, and one is positive."""
    numbers = list(weights)
    if not all(math.isfinite(weight) and weight >= 0 for weight in numbers) or not sum(numbers) > 0:
        raise ConfigurationError(
            f"the weights {numbers} cannot be weighed", hint="give numbers of 0 or more, one of them above 0"
        )


def _valued(what: str, entries: Mapping[str, float] | Iterable[str]) -> dict[str, float]:
    names = [entries] if isinstance(entries, str) else entries
    values = names if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)
    result = {name: check_value(f"the value of {what} '{name}'", value) for name, value in values.items()}
    if not result or not all(result):
        raise ConfigurationError(f"a scorer by {what} was given no {what}", hint="name at least one")
    return result
