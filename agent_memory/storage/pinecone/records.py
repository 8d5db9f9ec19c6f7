"""Documents as records of Pinecone: the JSON text, and beside it what the service filters by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from typing import Any, Final

from agent_memory.errors import ValidationError
from agent_memory.records import canonical_json
from agent_memory.storage.documents import Document, Query

LARGEST: Final = 40_960
"""Bytes of metadata that a record may have."""
FIELDS: Final = ("conversation_id", "document_id", "name", "event_type", "category")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER: Final = 2**53
_MOST_SPACES: Final = 6
Filter = dict[str, Any]


def instant(moment: datetime) -> int:
    """Return a moment in microseconds since 1970; the service's numbers hold it exactly until the year 2255."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def values_of(document: Document) -> dict[str, Any]:
    """Return what a document is filtered by."""
    record = document.record
    values: dict[str, Any] = {
        "type": record.memory_type.value,
        "status": record.status.value,
        "pinned": record.pinned,
        "importance": float(record.importance),
        "created": instant(record.created_at),
        "updated": instant(record.updated_at),
        "happened": instant(record.happened_at),
        "expires": _FOREVER if record.expires_at is None else instant(record.expires_at),
        "content": document.content_hash.hex(),
        "text": document.embedding_hash.hex(),
        "embedded": _spaces(document.embedded),
    }
    if record.tags:
        values["tags"] = list(record.tags)
    for name in ("key", "source", "session", *FIELDS):
        value = getattr(record, name, None)
        if value is not None:
            values[name] = value
    return values


def _spaces(spaces: Any) -> str:
    return ",".join(str(each) for each in sorted(spaces))


def whole(document: Document) -> dict[str, Any]:
    """Return all metadata of a document's record.

    Raises:
        ValidationError: it is more than a record may have.
    """
    values = {**values_of(document), "document": document.to_json()}
    size = len(canonical_json(values).encode())
    if size > LARGEST:
        raise ValidationError(
            f"the memory takes {size} bytes, and a record of pinecone takes {LARGEST}",
            hint="shorten it, add it as a document in chunks, or use another backend",
        )
    return values


def filter_of(query: Query, spaces: list[int]) -> Filter:
    """Write what the service can filter exactly; the rest is left to the caller. `spaces` are all there are."""
    where = query.where
    parts: list[Filter] = []
    for name, given in (
        ("type", [each.value for each in where.types]),
        ("status", [each.value for each in where.statuses]),
        ("key", where.keys),
        ("source", where.sources),
        ("session", where.sessions),
        ("content", [each.hex() for each in query.content_hashes]),
        ("text", [each.hex() for each in query.embedding_hashes]),
        ("tags", where.tags_any),
    ):
        if given:
            parts.append({name: {"$in": list(dict.fromkeys(given))}})
    parts += [{"tags": {"$eq": tag}} for tag in where.tags_all]
    if where.pinned is not None:
        parts.append({"pinned": {"$eq": where.pinned}})
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
    for condition in where.fields:
        if condition.operator == "=" and condition.name in FIELDS and isinstance(condition.value, str):
            parts.append({condition.name: {"$eq": condition.value}})
    if query.owed_in is not None and len(spaces) <= _MOST_SPACES:
        # What is said of values that are not in a list differs between services; what is in one does not.
        others = [each for each in spaces if each != query.owed_in]
        sets = chain.from_iterable(combinations(others, size) for size in range(len(others) + 1))
        parts.append({"embedded": {"$in": [_spaces(each) for each in sets]}})
    return {"$and": parts} if parts else {"type": {"$exists": True}}
