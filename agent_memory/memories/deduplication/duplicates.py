"""Finding facts that say the same, and those that say something near it. Pure: records and vectors in, groups out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agent_memory.memories.deduplication.sameness import wording
from agent_memory.records import LongTermRecord, Status
from agent_memory.storage.changes import Replace
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

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

    Returns:
        The groups of two facts or more.
    """
    groups: dict[tuple[object, ...], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        session = record.session if record.session_given else None
        groups[record.kind, record.category, session, wording(record.content)].append(record)
    result: list[Duplicates] = []
    for group in groups.values():
        first, *others = sorted(group, key=_rank)
        merged = tuple(other for other in others if not other.pinned and other.key is None)
        if merged:
            result.append(Duplicates(first, merged))
    return result


def find_duplicates(
    records: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[Vector]], threshold: float
) -> list[Duplicates]:
    """Group facts that say the same, and beside each fact that stays those whose cosine reaches the threshold.

    Kinds and categories do not mix. A fact is shown beside the best that is near it, once.

    Returns:
        The groups that have something merged or similar.
    """
    same = {group.kept.id: group for group in find_same(records)}
    gone = {item.id for group in same.values() for item in group.merged}
    kinds: dict[tuple[str, str | None], list[LongTermRecord]] = defaultdict(list)
    for record in records:
        if record.id not in gone:
            kinds[record.kind, record.category].append(record)
    result: list[Duplicates] = []
    for group in kinds.values():
        ranked = sorted(group, key=_rank)
        similar = _beside(ranked, vectors, threshold)
        for position, record in enumerate(ranked):
            merged = same[record.id].merged if record.id in same else ()
            if merged or position in similar:
                near = tuple(ranked[item] for item in similar.get(position, ()))
                result.append(Duplicates(record, merged, near))
    return result


def merging(group: Duplicates) -> Iterator[Replace]:
    """Return the changes that put away what says the same; what it had and the one that stays lacks, that one gains.

    Tags are united, the highest importance and the longest life count. Of metadata, source and time, what the one
    that stays has counts, then what the better of the others have.

    Yields:
        One change for each memory of the group.
    """
    everyone = (group.kept, *group.merged)
    ends = [item.expires_at for item in everyone if item.expires_at is not None]
    metadata = {name: value for item in reversed(everyone) for name, value in item.metadata.items()}
    dated = next((item for item in everyone if item.occurred_at is not None), group.kept)
    kept = replace(
        group.kept,
        tags=tuple(sorted({tag for item in everyone for tag in item.tags})),
        importance=max(item.importance for item in everyone),
        expires_at=max(ends) if len(ends) == len(everyone) else None,
        ttl_given=any(item.ttl_given for item in everyone),
        metadata=metadata,
        source=next((item.source for item in everyone if item.source is not None), None),
        occurred_at=dated.occurred_at,
        utc_offset=dated.utc_offset,
    )
    yield Replace(kept, Verb.MERGE)
    for item in group.merged:
        yield Replace(replace(item, status=Status.SUPERSEDED, superseded_by=kept.id), Verb.SUPERSEDE)


def _rank(record: LongTermRecord) -> tuple[object, ...]:
    """Say who stays: what was marked, then what has no end, then what matters more, then what came first."""
    marked = record.pinned or record.key is not None
    return (not marked, record.expires_at is not None, -record.importance, record.created_at, record.id)


def _beside(
    ranked: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[Vector]], threshold: float
) -> dict[int, list[int]]:
    """Return, by place of the better one, the places that are near it; each is beside the best only."""
    result: dict[int, list[int]] = {}
    placed: set[int] = set()
    for position, before in sorted(_near(ranked, vectors, threshold).items()):
        # No chain of near neighbours: what stands beside another has nothing beside itself.
        heads = [item for item in before if item not in placed]
        if heads:
            result.setdefault(min(heads), []).append(position)
            placed.add(position)
    return result


def _near(
    ranked: Sequence[LongTermRecord], vectors: Mapping[str, Sequence[Vector]], threshold: float
) -> dict[int, list[int]]:
    """Return, for each place, the places before it whose cosine reaches the threshold. Long texts stay out."""
    positions = [position for position, record in enumerate(ranked) if len(vectors.get(record.id, ())) == 1]
    if len(positions) < 2:
        return {}
    import numpy as np

    matrix = np.frombuffer(b"".join(vectors[ranked[position].id][0] for position in positions), dtype="<f4")
    matrix = matrix.reshape(len(positions), -1)
    result: dict[int, list[int]] = {}
    for start in range(0, len(positions), _BLOCK):
        rows, columns = np.nonzero(matrix[start : start + _BLOCK] @ matrix.T >= threshold)
        for row, column in zip((rows + start).tolist(), columns.tolist(), strict=True):
            if column < row:
                result.setdefault(positions[row], []).append(positions[column])
    return result
