"""What Chroma filters by: flat values beside each document and each vector, and queries over them."""

from __future__ import annotations

from typing import Any, Final

from agent_memory.storage.documents import Document, Query, values
from agent_memory.storage.documents.values import Value

_OPERATORS: Final = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
Where = dict[str, Any]


def values_of(document: Document) -> dict[str, Value]:
    """Return what a document is filtered by."""
    return {
        **values.values_of(document),
        **{_tag(tag): True for tag in document.record.tags},
        **{_space(space_id): True for space_id in document.embedded},
    }


def _tag(tag: str) -> str:
    return f"tag:{tag.encode('utf-8', 'surrogatepass').hex()}"


def _space(space_id: int) -> str:
    return f"space:{space_id}"


def where_of(query: Query) -> Where | None:
    """Write what Chroma can filter exactly; None: everything. The rest is left to the caller."""
    where = query.where
    parts: list[Where] = []
    for name, options in values.choices(query):
        parts.append({name: options[0]} if len(options) == 1 else {name: {"$in": options}})
    for name, operator, bound in values.ranges(query):
        parts.append({name: {_OPERATORS[operator]: bound}})
    if where.tags_any:
        parts.append(_joined("$or", [{_tag(tag): True} for tag in dict.fromkeys(where.tags_any)]))
    parts += [{_tag(tag): True} for tag in where.tags_all]
    if where.pinned is not None:
        parts.append({"pinned": where.pinned})
    if query.pending_in is not None:
        parts.append({_space(query.pending_in): {"$ne": True}})
    return _joined("$and", parts) if parts else None


def _joined(how: str, parts: list[Where]) -> Where:
    """Join conditions; Chroma takes no `$and` or `$or` of fewer than two."""
    return parts[0] if len(parts) == 1 else {how: parts}
