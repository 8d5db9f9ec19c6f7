"""A document and a query as plain values: what a backend that filters by flat fields can be told, alike for all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.query import Query

FOREVER: Final = 2**53
"""The instant at which a memory expires that does not."""
FIELDS: Final = ("conversation_id", "document_id", "name", "event_type", "category")
"""The types' own fields that may be filtered by."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
Value = str | int | float | bool


def instant(moment: datetime) -> int:
    """Return a moment in microseconds since 1970: what a double holds exactly until the year 2255."""
    return (moment - _EPOCH) // _MICROSECOND


def values_of(document: Document) -> dict[str, Value]:
    """Return what a document is filtered by, but for its tags and the spaces that it is embedded in."""
    record = document.record
    values: dict[str, Value] = {
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
    }
    for name in ("key", "source", "session", *FIELDS):
        value = getattr(record, name, None)
        if value is not None:
            values[name] = value
    return values


def choices(query: Query) -> Iterator[tuple[str, list[str]]]:
    """Iterate over the names of values that have to be one of several, or the one given."""
    where = query.where
    for name, options in (
        ("type", [item.value for item in where.types]),
        ("status", [status.value for status in where.statuses]),
        ("key", where.keys),
        ("source", where.sources),
        ("session", where.sessions),
        ("content", [text_hash.hex() for text_hash in query.content_hashes]),
        ("text", [text_hash.hex() for text_hash in query.embedding_hashes]),
    ):
        if options:
            yield name, list(dict.fromkeys(options))
    for condition in where.fields:
        if condition.operator == "=" and condition.name in FIELDS and isinstance(condition.value, str):
            yield condition.name, [condition.value]


def ranges(query: Query) -> Iterator[tuple[str, Literal[">", ">=", "<", "<="], float]]:
    """Iterate over the numbers that have to lie beyond a bound."""
    where = query.where
    if where.min_importance > 0:
        yield "importance", ">=", float(where.min_importance)
    for name, period in (
        ("created", where.created),
        ("updated", where.updated),
        ("happened", where.occurred),
    ):
        if period is not None and period.start is not None:
            yield name, ">=", instant(period.start)
        if period is not None and period.end is not None:
            yield name, "<", instant(period.end)
    if where.expired is not None:
        yield "expires", "<=" if where.expired else ">", instant(query.now)
