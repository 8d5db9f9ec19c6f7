"""What searches, histories and the log return: records with something said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic

from agent_memory.records.base import MemoryRecord
from agent_memory.records.display import as_rows, in_one_line

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Found_co = TypeVar("Found_co", bound=MemoryRecord, covariant=True, default=MemoryRecord)
else:
    from typing import TypeVar

    Found_co = TypeVar("Found_co", bound=MemoryRecord, covariant=True)


@dataclass(frozen=True, slots=True, repr=False)
class ScoredMemory(Generic[Found_co]):
    """A memory that a search found, and how well it fits."""

    memory: Found_co
    score: float
    """The ranking score in [0, 1]; comparable between queries of one store."""
    relevance: float
    """The estimated probability, in [0, 1], that it answers the query."""
    similarity: float | None = None
    """Cosine of the query's and the memory's vectors, clamped to [0, 1]; None where they were not compared."""
    explanation: Mapping[str, Any] | None = None
    """With `explain=True`: every part of the score by name."""

    def to_dict(self) -> dict[str, Any]:
        """Return the memory as `MemoryRecord.to_dict` does, with its `score`, `relevance` and `similarity`."""
        result = {
            **self.memory.to_dict(),
            "score": self.score,
            "relevance": self.relevance,
            "similarity": self.similarity,
        }
        return result if self.explanation is None else {**result, "explanation": dict(self.explanation)}

    def __repr__(self) -> str:
        shown = {
            "score": f"{self.score:.2f}",
            "relevance": f"{self.relevance:.2f}",
            "memory": repr(self.memory),
        }
        return in_one_line("ScoredMemory", shown)

    def _repr_html_(self) -> str:
        return as_rows({name: value for name, value in self.to_dict().items() if value not in (None, [], {})})


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a memory's history."""

    memory_id: str
    revision: str
    parent: str | None
    """The revision it was made upon."""
    operation_id: str
    verb: str
    """What was done to this memory: add, update, tag, pin, archive, supersede, restore, undo, purge or another."""
    at: datetime
    before: MemoryRecord | None
    after: MemoryRecord | None
    """None once the memory is gone."""
    operation_verb: str | None = field(default=None, compare=False)
    """What the operation was called that made it, such as forget; None where that is not known."""
    actor: str | None = field(default=None, compare=False)
    """Who carried that operation out, such as a command."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One command as the log tells it: who did what when, and how many memories it changed."""

    id: str
    verb: str
    actor: str | None
    session: str | None
    started_at: datetime
    changes: int
    undone_by: str | None = None
    """The operation that took it back."""
