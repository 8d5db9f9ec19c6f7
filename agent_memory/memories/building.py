"""Making a record out of what was given, or saying what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import NAME_FIELDS, OWN_FIELDS, TUPLE_FIELDS, MemoryRecord, canonical_json
from agent_memory.storage.changes import new_id
from agent_memory.storage.where import check_share
from agent_memory.text.incoming import check_depth, too_deep
from agent_memory.text.names import check_storable, normal_name, normal_value

R = TypeVar("R", bound=MemoryRecord)
_LARGEST_COUNT = 2**31 - 1
"""What every store can hold in a whole number: places and counts."""
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "real": (int, float),
    "boolean": (bool,),
}


def build(
    kind: type[R],
    content: str,
    *,
    importance: float = 0.5,
    metadata: Mapping[str, Any] | None = None,
    ttl: timedelta | float | str | None = None,
    tags: str | Iterable[str] | None = None,
    occurred_at: datetime | None = None,
    created_at: datetime | None = None,
    expires_at: datetime | None = None,
    pinned: bool = False,
    fields: Mapping[str, Any] | None = None,
    moment: datetime | None = None,
    session_given: bool = False,
    ttl_given: bool = False,
    **names: str | None,
) -> R:
    """Make a new record of a type, checked and normalised.

    Args:
        created_at: when it was first stored, if that was elsewhere and before.
        expires_at: when it ends, instead of a `ttl`.
        session_given: whether these were named for this memory, instead of being defaults.
        ttl_given: whether these were named for this memory, instead of being defaults.
        content: the text.
        fields: the own fields of the type.
        importance: how much it matters, from 0 to 1.
        kind: the kind within the type.
        metadata: further named values.
        moment: the time of the call.
        occurred_at: when it happened; None for now.
        pinned: whether it is pinned.
        tags: the tags of what is stored.
        ttl: how long it lives: a timedelta, seconds, or text such as `10m`.
        names: any of `COMMON_NAMES`.

    Returns:
        The record.

    Raises:
        ValidationError: something cannot be stored; the message names it.
    """
    moment = moment or clock.now()
    created = clock.as_utc(created_at) if created_at is not None else moment
    happened = clock.as_utc(occurred_at) if occurred_at is not None else None
    if expires_at is not None and ttl is not None:
        raise ValidationError("both expires_at and ttl are given", hint="give one of them")
    ends = expiry(moment, ttl) if expires_at is None else clock.as_utc(expires_at)
    if ends is not None and ends <= moment:
        raise ValidationError(
            f"its end was at {clock.to_text(ends)}", hint="leave it out, or give another expires_at"
        )
    given: dict[str, Any] = {name: check_name(name, text) for name, text in names.items()}
    given |= check_fields(kind, fields or {})
    return kind(
        id=new_id(),
        content=check_text("content", content),
        importance=check_share("importance", importance),
        created_at=created,
        updated_at=max(moment, created),
        occurred_at=happened,
        utc_offset=clock.local_offset(happened or created),
        expires_at=ends,
        metadata=check_metadata(metadata),
        tags=check_tags(tags),
        pinned=bool(pinned),
        session_given=session_given,
        ttl_given=ttl_given,
        **given,
    )


def expiry(moment: datetime, ttl: timedelta | float | str | None) -> datetime | None:
    """Return when something ends that lives that long from a moment on; None is never."""
    if ttl is None:
        return None
    try:
        return moment + clock.as_duration(ttl)
    except OverflowError:
        raise ValidationError(f"the ttl {ttl} is too long", hint="leave it out for ever") from None


def check_text(name: str, text: str) -> str:
    """Return a text that any store can keep, verbatim; of a subclass of `str`, such as an enumeration, its text.

    Raises:
        ValidationError: it is empty, or not text that can be written as UTF-8.
    """
    if not isinstance(text, str):
        raise ValidationError(f"the {name} is {type(text).__name__}, not text", hint="give a string")
    if not text.strip():
        raise ValidationError(f"the {name} is empty", hint="give some text")
    check_storable(name, text)
    return str.__str__(text)


def check_name(name: str, text: str | None) -> str | None:
    """Return an optional name in its one form, without white space around it."""
    return None if text is None else normal_name(check_text(name, text))


def check_tags(tags: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return tags sorted, each once, in their one form."""
    if tags is None:
        return ()
    texts = [tags] if isinstance(tags, str) else tags
    return tuple(sorted({normal_name(check_text("tag", tag)) for tag in texts}))


