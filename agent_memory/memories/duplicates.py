"""Finding facts that say nearly the same. Pure: records and vectors in, groups out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent_memory.records import LongTermRecord
from agent_memory.text.analysis import analyse

_BLOCK = 1024  # rows compared at once: 1024 x n floats stay small


class Merge(NamedTuple):
    """Memories that say the same: the one that stays, and those that go into it."""

    kept: LongTermRecord
    merged: tuple[LongTermRecord, ...]


def find_duplicates(
    records: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> list[Merge]:
    """Group records whose cosine with the one that stays reaches the threshold, or whose words are the same.

    Each record joins the best one before it (more important, then older) that is near enough, so that no chain
    of near neighbours pulls in what is far from the one that stays. Kinds and categories do not mix.
    """
    groups: dict[tuple[str, str | None], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        groups[record.kind, record.category].append(record)
    return [merge for group in groups.values() for merge in _merges(group, vectors, threshold)]


def _merges(
    group: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> list[Merge]:
    ranked = sorted(group, key=lambda each: (not each.pinned, -each.importance, each.created_at, each.id))
    near = _near(ranked, vectors, threshold)
    same_words: dict[tuple[str, ...], int] = {}
    goes_into: dict[int, int] = {}
    for place, record in enumerate(ranked):
        words = tuple(analyse(record.content))
        candidates = [*near.get(place, ()), *([same_words[words]] if words in same_words else [])]
        staying = [each for each in candidates if each not in goes_into]
        if staying and not record.pinned:
            goes_into[place] = min(staying)
        elif words:
            same_words.setdefault(words, place)
    merged: dict[int, list[LongTermRecord]] = defaultdict(list)
    for place, target in goes_into.items():
        merged[target].append(ranked[place])
    return [Merge(ranked[place], tuple(others)) for place, others in merged.items()]


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
