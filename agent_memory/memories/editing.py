"""Making the next version of a record, and keeping its fields in agreement with each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, TypeVar, Unpack

from agent_memory import clock
from agent_memory.clock import Moment
from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.memories.building import (
    check_fields,
    check_metadata,
    check_name,
    check_tags,
    check_text,
    expiry,
)
from agent_memory.memories.changes import Changes, OwnFields
from agent_memory.memories.given import NOT_GIVEN, Omitted
from agent_memory.records import ConversationRecord, EpisodicRecord, MemoryRecord, ProceduralRecord
from agent_memory.storage.where import check_share
from agent_memory.text.names import normal_name
from agent_memory.text.outcomes import success_of

R = TypeVar("R", bound=MemoryRecord)


def edited(
    record: R,
    *,
    content: str | Omitted = NOT_GIVEN,
    default_ttl: timedelta | None = None,
    **changes: Unpack[Changes],
) -> R:
    """Return the next version of a record; what is not given stays, and a metadata value of None goes.

    None takes a key, a source, a time to live or a time of happening away. The default time to live of the type
    starts anew, unless the record's own was given.

    Raises:
        ValidationError: something cannot be stored, or cannot be taken away.
    """
    requested: dict[str, Any] = {"content": content, **changes}
    requested = {name: value for name, value in requested.items() if value is not NOT_GIVEN}
    _check_removable(requested)
    own = {name: value for name, value in requested.items() if name in OwnFields.__annotations__}
    values: dict[str, Any] = dict(check_fields(type(record), own))
    for name in requested.keys() & _CHANGES.keys():
        values |= _CHANGES[name](record, requested[name])
    if requested.keys() & {"tags", "add_tags", "remove_tags"}:
        values["tags"] = _with_tags(record.tags, requested)
    if "ttl" not in requested and default_ttl is not None and not record.keeps_its_end:
        values["expires_at"] = expiry(clock.now(), default_ttl)
    values |= _agreeing(record, values)
    return dataclasses.replace(record, **values)


_REMOVABLE = frozenset({"key", "source", "ttl", "occurred_at"})
"""What None takes away; everything else a memory always has."""


def _check_removable(values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if value is None and name not in _REMOVABLE:
            raise ValidationError(
                f"the {name} cannot be taken away", hint="leave it out to keep it, or give another one"
            )


def _happened(record: MemoryRecord, moment: Moment | None) -> dict[str, Any]:
    happened = None if moment is None else clock.as_moment(moment)
    offset = clock.local_offset(happened or record.created_at)
    return {"occurred_at": happened, "utc_offset": offset}


_CHANGES: Mapping[str, Callable[[MemoryRecord, Any], dict[str, Any]]] = {
    "content": lambda _, value: {"content": check_text("content", value)},
    "importance": lambda _, value: {"importance": check_share("importance", value)},
    "metadata": lambda record, value: {"metadata": _with_metadata(record.metadata, value)},
    "key": lambda _, value: {"key": check_name("key", value)},
    "source": lambda _, value: {"source": check_name("source", value)},
    "session": lambda _, value: {"session": check_name("session", value), "session_given": True},
    "ttl": lambda _, value: {"expires_at": expiry(clock.now(), value), "ttl_given": True},
    "occurred_at": _happened,
}
"""By argument: what it changes in a record. Tags are not among them, since three arguments change them together."""


def _with_tags(before: Iterable[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    base = check_tags(values["tags"]) if "tags" in values else before
    added, removed = check_tags(values.get("add_tags")), check_tags(values.get("remove_tags"))
    return tuple(sorted({*base, *added} - {*removed}))


def _with_metadata(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata with values set, and those that are None taken away."""
    if not isinstance(changes, Mapping):
        raise ValidationError("the metadata is not a mapping", hint='give a dict such as {"lang": "en"}')
    values = check_metadata({name: value for name, value in changes.items() if value is not None})
    named = {normal_name(name) if isinstance(name, str) else name for name in changes}
    return {**{name: value for name, value in before.items() if name not in named}, **values}


def _agreeing(record: MemoryRecord, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else has to change with these fields.

    Raises:
        ValidationError: they contradict each other.
    """
    match record:
        case EpisodicRecord() if "outcome" in changes and "success" not in changes:
            return {"success": success_of(changes["outcome"])}
        case ProceduralRecord() if record.key == record.name:
            # A skill's name is its key, unless somebody gave it another; without a key it still has a name.
            names = {changes[name] for name in ("name", "key") if name in changes}
            if len(names) == 1 and (new := names.pop()) is not None:
                return {"name": new, "key": new}
        case ConversationRecord():
            positions = {changes[name] for name in ("session", "conversation_id") if name in changes}
            if positions - {record.conversation_id}:
                raise ValidationError(
                    "a message stays in its conversation",
                    hint=Hint("forget it here and add it there: {ADD_MESSAGE}"),
                )
        case _:
            pass
    return {}