def check_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return metadata that JSON can hold.

    Raises:
        ValidationError: a value is not JSON, or a key is not text.
    """
    if not metadata:
        return {}
    if not isinstance(metadata, Mapping):
        raise ValidationError("the metadata is not a mapping", hint='give a dict such as {"lang": "en"}')
    if not all(isinstance(name, str) and name for name in metadata):
        raise ValidationError("a metadata key is not text", hint="use strings as keys")
    normal: dict[str, Any] = normal_value(as_json("metadata", metadata))
    if len(normal) < len(metadata):
        raise ValidationError(
            "two names in the metadata are the same name", hint="they differ in how accents are written"
        )
    return normal


def as_json(name: str, value: Any) -> Any:
    """Return what JSON gives back for a value: what every store keeps, whatever was given.

    Tuples become lists; subclasses of text and numbers, such as enumerations, become what they stand for; names of
    members become text.

    Returns:
        The value made of the types that JSON has.

    Raises:
        ValidationError: JSON cannot hold it.
    """  # noqa: DOC501
    try:
        plain = _plain(name, value)
        check_depth(plain, f"the {name}")
        check_text(name, canonical_json(plain))
    except RecursionError:
        raise too_deep(f"the {name}") from None
    except ValueError as error:
        if isinstance(error, ValidationError):
            raise
        raise ValidationError(
            f"the {name} is not JSON: {error}", hint="use text, numbers, lists and dicts"
        ) from None
    return plain


def _plain(name: str, value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case Mapping():
            members = {_member(name, key): _plain(name, item) for key, item in value.items()}
            if len(members) < len(value):
                raise ValidationError(
                    f"two names in the {name} are the same text", hint="use strings as keys"
                )
            return members
        case list() | tuple():
            return [_plain(name, item) for item in value]
        case _:
            raise ValidationError(
                f"the {name} holds a value of the type {type(value).__name__}, and JSON has none",
                hint="use text, numbers, true, false, None, lists and dicts; a time as text, by isoformat()",
            )


def _member(name: str, key: Any) -> str:
    """Return the name that JSON gives to a member of an object."""
    plain = _plain(name, key)
    if isinstance(plain, (dict, list)):
        raise ValidationError(
            f"a name in the {name} is of the type {type(key).__name__}", hint="use strings as keys"
        )
    return plain if isinstance(plain, str) else canonical_json(plain)


def check_fields(kind: type[MemoryRecord], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a type's own fields as the record holds them; None is left to the default.

    Raises:
        ValidationError: the type has no such field, or the value is of another kind.
    """
    if not values:
        return {}
    known = {own.name: own.kind for own in OWN_FIELDS[kind.memory_type]}
    result: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise ValidationError(
                f"{kind.memory_type.described} has no field '{name}'",
                hint="use one of " + ", ".join(known),
            )
        if value is None:
            continue
        checked = _checked_field(name, known[name], value)
        result[name] = _normal_field(checked) if name in NAME_FIELDS else checked
    return result


def _normal_field(value: Any) -> Any:
    return tuple(map(normal_value, value)) if isinstance(value, tuple) else normal_value(value)


def _several(value: Any) -> Iterable[Any]:
    return [value] if isinstance(value, str) else value


def _checked_field(name: str, kind: str, value: Any) -> Any:
    if kind == "json":
        if name in TUPLE_FIELDS:
            return tuple(check_text(name, item) for item in _several(value))
        return as_json(name, value)
    if name == "duration" and isinstance(value, timedelta | str):
        value = (clock.as_duration(value) if isinstance(value, str) else value).total_seconds()
    allowed = _PYTHON_TYPES[kind]
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
        raise ValidationError(f"{name} is {value!r}", hint=f"give {kind}")
    if isinstance(value, int) and kind == "integer" and not 0 <= value <= _LARGEST_COUNT:
        raise ValidationError(f"{name} is {value}", hint=f"give a number from 0 to {_LARGEST_COUNT}")
    if (kind == "real" and value != value) or value in (float("inf"), float("-inf")):  # NaN
        raise ValidationError(f"{name} is {value!r}", hint="give a finite number")
    if name == "duration" and isinstance(value, int | float) and value < 0:
        raise ValidationError(f"{name} is {value!r}, and cannot be negative", hint="give how long it took")
    return _EXACT[kind](name, value)


def _as_real(name: str, value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValidationError(f"{name} is {value!r}", hint="give a smaller number") from None


_EXACT: Mapping[str, Callable[[str, Any], Any]] = {
    "text": check_text,
    "integer": lambda _, value: int(value),
    "real": _as_real,
    "boolean": lambda _, value: value,
}
"""How a value of each kind becomes what a store gives back: of a subclass of `int`, for one, the number alone."""
