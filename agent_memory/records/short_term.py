"""Short-term memory: the context of the task at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.types import MemoryType
from agent_memory.records.wording import spoken


class ShortTermDescriptor(TypeDescriptor["ShortTermRecord"]):
    """What is particular to short-term memories."""

    alias = "note"
    colour = "yellow"
    kinds: ClassVar = {"work": "working"}
    expires = True
    keeps_history = False

    def embedded_text(self, record: ShortTermRecord) -> str:
        if record.kind == "working" and record.key:
            return f"{spoken(record.key)}: {record.content}"
        return record.content

    def label(self, record: ShortTermRecord) -> str:
        return f"working memory {record.key}" if record.kind == "working" else "note"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShortTermRecord(MemoryRecord):
    """A part of the present task's context, or a working-memory value."""

    memory_type: ClassVar[MemoryType] = MemoryType.SHORT_TERM
    descriptor: ClassVar[TypeDescriptor[Any]] = ShortTermDescriptor()

    kind: str = own_field("text", "note")
    """`note`, `context` or `working`."""
    context_type: str | None = own_field("text", name=True)
    """For context: what kind of context it is."""
    value: Any = own_field("json")
    """For working memory: the JSON value; `content` is its text."""
