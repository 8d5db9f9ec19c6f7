"""What Chroma filters by: flat values beside each document and each vector, and queries over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from agent_memory.storage.documents import Document, Query

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER: Final = 2**53
"""The moment at which a memory expires that does not."""
FIELDS: Final = ("conversation_id", "document_id", "name", "event_type", "category")
Where = dict[str, Any]


def instant(moment: datetime) -> int:
    """Return a moment in microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def values_of(document: Document) -> dict[str, str | int | float | bool]:
    """Return what a document is filtered by."""
    record = document.record
    values: dict[str, str | int | float | bool] = {
        "type": record.memory_type.value,
        "status": record.status.value,
        "pinned": record.pinned,
        "importance": float(record.importance),
        "created": instant(record.created_at),
        "updated": instant(record.updated_at),
        "happened": instant(record.happened_at),
        "expires": FOREVER if record.expires_at is None else instant(record.expires_at),
        "content": document.content_hash.hex(),
        "text": document.embedding_hash.hex(),
        **{_tag(tag): True for tag in record.tags},
        **{_space(space_id): True for space_id in document.embedded},
    }
    for name in ("key", "source", "session", *FIELDS):
        value = getattr(record, name, None)
        if value is not None:
            values[name] = value
    return values


def _tag(tag: str) -> str:
    return f"tag:{tag.encode('utf-8', 'surrogatepass').hex()}"


def _space(space_id: int) -> str:
    return f"space:{space_id}"


def where_of(query: Query) -> Where | None:
    """Write what Chroma can filter exactly; None: everything. The rest is left to the caller."""
    where = query.where
    parts: list[Where] = []
    for name, given in (
        ("type", [each.value for each in where.types]),
        ("status", [each.value for each in where.statuses]),
        ("key", where.keys),
        ("source", where.sources),
        ("session", where.sessions),
        ("content", [each.hex() for each in query.content_hashes]),
        ("text", [each.hex() for each in query.embedding_hashes]),
    ):
        if given:
            parts.append(_one_of(name, given))
    if where.tags_any:
        parts.append(_any([{_tag(tag): True} for tag in dict.fromkeys(where.tags_any)]))
    parts += [{_tag(tag): True} for tag in where.tags_all]
    if where.pinned is not None:
        parts.append({"pinned": where.pinned})
    if where.min_importance > 0:
        parts.append({"importance": {"$gte": float(where.min_importance)}})
    for name, period in (
        ("created", where.created),
        ("updated", where.updated),
        ("happened", where.occurred),
    ):
        if period is not None and period.start is not None:
            parts.append({name: {"$gte": instant(period.start)}})
        if period is not None and period.end is not None:
            parts.append({name: {"$lt": instant(period.end)}})
    if where.expired is not None:
        parts.append({"expires": {"$lte" if where.expired else "$gt": instant(query.now)}})
    if query.owed_in is not None:
        parts.append({_space(query.owed_in): {"$ne": True}})
    for condition in where.fields:
        if condition.operator == "=" and condition.name in FIELDS and isinstance(condition.value, str):
            parts.append({condition.name: condition.value})
    return _all(parts)


def _one_of(name: str, given: Sequence[str]) -> Where:
    values = list(dict.fromkeys(given))
    return {name: values[0]} if len(values) == 1 else {name: {"$in": values}}


def _any(parts: list[Where]) -> Where:
    return parts[0] if len(parts) == 1 else {"$or": parts}


def _all(parts: list[Where]) -> Where | None:
    """Join conditions; Chroma takes no `$and` of fewer than two."""
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else {"$and": parts}
