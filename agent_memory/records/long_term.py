"""Long-term memory: facts and preferences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.types import MemoryType
from agent_memory.records.wording import spoken


class LongTermDescriptor(TypeDescriptor["LongTermRecord"]):
    """What is particular to long-term memories."""

    alias = "fact"
    colour = "cyan"
    kinds: ClassVar = {"pref": "preference", "preference": "preference"}
    deduplicated = True

    def indexed_parts(self, record: LongTermRecord) -> Iterable[str | None]:
        return (record.category, record.content)

    def embedded_text(self, record: LongTermRecord) -> str:
        return f"{spoken(record.category)}: {record.content}" if record.category else record.content

    def identity(self, record: LongTermRecord) -> Sequence[object]:
        return (record.kind, record.category)

    def label(self, record: LongTermRecord) -> str:
        if record.kind != "preference":
            return "fact"
        return f"preference ({record.category})" if record.category else "preference"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LongTermRecord(MemoryRecord):
    """A fact or a preference."""

    memory_type: ClassVar[MemoryType] = MemoryType.LONG_TERM
    descriptor: ClassVar[TypeDescriptor[Any]] = LongTermDescriptor()

    kind: str = own_field("text", "fact")
    """`fact` or `preference`."""
    category: str | None = own_field("text", name=True)
    """For a preference: what it is about."""
    superseded_by: str | None = own_field("text")
    """The memory that replaced this one when duplicates were merged."""
