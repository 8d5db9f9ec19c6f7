"""Every memory type by name, and what follows from what they declare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from agent_memory.records.base import MemoryRecord, OwnField
from agent_memory.records.conversation import ConversationRecord
from agent_memory.records.episodic import EpisodicRecord
from agent_memory.records.long_term import LongTermRecord
from agent_memory.records.procedural import ProceduralRecord
from agent_memory.records.semantic import SemanticRecord
from agent_memory.records.short_term import ShortTermRecord
from agent_memory.records.types import MemoryType

RECORD_CLASSES: Mapping[MemoryType, type[MemoryRecord]] = {
    record_class.memory_type: record_class
    for record_class in (
        ShortTermRecord,
        LongTermRecord,
        ConversationRecord,
        EpisodicRecord,
        SemanticRecord,
        ProceduralRecord,
    )
}


def own_fields(record_class: type[MemoryRecord]) -> tuple[OwnField, ...]:
    """Return the own fields that a record class declares, in the order of their columns."""
    return tuple(
        OwnField(
            declared.name,
            declared.metadata["kind"],
            later=declared.metadata["since"] > record_class.descriptor.since,
            since=max(declared.metadata["since"], record_class.descriptor.since),
            is_name=declared.metadata["name"],
            is_tuple=declared.default == (),
        )
        for declared in dataclasses.fields(record_class)
        if "kind" in declared.metadata
    )


OWN_FIELDS: Mapping[MemoryType, tuple[OwnField, ...]] = {
    memory_type: own_fields(record_class) for memory_type, record_class in RECORD_CLASSES.items()
}
"""Per type, its own fields in the order of their columns."""

TUPLE_FIELDS = frozenset(own.name for fields in OWN_FIELDS.values() for own in fields if own.is_tuple)
"""Own fields of kind json that hold a tuple of strings."""

NAME_FIELDS = frozenset(own.name for fields in OWN_FIELDS.values() for own in fields if own.is_name)
"""Own fields that are names; the others are text, numbers, or what the program itself writes."""

TYPE_NAMES: Mapping[type[MemoryRecord], str] = {
    record_class: memory_type.value for memory_type, record_class in RECORD_CLASSES.items()
}
"""By class, the name of its type: in a write of ten thousand, asking each member for its `.value` shows."""

TYPE_ALIASES: Mapping[str, MemoryType] = {
    record_class.descriptor.alias: memory_type for memory_type, record_class in RECORD_CLASSES.items()
}
"""The everyday words for the types."""

KIND_ALIASES: Mapping[str, tuple[MemoryType, str]] = {
    word: (memory_type, kind)
    for memory_type, record_class in RECORD_CLASSES.items()
    for word, kind in record_class.descriptor.kinds.items()
}
"""What lists call some memories of a type, with the kind that it means; accepted wherever memories are asked for."""

COLOURS: Mapping[str, str] = {
    word: record_class.descriptor.colour
    for record_class in RECORD_CLASSES.values()
    for word in (record_class.descriptor.alias, *record_class.descriptor.kinds)
}
"""By everyday word of a type or kind, the colour in which tables write it."""

NEWEST_FIELD = max(own.since for fields in OWN_FIELDS.values() for own in fields)
"""The newest schema version that a declared type or field asks for."""
