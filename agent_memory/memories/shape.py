"""Reading memories in the shape in which they are printed: objects with the names of `records.to_dict`.

So that what `list --ndjson` prints on one machine is stored on another, and what a person or a program writes by hand
is read as well. Nothing that is given is dropped in silence: a name is taken over, told of, or refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, ValidationError
from agent_memory.memories.arguments import shown
from agent_memory.records import OWN_FIELDS, MemoryType, Status
from agent_memory.storage.changes import Written

_SHORT_NAMES = {
    "text": "content",
    "meta": "metadata",
    "tag": "tags",
    "at": "occurred_at",
    "memory_type": "type",
}
"""Names of the shell's options, for lines that are written by hand."""
_WRITTEN_HERE = frozenset({"id", "updated_at", "accessed_at", "access_count", "agent_id", "status"})
"""What the store itself says of a memory: it begins anew with every memory that is added."""
_OF_A_SEARCH = frozenset({"score", "similarity", "relevance", "explanation"})
"""What a search says of a memory that it found."""
_TIMES = frozenset({"created_at", "occurred_at", "expires_at"})
_TEXTS = frozenset({"content", "type", "key", "source", "session"})
_COMMON = _TIMES | _TEXTS | {"importance", "metadata", "tags", "ttl", "pinned", "force", "embedding"}
_OWN = {own.name: own.kind for fields in OWN_FIELDS.values() for own in fields}


class Shaped(NamedTuple):
    """An object as the arguments of `add`."""

    item: dict[str, Any]
    """For `AgentMemory.add_many`; with its `type` where the object names one."""
    dropped: frozenset[str]
    """Names that hold something and were left out."""


class Added(NamedTuple):
    """What came of objects."""

    written: list[Written]
    """One for each, in order."""
    dropped: frozenset[str]
    """Names that hold something in any of them and were left out."""


def read_shapes(
    objects: Iterable[Mapping[str, Any]],
    defaults: Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
) -> list[Shaped]:
    """Read objects as `read_shape` does, each with what all of them have in common.

    Args:
        defaults: arguments of `add` for all of them, `type` among them; an object's own values win, tags are united.
        names: what to call each in an error, such as `line 3`; `item 3` if left out.

    Raises:
        ValidationError: one cannot be read; the message begins with its name.
    """
    result: list[Shaped] = []
    objects = list(objects)
    if names is not None and len(names) != len(objects):
        raise ValidationError(
            f"names has {len(names)} names for {len(objects)} objects", hint="give one for each"
        )
    for number, data in enumerate(objects, 1):
        name = names[number - 1] if names is not None else f"item {number}"
        try:
            item, dropped = read_shape(data)
        except AgentMemoryError as error:
            raise ValidationError(f"{name}: {error.message}", hint=error.hint) from error
        result.append(Shaped(_with_defaults(item, defaults or {}), dropped))
    return result


def read_shape(data: Mapping[str, Any]) -> Shaped:
    """Read one object as the arguments of `add`; what is null is not given.

    Raises:
        ValidationError: it has a name that no memory has, a value of the wrong kind, no content, or a memory that was
            put away or is over.
        ConfigurationError: its type is unknown.
    """
    if not isinstance(data, Mapping):
        raise ValidationError(f"it is {shown(data)}", hint='give an object such as {"content": "..."}')
    item: dict[str, Any] = {}
    dropped = set[str]()
    for given, value in data.items():
        name = _SHORT_NAMES.get(given, given)
        if name not in _COMMON and name not in _OWN and name not in _WRITTEN_HERE | _OF_A_SEARCH:
            raise ValidationError(f"no memory has '{given}'", hint="put it into metadata, or take it out")
        if value is None:
            continue
        if name == "status":
            _check_status(value)
        if name in _WRITTEN_HERE | _OF_A_SEARCH:
            dropped.add(name)
        elif name in item:
            raise ValidationError(f"'{given}' says '{name}' a second time", hint="take one of them out")
        else:
            item[name] = _read_value(given, name, value)
    if "content" not in item:
        raise ValidationError("it has no content", hint='write {"content": "..."}')
    if "type" in item:
        item["type"] = MemoryType.parse(item["type"]).value
    if "expires_at" in item:
        if "ttl" in item:
            raise ValidationError("it has both expires_at and ttl", hint="take one of them out")
        if item["expires_at"] <= clock.now():
            raise ValidationError(
                f"it ended at {clock.to_text(item['expires_at'])}",
                hint="take it out, or give another expires_at; null is for ever",
            )
    return Shaped(item, frozenset(dropped))


