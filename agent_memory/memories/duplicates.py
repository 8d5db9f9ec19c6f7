"""Finding facts that say the same, and those that say something near it. Pure: records and vectors in, groups out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from agent_memory.memories.sameness import wording
from agent_memory.records import LongTermRecord, Status
from agent_memory.storage.changes import Replace

_BLOCK = 1024  # rows compared at once: 1024 x n floats stay small


class Duplicates(NamedTuple):
    """A fact, and others that say the same or something near it."""

    kept: LongTermRecord
    """The one that stays."""
    merged: tuple[LongTermRecord, ...] = ()
    """Those that say the same in the same words: merging puts them away."""
    similar: tuple[LongTermRecord, ...] = ()
    """Those that are near in meaning: for a person to look at, never merged."""


def find_same(records: Iterable[LongTermRecord]) -> list[Duplicates]:
    """Group facts that say the same (see `sameness`), each group in one record that stays and the others.

    Kinds and categories do not mix, nor do sessions that were named for a fact. What is pinned or has a key stays.
    """
    groups: dict[tuple[object, ...], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        session = record.session if record.session_given else None
        groups[record.kind, record.category, session, wording(record.content)].append(record)
    found: list[Duplicates] = []
    for group in groups.values():
        first, *others = sorted(group, key=_rank)
        merged = tuple(each for each in others if not each.pinned and each.key is None)
        if merged:
            found.append(Duplicates(first, merged))
    return found


def find_duplicates(
    records: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> list[Duplicates]:
    """Group facts that say the same, and beside each fact that stays those whose cosine reaches the threshold.

    Kinds and categories do not mix. A fact is shown beside the best that is near it, once.
    """
    same = {group.kept.id: group for group in find_same(records)}
    gone = {each.id for group in same.values() for each in group.merged}
    kinds: dict[tuple[str, str | None], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        if record.id not in gone:
            kinds[record.kind, record.category].append(record)
    found: list[Duplicates] = []
    for group in kinds.values():
        ranked = sorted(group, key=_rank)
        similar = _beside(ranked, vectors, threshold)
        for place, record in enumerate(ranked):
            merged = same[record.id].merged if record.id in same else ()
            if merged or place in similar:
                near = tuple(ranked[each] for each in similar.get(place, ()))
                found.append(Duplicates(record, merged, near))
    return found


def merging(group: Duplicates) -> Iterator[Replace]:
    """Return the changes that put away what says the same; what it had and the one that stays lacks, that one gains.

    Tags are united, the highest importance and the longest life count. Of metadata, source and time, what the one
    that stays has counts, then what the better of the others have.
    """
    everyone = (group.kept, *group.merged)
    ends = [each.expires_at for each in everyone if each.expires_at is not None]
    metadata = {name: value for each in reversed(everyone) for name, value in each.metadata.items()}
    dated = next((each for each in everyone if each.occurred_at is not None), group.kept)
    kept = replace(
        group.kept,
        tags=tuple(sorted({tag for each in everyone for tag in each.tags})),
        importance=max(each.importance for each in everyone),
        expires_at=max(ends) if len(ends) == len(everyone) else None,
        ttl_given=any(each.ttl_given for each in everyone),
        metadata=metadata,
        source=next((each.source for each in everyone if each.source is not None), None),
        occurred_at=dated.occurred_at,
        utc_offset=dated.utc_offset,
    )
    yield Replace(kept, "merge")
    for each in group.merged:
        yield Replace(replace(each, status=Status.SUPERSEDED, superseded_by=kept.id), "supersede")


def _rank(record: LongTermRecord) -> tuple[object, ...]:
    """Say who stays: what was marked, then what has no end, then what matters more, then what came first."""
    marked = record.pinned or record.key is not None
    return (not marked, record.expires_at is not None, -record.importance, record.created_at, record.id)


def _beside(
    ranked: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[bytes]], threshold: float
) -> dict[int, list[int]]:
    """Return, by place of the better one, the places that are near it; each is beside the best only."""
    result: dict[int, list[int]] = {}
    placed: set[int] = set()
    for place, before in sorted(_near(ranked, vectors, threshold).items()):
        # No chain of near neighbours: what stands beside another has nothing beside itself.
        heads = [each for each in before if each not in placed]
        if heads:
            result.setdefault(min(heads), []).append(place)
            placed.add(place)
    return result


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
