"""Documents as records of Pinecone: the JSON text, and beside it what the service filters by."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any, Final

from agent_memory.errors import ValidationError
from agent_memory.records import canonical_json
from agent_memory.storage.documents import Document, Query, values

LARGEST: Final = 40_960
"""Bytes of metadata that a record may have."""
_MOST_SPACES: Final = 6
_OPERATORS: Final = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
Filter = dict[str, Any]


def values_of(document: Document) -> dict[str, Any]:
    """Return what a document is filtered by."""
    tags = {"tags": list(document.record.tags)} if document.record.tags else {}
    return {**values.values_of(document), **tags, "embedded": _spaces(document.embedded)}


def _spaces(spaces: Any) -> str:
    return ",".join(str(space) for space in sorted(spaces))


def whole(document: Document) -> dict[str, Any]:
    """Return all metadata of a document's record.

    Raises:
        ValidationError: it is more than a record may have.
    """
    metadata = {**values_of(document), "document": document.to_json()}
    size = len(canonical_json(metadata).encode())
    if size > LARGEST:
        raise ValidationError(
            f"the memory takes {size} bytes, and a record of pinecone takes {LARGEST}",
            hint="shorten it, add it as a document in chunks, or use another backend",
        )
    return metadata


def filter_of(query: Query, spaces: list[int]) -> Filter:
    """Write what the service can filter exactly; the rest is left to the caller. `spaces` are all there are."""
    where = query.where
    parts: list[Filter] = [{name: {"$in": options}} for name, options in values.choices(query)]
    parts += [{name: {_OPERATORS[operator]: bound}} for name, operator, bound in values.ranges(query)]
    if where.tags_any:
        parts.append({"tags": {"$in": list(dict.fromkeys(where.tags_any))}})
    parts += [{"tags": {"$eq": tag}} for tag in where.tags_all]
    if where.pinned is not None:
        parts.append({"pinned": {"$eq": where.pinned}})
    if query.pending_in is not None and len(spaces) <= _MOST_SPACES:
        # What is said of values that are not in a list differs between services; what is in one does not.
        others = [space for space in spaces if space != query.pending_in]
        sets = chain.from_iterable(combinations(others, size) for size in range(len(others) + 1))
        parts.append({"embedded": {"$in": [_spaces(item) for item in sets]}})
    return {"$and": parts} if parts else {"type": {"$exists": True}}
