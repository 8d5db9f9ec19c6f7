"""Finding facts that say nearly the same. Pure: records and vectors in, groups out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_memory.records import LongTermRecord
from agent_memory.text.templates import normalise

_PUNCTUATION = ".,;:!…\"'()“”„‘’«»。，、！；：「」"
"""What may stand around a word without changing what is said. A question mark does, and so does the + of C++."""
_NEGATIONS = frozenset({"no", "not", "never", "none", "without", "cannot"})

_WITHIN_WORDS = "-'’"
_BLOCK = 1024  # rows compared at once: 1024 x n floats stay small


class Merge(NamedTuple):
    """Memories that say the same: the one that stays, and those that go into it."""

    kept: LongTermRecord
    merged: tuple[LongTermRecord, ...]


def find_duplicates(
    records: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> list[Merge]:
    """Group records whose cosine with the one that stays reaches the threshold, or whose words are the same.

    Each record joins the best one before it (without an end, more important, then older) that is near enough, so
    that no chain of near neighbours pulls in what is far from the one that stays. Kinds and categories do not mix.
    What is pinned or has a key stays. Two texts with other numbers, symbols or negations are never near enough:
    to a model "port 5432" and "port 5433", "does" and "does not" are all but the same.
    """
    groups: dict[tuple[str, str | None], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        groups[record.kind, record.category].append(record)
    return [merge for group in groups.values() for merge in _merges(group, vectors, threshold)]


def _merges(
    group: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> list[Merge]:
    ranked = sorted(group, key=_rank)
    near = _near(ranked, vectors, threshold)
    said = [_said(record.content) for record in ranked]
    telling = [_telling(words) for words in said]
    same_words: dict[tuple[str, ...], int] = {}
    goes_into: dict[int, int] = {}
    for place, record in enumerate(ranked):
        words = said[place]
        candidates = [each for each in near.get(place, ()) if telling[each] == telling[place]]
        if words in same_words:
            candidates.append(same_words[words])
        staying = [each for each in candidates if each not in goes_into]
        if staying and not record.pinned and record.key is None:
            goes_into[place] = min(staying)
        else:
            same_words.setdefault(words, place)
    merged: dict[int, list[LongTermRecord]] = defaultdict(list)
    for place, target in goes_into.items():
        merged[target].append(ranked[place])
    return [Merge(ranked[place], tuple(others)) for place, others in merged.items()]


def _rank(record: LongTermRecord) -> tuple[object, ...]:
    """Say who stays: what was marked, then what has no end, then what matters more, then what came first."""
    marked = record.pinned or record.key is not None
    return (not marked, record.expires_at is not None, -record.importance, record.created_at, record.id)


def _said(text: str) -> tuple[str, ...]:
    """Return a text's words without case and without the punctuation around them."""
    words = (word.strip(_PUNCTUATION) for word in normalise(text).casefold().split())
    return tuple(word for word in words if word)


def _telling(words: Sequence[str]) -> frozenset[str]:
    """Return the words that turn a statement into another one: numbers, symbols, negations."""
    return frozenset(
        word
        for word in words
        if word in _NEGATIONS
        or word.endswith(("n't", "n’t"))
        or not all(letter.isalpha() or letter in _WITHIN_WORDS for letter in word)
    )


def _near(
    ranked: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> dict[int, list[int]]:
    """Return, for each place, the places before it whose cosine reaches the threshold. Long texts stay out."""
    places = [place for place, record in enumerate(ranked) if len(vectors.get(record.id, ())) == 1]
    if len(places) < 2:
        return {}
    import numpy as np

    matrix = np.frombuffer(b"".join(vectors[ranked[place].id][0] for place in places), dtype="<f4")
    matrix = matrix.reshape(len(places), -1)
    result: dict[int, list[int]] = {}
    for start in range(0, len(places), _BLOCK):
        rows, columns = np.nonzero(matrix[start : start + _BLOCK] @ matrix.T >= threshold)
        for row, column in zip((rows + start).tolist(), columns.tolist(), strict=True):
            if column < row:
                result.setdefault(places[row], []).append(places[column])
    return result
