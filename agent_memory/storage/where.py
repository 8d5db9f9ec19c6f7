"""The filter language: closed, AND only, the same on every backend.

`Where` says which memories are meant. `Where.matches` is its meaning in plain Python; a backend that pushes a
part of it down must give what `matches` gives, and the conformance suite compares them.

Missing values match nothing, `!=` included. Numbers compare with numbers, text with text; booleans are
neither, and know only `=`, `!=` and `in`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, get_args

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import NAME_FIELDS, OWN_FIELDS, MemoryRecord, MemoryType, Status
from agent_memory.text.names import check_storable, normal_value

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "in", "exists"]
OPERATORS: Final = get_args(Operator)
Scalar = str | int | float | bool

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

FILTER_FIELDS: Mapping[str, str] = {
    own.name: own.kind for fields in OWN_FIELDS.values() for own in fields if own.kind != "json"
}
"""Own fields of the types that a filter may name, with their kind; a name has the same kind in all types."""


class Condition(NamedTuple):
    """One comparison of a metadata value or of a type's own field."""

    name: str
    operator: Operator
    value: Any
    """A scalar; for `in` a tuple of them; for `exists` True or False."""

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether a set of values fulfils it."""
        there = values.get(self.name) is not None
        if self.operator == "exists":
            return there is self.value
        if not there:
            return False
        actual = values[self.name]
        if self.operator == "in":
            return any(_same_kind(actual, item) and actual == item for item in self.value)
        return _same_kind(actual, self.value) and _COMPARE[self.operator](actual, self.value)


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else None


def _same_kind(left: Any, right: Any) -> bool:
    kind = _kind(left)
    return kind is not None and kind == _kind(right)


_SINGULAR: Final = {
    "tags_any": "tag",
    "tags_all": "tag",
    "keys": "key",
    "sources": "source",
    "sessions": "session",
}
"""How an error calls a name that is looked for."""


class Period(NamedTuple):
    """A half-open span of time, in UTC; None leaves that end open."""

    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Return whether a moment lies in it."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)

    def overlap(self, other: Period) -> Period:
        """Return what lies in both; its end is before its start where nothing does."""
        starts = [start for start in (self.start, other.start) if start is not None]
        ends = [end for end in (self.end, other.end) if end is not None]
        return Period(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which memories are meant. Every part that is given must hold; the default is every live one."""

    types: tuple[MemoryType, ...] = ()
    """Any of these; empty means every type."""
    ids: tuple[str, ...] | None = None
    """Whole ids; an empty tuple matches nothing."""
    tags_any: tuple[str, ...] = ()
    tags_all: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = (Status.ACTIVE,)
    """Any of these; empty means every status."""
    pinned: bool | None = None
    min_importance: float = 0.0
    created: Period | None = None
    updated: Period | None = None
    occurred: Period | None = None
    """Compared with `happened_at`: when it happened, else when it was stored."""
    metadata: tuple[Condition, ...] = ()
    """On top-level values of the metadata; a list or object there matches nothing but `exists`."""
    fields: tuple[Condition, ...] = ()
    """On the types' own fields; a memory of a type without that field matches only `exists` false."""
    expired: bool | None = False
    """False: only what is still valid; True: only what has expired; None: both."""

    def __post_init__(self) -> None:
        for name in ("tags_any", "tags_all", "keys", "sources", "sessions"):
            for text in getattr(self, name):
                check_storable(_SINGULAR[name], text)
        for condition in (*self.metadata, *self.fields):
            _check_condition(condition)
        for condition in self.fields:
            if condition.name not in FILTER_FIELDS:
                raise ValidationError(
                    f"no memory type has a field '{condition.name}' to filter by",
                    hint="use one of " + ", ".join(sorted(FILTER_FIELDS)),
                )

    def matches(self, record: MemoryRecord, now: datetime) -> bool:
        """Return whether a memory is meant: the plain meaning of the language."""
        return (
            (not self.types or record.memory_type in self.types)
            and (self.ids is None or record.id in self.ids)
            and (not self.statuses or record.status in self.statuses)
            and (self.expired is None or record.expired(now) is self.expired)
            and (not self.tags_any or not set(self.tags_any).isdisjoint(record.tags))
            and set(self.tags_all) <= set(record.tags)
            and (not self.keys or record.key in self.keys)
            and (not self.sources or record.source in self.sources)
            and (not self.sessions or record.session in self.sessions)
            and (self.pinned is None or record.pinned is self.pinned)
            and record.importance >= self.min_importance
            and (self.created is None or self.created.holds(record.created_at))
            and (self.updated is None or self.updated.holds(record.updated_at))
            and (self.occurred is None or self.occurred.holds(record.happened_at))
            and all(condition.holds(record.metadata) for condition in self.metadata)
            and (not self.fields or self._fields_hold(record))
        )

    def _fields_hold(self, record: MemoryRecord) -> bool:
        own = {field_.name: getattr(record, field_.name) for field_ in OWN_FIELDS[record.memory_type]}
        return all(condition.holds(own) for condition in self.fields)


