"""Every memory type by name, and what follows from what they declare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module

from agent_memory.records.base import FieldKind, MemoryRecord, OwnField
from agent_memory.records.types import MemoryType


def _record_class(memory_type: MemoryType) -> type[MemoryRecord]:
    """Return the record that the module of a type's name declares."""
    module = import_module(f"agent_memory.records.{memory_type.value}")
    return next(
        member
        for member in vars(module).values()
        if isinstance(member, type) and getattr(member, "memory_type", None) is memory_type
    )


RECORD_CLASSES: Mapping[MemoryType, type[MemoryRecord]] = {
    memory_type: _record_class(memory_type) for memory_type in MemoryType
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

COMMON_NAMES = tuple(
    common.name for common in dataclasses.fields(MemoryRecord) if common.type == "str | None"
)
"""The names that a memory of any type may be given: what it is called, and where it comes from."""

LATER_FIELDS: Mapping[str, FieldKind] = {
    common.name: common.metadata["column"]
    for common in dataclasses.fields(MemoryRecord)
    if "column" in common.metadata
}
"""Fields of every memory that came after the tables, with their kinds, in the order of their columns."""

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
