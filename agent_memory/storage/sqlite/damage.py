"""Rows that cannot be read: what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from agent_memory import clock
from agent_memory.records import TUPLE_FIELDS
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.errors import is_no_text

T = TypeVar("T")

_OWN: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "json": (str,),
    "integer": (int,),
    "boolean": (int,),
    "real": (float, int),
}


class UnreadableError(ValueError):
    """A stored value is not what its column holds."""


class ReadContext(NamedTuple):
    """Of whom memories are read, and where what cannot be read is noted."""

    agent_id: str
    damaged: Damaged


def check_kinds(kinds: Mapping[str, tuple[type, ...]], names: tuple[str, ...], row: tuple[Any, ...]) -> None:
    """Raise UnreadableError if a column of `memory` holds what it cannot, such as a number instead of a text.

    Args:
        kinds: what may stand in a column; those not named may hold anything.
        names: of the columns.
        row: the values.

    Raises:
        UnreadableError: one holds something else.
    """
    for name, value in zip(names, row, strict=True):
        if name in kinds and not isinstance(value, kinds[name]):
            raise UnreadableError(f"its {name} is {_said(value)}")
        check_text(name, value)


def check_text(name: str, value: Any) -> None:
    """Raise UnreadableError for a text that was no UTF-8; see `tolerantly`."""
    if value.__class__ is str and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UnreadableError(f"its {name} is not UTF-8") from error


def tolerantly(connection: Connection, function: Callable[[Connection], T]) -> T:
    """Run a function again where a stored text is no UTF-8, with a reader that takes any bytes.

    It marks them in a way that no real text has, so that `check_text` knows them.

    Returns:
        What the function returned.
    """  # noqa: DOC501
    try:
        return function(connection)
    except driver.Error as error:
        if not is_no_text(error):
            raise
    connection.text_factory = marking
    try:
        return function(connection)
    finally:
        connection.text_factory = str


def marking(text: bytes) -> str:
    """Decode a stored text, marking bytes that are no UTF-8."""
    return text.decode("utf-8", "surrogateescape")


def moment(name: str, text: str) -> datetime:
    """Read a time that `clock.to_text` wrote."""
    try:
        parsed = clock.from_text(text)
    except (TypeError, ValueError):
        parsed = None
    if parsed is None or parsed.tzinfo is not UTC:
        raise UnreadableError(f"its {name} is no time")
    return parsed


def mapping(name: str, text: str) -> dict[str, Any]:
    """Read a JSON object."""
    loaded = _json(name, text)
    if not isinstance(loaded, dict):
        raise UnreadableError(f"its {name} is no JSON object")
    return loaded


def texts(name: str, text: Any) -> tuple[str, ...]:
    """Read a JSON list of texts."""
    loaded = _json(name, text)
    if not isinstance(loaded, list) or not all(isinstance(item, str) for item in loaded):
        raise UnreadableError(f"its {name} is no JSON list of texts")
    for item in loaded:
        check_text(name, item)
    return tuple(loaded)


def own_value(name: str, kind: str, value: Any) -> Any:
    """Read a value of a type's own columns that is not NULL."""
    if value.__class__ not in _OWN[kind]:
        raise UnreadableError(f"its {name} is {_said(value)}")
    check_text(name, value)
    if kind == "json":
        return texts(name, value) if name in TUPLE_FIELDS else _json(name, value)
    return bool(value) if kind == "boolean" else value


def _json(name: str, text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise UnreadableError(f"its {name} is no JSON") from error


def _said(value: Any) -> str:
    if value is None:
        return "missing"
    return {str: "a text", bytes: "bytes", int: "a number", float: "a number"}[value.__class__]
