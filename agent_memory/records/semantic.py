"""Semantic memory: knowledge and documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.types import MemoryType


class SemanticDescriptor(TypeDescriptor["SemanticRecord"]):
    """What is particular to knowledge and to the chunks of documents."""

    alias = "doc"
    colour = "blue"
    deduplicated = True

    def indexed_parts(self, record: SemanticRecord) -> Iterable[str | None]:
        return (record.title, record.content)

    def embedded_text(self, record: SemanticRecord) -> str:
        return f"{record.title}\n{record.content}" if record.title else record.content

    def identity(self, record: SemanticRecord) -> Sequence[object]:
        return (record.document_id, record.position)  # a document may repeat itself

    def label(self, record: SemanticRecord) -> str:
        return f"from {record.title}" if record.title else "knowledge"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SemanticRecord(MemoryRecord):
    """A text of knowledge, by itself or as one chunk of a document."""

    memory_type: ClassVar[MemoryType] = MemoryType.SEMANTIC
    descriptor: ClassVar[TypeDescriptor[Any]] = SemanticDescriptor()

    document_id: str | None = own_field("text", name=True)
    """The document that it is a chunk of; None for a single piece of knowledge."""
    title: str | None = own_field("text", name=True)
    """What its document is called."""
    position: int | None = own_field("integer")
    """Which chunk of its document, from 0."""
    path: str | None = own_field("text", since=3)
    """The file that its document was read from: absolute, with links followed."""