def _check_condition(condition: Condition) -> None:
    name, op, value = condition
    if not isinstance(name, str) or not name:
        raise ValidationError(f"{name!r} is not the name of a value", hint="name a top-level metadata key")
    check_storable("name of a value", name)
    if op not in OPERATORS:
        raise ValidationError(f"unknown operator {op!r}", hint="use one of " + " ".join(OPERATORS))
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, str):
            check_storable(f"value of {name}", item)
    if op == "exists":
        good = isinstance(value, bool)
    elif op == "in":
        good = isinstance(value, tuple) and all(_kind(item) is not None and item == item for item in value)
    elif op in ("=", "!="):
        good = _kind(value) is not None
    else:
        good = _kind(value) in ("number", "text")
    if not good or value != value:  # only NaN differs from itself
        raise ValidationError(
            f"'{name} {op} {value!r}' cannot be compared",
            hint="compare with text or a number; true and false know = !=",
        )


def conditions(written: Mapping[str, Any] | Iterable[Sequence[Any]] | None) -> tuple[Condition, ...]:
    """Read conditions as programs give them.

    A mapping compares with `=`, or with `in` where the value is a list, or with the operators of an inner
    mapping, or of several, which must all hold:
    `{"lang": "en", "stars": {">=": 3, "<": 5}, "kind": ["a", "b"], "env": [{"!=": "prod"}, {"!=": "test"}]}`.
    Anything else is a series of (name, operator, value).

    Returns:
        The conditions, which all must hold.

    Raises:
        ValidationError: the operator is unknown or the value cannot be compared.
    """
    return tuple(
        _condition(normal_value(name), op, normal_value(value)) for name, op, value in _triples(written or ())
    )


def field_conditions(written: Mapping[str, Any] | Iterable[Sequence[Any]] | None) -> tuple[Condition, ...]:
    """Read conditions on the types' own fields, as `conditions` does; those that are no names stay as they are."""
    return tuple(
        _condition(name, op, normal_value(value) if name in NAME_FIELDS else value)
        for name, op, value in _triples(written or ())
    )


def _condition(name: str, op: Any, value: Any) -> Condition:
    if op not in OPERATORS:
        raise ValidationError(f"unknown operator {op!r}", hint="use one of " + " ".join(OPERATORS))
    result = Condition(name, op, tuple(value) if isinstance(value, (list, set, frozenset)) else value)
    _check_condition(result)
    return result


def _triples(written: Mapping[str, Any] | Iterable[Sequence[Any]]) -> Iterator[tuple[Any, Any, Any]]:
    if not isinstance(written, Mapping):
        for item in written:
            if isinstance(item, str) or len(item) != 3:
                raise ValidationError(f"{item!r} is not a condition", hint="give (name, operator, value)")
            yield item[0], item[1], item[2]
        return
    for name, value in written.items():
        if isinstance(value, Mapping) or _all_mappings(value):
            for inner in [value] if isinstance(value, Mapping) else value:
                yield from ((name, op, item) for op, item in inner.items())
        else:
            yield name, "in" if isinstance(value, (list, tuple, set, frozenset)) else "=", value


def _all_mappings(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def words(text: str | Iterable[str] | None) -> tuple[str, ...]:
    """Read one name or several as a tuple, in the order given, each in its one form and once."""
    if text is None:
        return ()
    return tuple(dict.fromkeys(map(normal_value, [text] if isinstance(text, str) else text)))


def period(start: datetime | None, end: datetime | None) -> Period | None:
    """Build a period from its ends, or None where neither is given.

    Returns:
        The period, or None.

    Raises:
        ValidationError: an end has no timezone.
    """
    if start is None and end is None:
        return None
    return Period(start and clock.as_utc(start), end and clock.as_utc(end))


def check_share(name: str, value: float) -> float:
    """Return a number in [0, 1].

    Raises:
        ValidationError: it is not one.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise ValidationError(f"{name} is {value!r}", hint="give a number from 0 to 1")
    return float(value)
