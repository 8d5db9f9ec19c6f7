"""Reading memories in the shape in which they are printed: objects with the names of `records.to_dict`.

So that what `list --ndjson` prints on one machine is stored on another, and what a person or a program writes by hand
is read as well. Nothing that is given is dropped in silence: a name is taken over, told of, or refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, ValidationError
from agent_memory.memories.arguments import shown
from agent_memory.records import COMMON_NAMES, OWN_FIELDS, MemoryType, Status
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
_NOT_TAKEN_OVER = _WRITTEN_HERE | _OF_A_SEARCH
_TIMES = frozenset({"created_at", "occurred_at", "expires_at"})
_TEXTS = frozenset({"content", "type", *COMMON_NAMES})
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
        objects: the objects, as `list --ndjson` prints them.

    Returns:
        What was read of each object, in order.

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

    Returns:
        The arguments, and the names whose values were left out.

    Raises:
        ValidationError: it has a name that no memory has, a value of the wrong kind, no content, or a memory that was
            put away or is over.
        ConfigurationError: its type is unknown.
    """
    if not isinstance(data, Mapping):
        raise ValidationError(f"it is {shown(data)}", hint='give an object such as {"content": "..."}')
    item: dict[str, Any] = {}
    dropped = set[str]()
    for spelling, value in data.items():
        name = _known_name(spelling)
        if value is None:
            continue
        if name == "status":
            _check_status(value)
        if name in _NOT_TAKEN_OVER:
            dropped.add(name)
        elif name in item:
            raise ValidationError(f"'{spelling}' says '{name}' a second time", hint="take one of them out")
        else:
            item[name] = _read_value(spelling, name, value)
    if "content" not in item:
        raise ValidationError("it has no content", hint='write {"content": "..."}')
    if "type" in item:
        item["type"] = MemoryType.parse(item["type"]).value
    _check_end(item)
    return Shaped(item, frozenset(dropped))


def _known_name(spelling: Any) -> str:
    """Return the name of an argument of `add`, or of what is left out, that a name of an object means."""
    name: str = _SHORT_NAMES.get(spelling, spelling)
    if name not in _COMMON and name not in _OWN and name not in _NOT_TAKEN_OVER:
        raise ValidationError(f"no memory has '{spelling}'", hint="put it into metadata, or take it out")
    return name


def _check_end(item: Mapping[str, Any]) -> None:
    if "expires_at" not in item:
        return
    if "ttl" in item:
        raise ValidationError("it has both expires_at and ttl", hint="take one of them out")
    if item["expires_at"] <= clock.now():
        raise ValidationError(
            f"it ended at {clock.to_text(item['expires_at'])}",
            hint="take it out, or give another expires_at; null is for ever",
        )


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


def _read_value(spelling: str, name: str, value: Any) -> Any:
    kind = _KINDS.get(name) or _OWN_KINDS.get(_OWN.get(name, ""))
    if kind is None:
        return value
    if not kind.fits(value):
        raise _wrong(spelling, value, kind.wanted)
    return kind.read(value)


class _Kind(NamedTuple):
    """What values of some names look like."""

    wanted: str
    fits: Callable[[Any], bool]
    read: Callable[[Any], Any] = lambda value: value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_texts(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _is_vector(value: Any) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, bool | str | list | dict | None) for item in value)
    return not isinstance(value, str | bytes | Mapping | int | float)


_TEXT = _Kind("text", lambda value: isinstance(value, str))
_TIME = _Kind(
    "a time such as 2026-05-08T14:00Z, as text", lambda value: isinstance(value, str), clock.parse_moment
)
_FLAG = _Kind("true or false", lambda value: isinstance(value, bool))
_NUMBER = _Kind("a number", _is_number)
_LIST = _Kind("a list of texts", _are_texts)
_KINDS: Mapping[str, _Kind] = {
    **dict.fromkeys(_TEXTS, _TEXT),
    **dict.fromkeys(_TIMES, _TIME),
    "last_used_at": _TIME._replace(read=lambda value: clock.to_text(clock.parse_moment(value))),
    "importance": _NUMBER,
    "pinned": _FLAG,
    "force": _FLAG,
    "metadata": _Kind("an object", lambda value: isinstance(value, Mapping)),
    "tags": _LIST,
    "ttl": _Kind(
        "a time to live such as 2h, or a number of seconds",
        lambda value: isinstance(value, str | timedelta) or _is_number(value),
    ),
    "embedding": _Kind("a list of numbers", _is_vector),
    "value": _Kind("any JSON value", lambda _: True),
}
_OWN_KINDS: Mapping[str, _Kind] = {
    "text": _TEXT,
    "boolean": _FLAG,
    "json": _LIST,
    "integer": _NUMBER,
    "real": _NUMBER,
}
"""The same for the types' own fields, by the kind of the field."""


def _wrong(name: str, value: Any, wanted: str) -> ValidationError:
    shown = repr(value) if len(repr(value)) <= 40 else repr(value)[:39] + "…"
    return ValidationError(f"{name} is {shown}", hint=f"give {wanted}")
