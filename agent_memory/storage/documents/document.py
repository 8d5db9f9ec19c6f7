"""A memory as a document: one JSON text that holds all of it, and what follows from it for finding it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from agent_memory import clock
from agent_memory.records import MemoryRecord, canonical_json, version_from_dict, version_to_dict
from agent_memory.storage.damage import Damaged
from agent_memory.text.templates import ContentHash, TextHash, content_hash, embedded_text, embedding_hash

_UNREADABLE: Final = (TypeError, ValueError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Document:
    """A memory and what follows from it."""

    sequence: int
    """Its number in the order in which memories were stored, from 1."""
    record: MemoryRecord
    content_hash: ContentHash
    """Equal for exact duplicates."""
    embedding_hash: TextHash
    """Of the text that is embedded."""
    embedded: Mapping[int, int] = field(default_factory=dict)
    """By embedding space: how many vectors its text has there."""

    @property
    def id(self) -> str:
        """The memory's id."""
        return self.record.id

    def to_json(self) -> str:
        """Return the whole document as canonical JSON."""
        record = self.record
        data: dict[str, Any] = {
            "place": self.sequence,
            "revision": record.revision,
            "content_hash": self.content_hash.hex(),
            "embedding_hash": self.embedding_hash.hex(),
            "embedded": {str(space): segments for space, segments in self.embedded.items()},
            "version": version_to_dict(record),
        }
        if record.accessed_at is not None:
            data |= {"accessed_at": clock.to_text(record.accessed_at), "access_count": record.access_count}
        return canonical_json(data)

    @classmethod
    def readable(cls, memory_id: str, text: str | bytes, agent_id: str, damaged: Damaged) -> Document | None:
        """Read what `to_json` wrote; None where it is something else, which is noted."""
        try:
            return cls._read(text if isinstance(text, str) else text.decode(), agent_id)
        except _UNREADABLE as error:
            damaged.meet(f"memory {memory_id}", f"it is no document of ours ({error})")
            return None

    @classmethod
    def _read(cls, text: str, agent_id: str) -> Document:
        data = json.loads(text)
        accessed = data.get("accessed_at")
        record = version_from_dict(
            data["version"],
            revision=data["revision"],
            agent_id=agent_id,
            accessed_at=None if accessed is None else clock.from_text(accessed),
            access_count=data.get("access_count", 0),
        )
        return cls(
            data["place"],
            record,
            ContentHash(bytes.fromhex(data["content_hash"])),
            TextHash(bytes.fromhex(data["embedding_hash"])),
            {int(space): segments for space, segments in data["embedded"].items()},
        )

    def within(self, space_id: int, segments: int) -> Document:
        """Return it as having so many vectors in a space."""
        return replace(self, embedded={**self.embedded, space_id: segments})


def document_of(sequence: int, record: MemoryRecord, embedded: Mapping[int, int] | None = None) -> Document:
    """Make the document of a memory."""
    return Document(
        sequence, record, content_hash(record), embedding_hash(embedded_text(record)), dict(embedded or {})
    )
