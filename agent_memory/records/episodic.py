"""Episodic memory: what happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.types import MemoryType
from agent_memory.records.wording import sentence, spoken


class EpisodicDescriptor(TypeDescriptor["EpisodicRecord"]):
    """What is particular to events."""

    alias = "event"
    colour = "magenta"

    def indexed_parts(self, record: EpisodicRecord) -> Iterable[str | None]:
        return (record.event_type, record.content, record.outcome, *record.participants, record.location)

    def dated(self, record: EpisodicRecord) -> bool:
        return True

    def embedded_text(self, record: EpisodicRecord) -> str:
        text = record.content
        if record.event_type and record.event_type != "event":
            text = f"{spoken(record.event_type)}: {text}"
        if record.outcome:
            text = sentence(text) + f"Outcome: {record.outcome}"
        if record.participants:
            text = sentence(text) + f"With {', '.join(record.participants)}"
        if record.location:
            text = sentence(text) + f"At {record.location}"
        return text

    def label(self, record: EpisodicRecord) -> str:
        return f"{record.event_type}, {record.outcome}" if record.outcome else record.event_type


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EpisodicRecord(MemoryRecord):
    """Something that happened."""

    memory_type: ClassVar[MemoryType] = MemoryType.EPISODIC
    descriptor: ClassVar[TypeDescriptor[Any]] = EpisodicDescriptor()

    event_type: str = own_field("text", "event", name=True)
    """What sort of event it is, such as `deploy`."""
    outcome: str | None = own_field("text", name=True)
    """How it ended, in any words."""
    success: bool | None = own_field("boolean")
    """What the outcome says: True, False, or None where it says neither."""
    participants: tuple[str, ...] = own_field("json", (), name=True)
    """Who took part."""
    location: str | None = own_field("text", name=True)
    """Where it happened."""
    duration: float | None = own_field("real")
    """How many seconds it took."""
