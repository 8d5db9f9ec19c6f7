"""What a memory is: one module per memory type beside what all have, and the flat JSON shape that they share.

The class of a record says its type: an `EpisodicRecord` is an event. A type's module holds its record and its
descriptor, which says whatever the rest of the program has to know about it: what is indexed and embedded, what makes
two memories the same, how it is labelled, named and coloured. `registry.py` lists the types.
"""

from __future__ import annotations

from agent_memory.records.base import FieldKind, MemoryRecord, OwnField, R, Status, TypeDescriptor, own_field
from agent_memory.records.conversation import ConversationRecord
from agent_memory.records.copying import copied
from agent_memory.records.episodic import EpisodicRecord
from agent_memory.records.long_term import LongTermRecord
from agent_memory.records.procedural import ProceduralRecord
from agent_memory.records.registry import (
    COLOURS,
    COMMON_NAMES,
    KIND_ALIASES,
    LATER_FIELDS,
    NAME_FIELDS,
    NEWEST_FIELD,
    OWN_FIELDS,
    RECORD_CLASSES,
    TUPLE_FIELDS,
    TYPE_ALIASES,
    TYPE_NAMES,
)
from agent_memory.records.results import OperationRecord, ScoredMemory, Version
from agent_memory.records.semantic import SemanticRecord
from agent_memory.records.short_term import ShortTermRecord
from agent_memory.records.types import MemoryType
from agent_memory.records.versions import (
    canonical_json,
    same_version,
    stamped,
    to_dict,
    version_from_dict,
    version_to_dict,
)

__all__ = [
    "COLOURS",
    "COMMON_NAMES",
    "KIND_ALIASES",
    "LATER_FIELDS",
    "NAME_FIELDS",
    "NEWEST_FIELD",
    "OWN_FIELDS",
    "RECORD_CLASSES",
    "TUPLE_FIELDS",
    "TYPE_ALIASES",
    "TYPE_NAMES",
    "ConversationRecord",
    "EpisodicRecord",
    "FieldKind",
    "LongTermRecord",
    "MemoryRecord",
    "MemoryType",
    "OperationRecord",
    "OwnField",
    "ProceduralRecord",
    "R",
    "ScoredMemory",
    "SemanticRecord",
    "ShortTermRecord",
    "Status",
    "TypeDescriptor",
    "Version",
    "canonical_json",
    "copied",
    "own_field",
    "same_version",
    "stamped",
    "to_dict",
    "version_from_dict",
    "version_to_dict",
]
