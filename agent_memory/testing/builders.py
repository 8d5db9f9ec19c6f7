"""Records, spaces and vectors for tests: whole with nothing given, or with what matters given by name."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from agent_memory import clock
from agent_memory.embeddings.base import pack
from agent_memory.records import (
    ConversationRecord,
    EpisodicRecord,
    LongTermRecord,
    MemoryRecord,
    ProceduralRecord,
    SemanticRecord,
    ShortTermRecord,
)
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.changes import new_id
from agent_memory.text.templates import TEMPLATE_VERSION, TextHash, embedded_text, embedding_hash

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

R = TypeVar("R", bound=MemoryRecord)


def build(record_class: type[R], content: str, /, **fields: Any) -> R:
    """Make a record of a class, new and stored now unless said otherwise."""
    moment = fields.pop("created_at", None) or clock.now()
    return record_class(
        content=content,
        created_at=moment,
        **{"id": new_id(), "updated_at": moment, **fields},
    )


def note(content: str = "the build is running", **fields: Any) -> ShortTermRecord:
    """Make a short-term memory."""
    return build(ShortTermRecord, content, **fields)


def fact(content: str = "Alice lives in Lisbon", **fields: Any) -> LongTermRecord:
    """Make a fact."""
    return build(LongTermRecord, content, **fields)


def preference(content: str = "dark mode", *, category: str = "interface", **fields: Any) -> LongTermRecord:
    """Make a preference."""
    return build(LongTermRecord, content, **{"kind": "preference", "category": category, **fields})


def message(
    content: str = "Hello!", *, conversation_id: str = "chat-1", role: str = "user", **fields: Any
) -> ConversationRecord:
    """Make a message of a conversation; the store gives it its position."""
    fields = {"session": conversation_id, **fields}
    return build(ConversationRecord, content, conversation_id=conversation_id, role=role, **fields)


def event(content: str = "Finished the review", **fields: Any) -> EpisodicRecord:
    """Make an event."""
    return build(EpisodicRecord, content, **fields)


def document(content: str = "Python was created by Guido van Rossum", **fields: Any) -> SemanticRecord:
    """Make a segment of knowledge."""
    return build(SemanticRecord, content, **fields)


def skill(
    content: str = "On 429, wait and try again", *, name: str = "error handling", **fields: Any
) -> ProceduralRecord:
    """Make a skill."""
    return build(ProceduralRecord, content, name=name, **fields)


def space(name: str = "suite", dimension: int = 8, **fields: Any) -> EmbeddingSpace:
    """Describe an embedding space that no store knows yet; the name tells spaces apart."""
    values: dict[str, Any] = {
        "id": 0,
        "provider": "dummy",
        "model": name,
        "revision": "1",
        "dimension": dimension,
        "pooling": "mean",
        "query_prefix": "",
        "document_prefix": "",
        "template_version": TEMPLATE_VERSION,
        "fingerprint": f"{name}-{dimension}",
        "created_at": clock.now(),
        "current": False,
    }
    return EmbeddingSpace(**{**values, **fields})


def digest(record: MemoryRecord) -> TextHash:
    """Return the hash under which a memory's vectors are kept."""
    return embedding_hash(embedded_text(record))


def vector(*values: float, dimension: int = 8) -> Vector:
    """Return a unit vector that begins with these numbers, zeros after them."""
    return pack([*values, *([0.0] * (dimension - len(values)))])


def random_vectors(count: int, *, dimension: int = 8, seed: int = 0) -> list[Vector]:
    """Return unit vectors in random directions, the same for the same seed."""
    source = random.Random(seed)
    return [pack([source.gauss(0, 1) for _ in range(dimension)]) for _ in range(count)]


def vectors_of(
    vectors: Mapping[str, Sequence[Vector]] | None = None, /, **more: Any
) -> dict[TextHash, list[Vector]]:
    """Return vectors by hash, given by the text that is embedded as it is, such as a fact's."""
    return {embedding_hash(text): list(segments) for text, segments in {**(vectors or {}), **more}.items()}


def cosine(one: Vector, other: Vector) -> float:
    """Return the cosine of two unit vectors."""
    left, right = array("f", one), array("f", other)
    return sum(a * b for a, b in zip(left, right, strict=True))
