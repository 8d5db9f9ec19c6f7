"""Reading what a call is given, by the annotations of what is called.

Annotations are text here, and many of their names are imported for type checkers alone. So they are taken apart at
each `|`, and each part is looked up in a table of what such a value looks like. A part that is not in the table lets
everything pass.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args

from agent_memory import clock
from agent_memory.embeddings.base import Embedder
from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.memories.given import NOT_GIVEN, Default
from agent_memory.settings import Settings
from agent_memory.storage.base import Order, OrderBy, Store

Reader = Callable[[str, Any], Any]
"""Gets the name of an argument and what came; returns what the function is given, or raises ValidationError."""
Part = Callable[[Any], Any]
"""Gets what came; returns what the function is given, or `_OTHER` where it is nothing of this kind."""

_OTHER: Final = object()
_SHOWN = 40  # characters of a value in an error
_LARGEST = 2**31 - 1
_NAMES: Mapping[str, str] = {
    "Words": "str | Iterable[str] | None",
    "Types": "str | Iterable[str] | None",
    "Statuses": "str | Iterable[str] | None",
    "Place": "str | PathLike[str]",
    "Iterable[str | MemoryType]": "Iterable[str]",
    "Iterable[str | Status]": "Iterable[str]",
    "Sequence[str]": "Iterable[str]",
    "MemoryType": "str",
    "Status": "str",
    "Iterable[Item]": "Iterable[Mapping[str, Any]]",
    "Mode": "str",
    "Format": "str",
    "OnConflict": "str",
    "Progress": "Callable",
    "Summarizer": "Callable",
}
"""What other annotations mean."""
_COUNTS = frozenset({"limit", "offset", "last", "n", "count", "min_uses"})
"""Arguments that say how many."""
_WANTED: Mapping[str, str] = {
    "backend": "a store; the name of a backend goes into MemoryConfig(backend=...)",
    "config": "MemoryConfig(...), with these as its arguments",
    "embedding_provider": "the name of an embedder, or an object with embed_documents and embed_query",
}
"""What to give where the kinds of value do not say it well."""


def shown(value: Any) -> str:
    """Return what to call a value in an error: a short form of it, and its type."""
    if value is None or value is NOT_GIVEN:
        return repr(value)
    try:
        text = " ".join(repr(value).split())
    except Exception:  # somebody else's `__repr__`
        text = "something"
    short = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return f"{short} ({type(value).__name__})"


def wrong(name: str, value: Any, wanted: str) -> ValidationError:
    """Build the error for an argument of the wrong kind."""
    return ValidationError(f"{name} is {shown(value)}", hint=f"give {wanted}")


def reader(name: str, annotation: Any) -> Reader | None:
    """Return what reads an argument of that name and annotation; None where anything may be given."""
    if not isinstance(annotation, str):
        return None
    names = _parts(annotation)
    if "timedelta" in names:  # in seconds too, and as text
        names = ["timedelta", *(item for item in names if item not in ("float", "str", "timedelta"))]
    if "PathLike[str]" in names:
        names = [item for item in names if item != "str"]
    kinds = [_PARTS.get(item) for item in names]
    if any(result is None for result in kinds):
        return None
    parts = [result[0] for result in kinds if result is not None]
    wanted = _WANTED.get(name) or " or ".join(
        dict.fromkeys(result[1] for result in kinds if result is not None)
    )
    read = _any_of(parts, wanted)
    if name == "hours":  # infinitely many are all there are
        return lambda name, value: value if value == float("inf") else read(name, value)
    return _counted(read) if name in _COUNTS else read


def _parts(annotation: str) -> list[str]:
    """Take an annotation apart, and what its names stand for too."""
    parts, depth, start = list[str](), 0, 0
    for position, sign in enumerate(annotation):
        depth += (sign == "[") - (sign == "]")
        if sign == "|" and not depth:
            parts.append(annotation[start:position].strip())
            start = position + 1
    parts.append(annotation[start:].strip())
    result = list[str]()
    for part in parts:
        result += _parts(_NAMES[part]) if part in _NAMES else [part]
    return list(dict.fromkeys(result))


def _any_of(parts: list[Part], wanted: str) -> Reader:
    def read(name: str, value: Any) -> Any:
        try:
            for part in parts:
                if (result := part(value)) is not _OTHER:
                    return result
        except ValidationError as error:
            raise ValidationError(f"{name}: {error.message}", hint=error.hint) from None
        raise wrong(name, value, wanted)

    return read


def _counted(read: Reader) -> Reader:
    def counted(name: str, value: Any) -> Any:
        number = read(name, value)
        if not isinstance(number, int) or 0 <= number <= _LARGEST:  # None, or what is counted itself
            return number
        if number < 0:
            raise ValidationError(f"{name} is {number}, and cannot be negative", hint="give 0 or more")
        return _LARGEST  # such as `sys.maxsize`, for all there are

    return counted


# --- what values look like ----------------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else _OTHER


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else _OTHER


def _whole(value: Any) -> Any:
    if isinstance(value, int):
        return _OTHER if isinstance(value, bool) else value
    try:
        return operator.index(value)
    except TypeError:
        return _OTHER


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        return _OTHER
    if not isinstance(value, float):
        if not hasattr(value, "__float__") and not hasattr(value, "__index__"):
            return _OTHER
        try:
            if isinstance(value, int):
                float(value)
                return value
            value = float(value)
        except (OverflowError, TypeError, ValueError):
            raise ValidationError(
                f"{shown(value)} is no finite number", hint="give a finite number"
            ) from None
    elif type(value) is not float and not isinstance(value, Default):
        value = float(value)  # one of numpy's answers a comparison with a list by an array
    if value - value != 0:  # of NaN and infinity
        raise ValidationError(f"{value!r} is no finite number", hint="give a finite number")
    return value


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        return clock.parse_moment(value)
    if not isinstance(value, datetime):
        return clock.midnight(value) if isinstance(value, date) else _OTHER
    try:
        return clock.as_utc(value)
    except OverflowError:
        raise ValidationError(
            f"{value.isoformat()} is outside of the calendar in UTC", hint="give a year from 2 to 9998"
        ) from None


def _moment_or_age(value: Any) -> Any:
    return clock.as_moment(value) if isinstance(value, timedelta) else _moment(value)


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return clock.as_duration(value)
    return value if isinstance(value, timedelta) else _number(value)


def _nothing(value: Any) -> Any:
    return None if value is None else _OTHER


def _left_out(value: Any) -> Any:
    # None too: what may be left out says itself whether None takes it away.
    return value if value is NOT_GIVEN or value is None else _OTHER


def _mapping(value: Any) -> Any:
    return value if isinstance(value, Mapping) else _OTHER


def _callable(value: Any) -> Any:
    return value if callable(value) else _OTHER


def _texts(value: Any) -> Any:
    return _each(value, _text)


def _places(value: Any) -> Any:
    # An empty one is refused where it is known what else may be meant.
    return _each(value, lambda item: item if item == "" else _path(item))


def _each(value: Any, part: Part) -> Any:
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        return _OTHER
    several = list(value)
    result = [part(item) for item in several]
    for entry, read in zip(several, result, strict=True):
        if read is _OTHER:
            raise ValidationError(f"{shown(entry)} is in it", hint="give only text")
    return result


def _several(value: Any) -> Any:
    if isinstance(value, str | bytes | bytearray | Mapping):
        return _OTHER  # to go through their characters or keys is not what anybody means
    return value if isinstance(value, Iterable) else _OTHER


def _each_with(*names: str) -> Part:
    """Return what reads a list of objects that have these attributes."""

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return _OTHER
        return value if all(hasattr(item, name) for item in value for name in names) else _OTHER

    return read


def _path(value: Any) -> Any:
    try:
        path = os.fspath(value)
    except TypeError:
        return _OTHER
    if not isinstance(path, str):
        return _OTHER
    if "\x00" in path:
        raise ValidationError(f"the path {path!r} holds a NUL character", hint="take it out")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise ValidationError(
            f"the path {path!r} is not valid Unicode", hint="decode it with errors='surrogateescape'"
        ) from None
    if not path:
        raise ValidationError("the path is empty", hint="name a file or folder")
    return value


def _file(value: Any) -> Any:
    import io

    if isinstance(value, io.TextIOBase):
        raise ValidationError("the file is open as text", hint="open it in binary mode: 'rb' or 'wb'")
    return value if hasattr(value, "write") or hasattr(value, "read") else _OTHER


def _file_stream(value: Any) -> Any:
    return value if hasattr(value, "entries") and hasattr(value, "head") else _OTHER


def _plan(value: Any) -> Any:
    return value if hasattr(value, "look_up") and hasattr(value, "chosen") else _OTHER


def _store(value: Any) -> Any:
    return value if isinstance(value, Store) else _OTHER


def _embedder(value: Any) -> Any:
    return value if isinstance(value, Embedder) else _OTHER


def _text_embedder(value: Any) -> Any:
    if isinstance(value, str | type) or value is None:
        return _OTHER
    methods = ("embed_documents", "embed_query")
    return value if all(callable(getattr(value, name, None)) for name in methods) else _OTHER


def _settings(value: Any) -> Any:
    if isinstance(value, Settings):
        return value
    # Asked by what it can do, since pydantic is loaded by those alone who have one.
    return value if not isinstance(value, type) and callable(getattr(value, "settings", None)) else _OTHER


def _order(value: Any) -> Any:
    if isinstance(value, str):
        return Order(_order_name(value))
    if not isinstance(value, Order):
        return _OTHER
    _order_name(value.by)
    return value


def _order_name(value: Any) -> Any:
    known = get_args(OrderBy)
    if isinstance(value, str) and value not in known:
        raise ConfigurationError.unknown("order", value, known)
    return _text(value)


_PARTS: Mapping[str, tuple[Part, str]] = {
    "str": (_text, "text"),
    "bool": (_flag, "True or False"),
    "int": (_whole, "a whole number"),
    "float": (_number, "a number"),
    "datetime": (_moment, "a time: a datetime, a date, or text such as '2026-05-08T14:00Z'"),
    "Moment": (
        _moment_or_age,
        "a time: a datetime, a date, text such as '2026-05-08T14:00Z' or '7d', or a timedelta",
    ),
    "timedelta": (_duration, "a duration: a timedelta, seconds, or text such as '2h'"),
    "None": (_nothing, "None"),
    "Omitted": (_left_out, "leave it out"),
    "Mapping[str, Any]": (_mapping, "a dict"),
    "Callable": (_callable, "a function"),
    "Iterable[str]": (_texts, "a list of texts"),
    "Iterable[Place]": (_places, "a list of paths"),
    "Iterable[Mapping[str, Any]]": (_several, "a list, with a dict for each memory"),
    "Sequence[float]": (_several, "a list of numbers"),
    "PathLike[str]": (_path, "a path"),
    "BinaryIO": (_file, "a file that is open in binary mode"),
    "FileStream": (_file_stream, "a stream"),
    "ForgetPlan": (_plan, "a plan of plan_forget"),
    "Sequence[OperationRecord]": (
        _each_with("undone_by", "changes"),
        "the operations that a dry run returned",
    ),
    "Sequence[Duplicates]": (_each_with("kept", "merged"), "the groups of find_duplicates"),
    "Store": (_store, "a store"),
    "Embedder": (_embedder, "an embedder"),
    "TextEmbedder": (_text_embedder, "an object with embed_documents and embed_query"),
    "MemoryConfig": (_settings, "a MemoryConfig"),
    "Settings": (_settings, "a MemoryConfig"),
    "Order": (_order, "an Order"),
    "OrderBy": (_order_name, "the name of an order"),
}
"""For each part of an annotation what reads such a value, and what to call it in an error."""
