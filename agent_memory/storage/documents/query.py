"""What a document store is asked for: a filter, and what only the store itself looks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from agent_memory.storage.documents.document import Document
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.text.templates import ContentHash, TextHash


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
        """Whether it says nothing of ids, metadata or the types' own fields: what every index can filter by."""
        where = self.where
        return where.ids is None and not where.metadata and not where.fields

    def admits(self, document: Document) -> bool:
        """Return whether a document is wanted: the plain meaning of a query."""
        return (
            (not self.content_hashes or document.content_hash in self.content_hashes)
            and (not self.embedding_hashes or document.embedding_hash in self.embedding_hashes)
            and (self.pending_in is None or self.pending_in not in document.embedded)
            and self.where.matches(document.record, self.now)
        )
