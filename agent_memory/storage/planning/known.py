"""What becomes of a memory that is stored again: what it keeps, and what it takes over.

Storing under a known key makes a new version, which keeps what was not given. Storing what is known already, word for
word, adds what comes with it. In neither case is anything lost that somebody said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from agent_memory.records import (
    COMMON_NAMES,
    OWN_FIELDS,
    ConversationRecord,
    EpisodicRecord,
    MemoryRecord,
    ProceduralRecord,
)
from agent_memory.storage.changes import Add

_TAKEN_OVER = (
    *("importance", "metadata", "occurred_at", "expires_at"),
    *(name for name in COMMON_NAMES if name != "key"),
)
"""Common fields that a new version has from the one before unless they were given. Tags and the type's own fields
are added to these; `pinned` is never taken away by storing again."""
_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "occurred_at": ("utc_offset",),
    "expires_at": ("ttl_given",),
    "session": ("session_given",),
}
_IDENTITY = frozenset({"kind", "value", "document_id", "position", "conversation_id"})
"""Own fields that say which memory, or which version, it is."""
_OF_USE = ("use_count", "success_count", "last_used_at")


def named_fields(change: Add) -> frozenset[str]:
    """Return the names of the fields that were given: told by the caller, else those that differ from a default."""
    if change.given_fields is not None:
        return change.given_fields
    record = change.record
    named = {
        field_.name
        for field_ in fields(record)
        if _says_something(getattr(record, field_.name), field_.default)
    }
    if not record.session_given:
        named.discard("session")
    if record.ttl_given:
        named.add("expires_at")
    return frozenset(named)


def _says_something(value: Any, default: Any) -> bool:
    return value != default and value not in ((), {})


def kept(before: MemoryRecord, new: MemoryRecord, named: frozenset[str], moment: datetime) -> dict[str, Any]:
    """Return what a new version under a key keeps: what was not given. `update` takes single things away."""
    own = {field_.name for field_ in OWN_FIELDS[new.memory_type]} - {"kind", "value"}
    if getattr(before, "kind", None) != getattr(new, "kind", None):
        own = set()  # a skill that becomes a workflow keeps what every memory has, and no more
    names = {name for name in (*_TAKEN_OVER, "tags", *own) if name not in named}
    if not before.keeps_its_end or before.expired(moment):
        names.discard("expires_at")
    if before.expired(moment) and before.occurred_at is None:
        names.discard("occurred_at")  # it begins anew, and so does its day
    if isinstance(before, EpisodicRecord) and "outcome" in named:
        names.discard("success")
    if isinstance(new, ConversationRecord) and "conversation_id" in named:
        names.discard("session")  # the session of a message is its conversation
    if isinstance(new, ProceduralRecord):
        # A better description is no reason to forget how well the skill has worked; a count of its own is.
        names = names - set(_OF_USE) if new.use_count else names | set(_OF_USE)
    fields_kept = [item for name in sorted(names) for item in (name, *_COMPANIONS.get(name, ()))]
    return {name: getattr(before, name) for name in fields_kept}


def united(before: MemoryRecord, new: MemoryRecord, named: frozenset[str]) -> dict[str, Any]:
    """Return what a known memory gains from a duplicate: nothing that is said to be kept may be lost."""
    gained: dict[str, Any] = {
        "tags": tuple(sorted({*before.tags, *new.tags})),
        "pinned": before.pinned or new.pinned,
    }
    if isinstance(before, ProceduralRecord) and isinstance(new, ProceduralRecord):
        gained["triggers"] = tuple(dict.fromkeys([*before.triggers, *new.triggers]))
    own = {field_.name for field_ in OWN_FIELDS[new.memory_type]} - _IDENTITY
    for name in (*_TAKEN_OVER, *sorted(own)):
        if name in named and name not in gained:
            gained[name] = getattr(new, name)
            gained |= {item: getattr(new, item) for item in _COMPANIONS.get(name, ())}
    if "metadata" in gained:
        gained["metadata"] = {**before.metadata, **new.metadata}
    return {name: value for name, value in gained.items() if value != getattr(before, name)}


def told(gained: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a known memory gained, for people: without the fields that only go with another."""
    return tuple(name for name in gained if not any(name in companion for companion in _COMPANIONS.values()))
