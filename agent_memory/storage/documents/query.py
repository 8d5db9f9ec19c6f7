"""What a document store is asked for: a filter, and what only the store itself looks for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Final

from agent_memory.storage.documents.document import Document
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.text.templates import ContentHash, TextHash

_IN_INDEXES: Final = frozenset(
    {
        *("types", "tags_any", "tags_all", "keys", "sources", "sessions", "statuses", "pinned"),
        *("min_importance", "created", "updated", "occurred", "expired"),
    }
)
"""Filters that every index is told. Of any other it knows nothing, and what it finds is filtered once more."""
_NOT_IN_INDEXES: Final = tuple(
    (item.name, item.default) for item in fields(Where) if item.name not in _IN_INDEXES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Which documents are wanted. Every part that is given must hold."""

    where: Where
    now: datetime
    """The moment at which something counts as expired."""
    content_hashes: tuple[ContentHash, ...] = ()
    """Any of these; empty: all."""
    embedding_hashes: tuple[TextHash, ...] = ()
    """Any of these; empty: all."""
    pending_in: int | None = None
    """Only those without vectors in this embedding space."""

    @property
    def plain(self) -> bool:
        """Whether it says only what every index is told: nothing of ids, metadata or the types' own fields."""
        return all(getattr(self.where, name) == default for name, default in _NOT_IN_INDEXES)

    def admits(self, document: Document) -> bool:
        """Return whether a document is wanted: the plain meaning of a query."""
        return (
            (not self.content_hashes or document.content_hash in self.content_hashes)
            and (not self.embedding_hashes or document.embedding_hash in self.embedding_hashes)
            and (self.pending_in is None or self.pending_in not in document.embedded)
            and self.where.matches(document.record, self.now)
        )