def storing_order(items: Sequence[Mapping[str, Any]]) -> range:
    """Return the order in which to store items that each have a time of creation, as places among them.

    A listing begins with the newest. Of memories that are equally old the one that is stored later counts as newer,
    so a listing has to be stored from its end, to be listed as it was.
    """
    times = [item.get("created_at") for item in items]
    listed = all(isinstance(time, datetime) for time in times) and all(
        before >= after  # type: ignore[operator]  # all are times
        for before, after in pairwise(times)
    )
    return range(len(items) - 1, -1, -1) if listed else range(len(items))


def _with_defaults(item: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    common = dict(defaults)
    if "expires_at" in item or "ttl" in item:
        common.pop("ttl", None)
        common.pop("expires_at", None)
    tags = list(dict.fromkeys([*_several(common.get("tags", ())), *_several(item.get("tags", ()))]))
    return {**common, **item, **({"tags": tags} if tags else {})}


def _several(value: Any) -> Iterable[Any]:
    return [value] if isinstance(value, str) else value


def _check_status(value: Any) -> None:
    if value in (Status.ARCHIVED, Status.SUPERSEDED):
        raise ValidationError(f"it is {value}", hint="take it out, or restore it before it is listed")
    if value != Status.ACTIVE:
        raise ValidationError(f"its status is {value!r}", hint="leave it out, or give active")


def _read_value(given: str, name: str, value: Any) -> Any:
    if name in _TIMES or name == "last_used_at":
        if not isinstance(value, str):
            raise _wrong(given, value, "a time such as 2026-05-08T14:00Z, as text")
        moment = clock.parse_moment(value)
        return clock.to_text(moment) if name == "last_used_at" else moment
    if name in _TEXTS or _OWN.get(name) == "text":
        wanted, good = "text", isinstance(value, str)
    elif name in ("pinned", "force") or _OWN.get(name) == "boolean":
        wanted, good = "true or false", isinstance(value, bool)
    elif name == "metadata":
        wanted, good = "an object", isinstance(value, Mapping)
    elif name == "tags" or (_OWN.get(name) == "json" and name != "value"):
        wanted = "a list of texts"
        good = isinstance(value, str) or (
            isinstance(value, list) and all(isinstance(item, str) for item in value)
        )
    elif name == "ttl":
        wanted = "a time to live such as 2h, or a number of seconds"
        good = isinstance(value, str | int | float | timedelta) and not isinstance(value, bool)
    elif name == "embedding":
        wanted = "a list of numbers"
        good = not isinstance(value, str | bytes | Mapping | int | float) and not (
            isinstance(value, list)
            and any(isinstance(item, bool | str | list | dict | None) for item in value)
        )
    elif name == "importance" or _OWN.get(name) in ("integer", "real"):
        wanted, good = "a number", isinstance(value, int | float) and not isinstance(value, bool)
    else:
        return value
    if not good:
        raise _wrong(given, value, wanted)
    return value


def _wrong(name: str, value: Any, wanted: str) -> ValidationError:
    shown = repr(value) if len(repr(value)) <= 40 else repr(value)[:39] + "…"
    return ValidationError(f"{name} is {shown}", hint=f"give {wanted}")
