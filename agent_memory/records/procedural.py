"""Procedural memory: skills and workflows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from agent_memory.records.base import MemoryRecord, TypeDescriptor, own_field
from agent_memory.records.types import MemoryType
from agent_memory.records.wording import lines, sentence, spoken


class ProceduralDescriptor(TypeDescriptor["ProceduralRecord"]):
    """What is particular to skills and workflows."""

    alias = "skill"
    colour = "bright_blue"
    deduplicated = True

    def indexed_key(self, record: ProceduralRecord) -> str | None:
        return None if record.key == record.name else record.key

    def indexed_parts(self, record: ProceduralRecord) -> Iterable[str | None]:
        return (record.name, *record.triggers, record.content, *_steps(record), record.category)

    def embedded_text(self, record: ProceduralRecord) -> str:
        text = f"{spoken(record.name)}: {record.content}" if record.name else record.content
        steps = _steps(record)
        if steps:
            text = lines([text, *steps])
        if record.triggers:
            text = sentence(text) + f"For: {', '.join(record.triggers)}"
        if record.category:
            text = sentence(text) + f"Category: {spoken(record.category)}"
        return text

    def identity(self, record: ProceduralRecord) -> Sequence[object]:
        return (record.name,)

    def label(self, record: ProceduralRecord) -> str:
        return f"{record.kind} {record.name}"


def _steps(record: ProceduralRecord) -> tuple[str, ...]:
    """Return the steps that the content does not already spell out, as a workflow's does."""
    return tuple(step for step in record.steps if step not in record.content)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProceduralRecord(MemoryRecord):
    """A skill or a workflow: how something is done, and how well that went."""

    memory_type: ClassVar[MemoryType] = MemoryType.PROCEDURAL
    descriptor: ClassVar[TypeDescriptor[Any]] = ProceduralDescriptor()

    kind: str = own_field("text", "skill")
    """`skill` or `workflow`."""
    name: str = own_field("text", "", name=True)
    """Its name, which is its `key` as well."""
    category: str | None = own_field("text", name=True)
    """What the skill belongs to."""
    triggers: tuple[str, ...] = own_field("json", (), name=True)
    """Words or phrases of situations that call for it."""
    steps: tuple[str, ...] = own_field("json", ())
    """Of a workflow: its steps, in order."""
    use_count: int = own_field("integer", 0)
    """How often it was used."""
    success_count: int = own_field("integer", 0)
    """How many of these uses went well."""
    last_used_at: str | None = own_field("text")
    """When it was last used, as fixed-width ISO-8601 text."""
