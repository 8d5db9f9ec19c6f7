"""What lists are ordered and grouped by, in plain Python: for stores that have no query language of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from agent_memory.records import ConversationRecord, MemoryRecord, Status
from agent_memory.storage.base import Group, GroupBy, OrderBy

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
T = TypeVar("T")


def sort_value(record: MemoryRecord, by: OrderBy) -> Any:
    """Return what a memory is ordered by."""
    match by:
        case "created":
            return record.created_at
        case "updated":
            return record.updated_at
        case "occurred":
            return record.happened_at
        case "used":
            return record.accessed_at or _LONG_AGO
        case "importance":
            return record.importance
        case "position":
            position = getattr(record, "position", None)
            return -1 if position is None else position


def grouped(records: Iterable[MemoryRecord], by: GroupBy) -> list[Group]:
    """Count memories per value of a field, the most first."""
    groups: dict[str, Group] = {}
    for record in records:
        moment = record.happened_at
        for value in _group_values(record, by):
            group = groups.get(value, Group(value, 0, moment, moment))
            groups[value] = Group(value, group.count + 1, min(group.first, moment), max(group.last, moment))
    return sorted(groups.values(), key=lambda group: (-group.count, group.value))


def _group_values(record: MemoryRecord, by: GroupBy) -> Iterable[str]:
    if by == "tag":
        return record.tags
    value = getattr(record, "memory_type" if by == "type" else by, None)
    return () if value is None else (str(value),)


# --- messages of a conversation --------------------------------------------------------------------------------


def live(record: MemoryRecord, moment: datetime) -> bool:
    """Return whether a memory is active and has not expired."""
    return record.status is Status.ACTIVE and not record.expired(moment)


def placed(record: MemoryRecord | None) -> tuple[str, int] | None:
    """Return a message's conversation and its position there; None for what is no message with a position."""
    if not isinstance(record, ConversationRecord) or record.position is None:
        return None
    return record.conversation_id, record.position


def around(here: int, others: Sequence[tuple[int, T]], before: int, after: int) -> list[T]:
    """Return what stands around a position, that position included; `others` are positions in order."""
    earlier = [item for position, item in others if position <= here]
    later = [item for position, item in others if position > here]
    return [*earlier[max(0, len(earlier) - before - 1) :], *later[:after]]


def beside(here: int, others: Iterable[tuple[int, T]], step: int, wanted: Callable[[T], bool]) -> T | None:
    """Return the nearest wanted one before (-1) or after (1) a position."""
    there = [(place * step, item) for place, item in others if (place - here) * step > 0 and wanted(item)]
    return min(there, key=lambda pair: pair[0])[1] if there else None
