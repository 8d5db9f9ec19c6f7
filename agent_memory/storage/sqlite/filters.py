"""The filter language in SQL: everything is pushed down, and means what `Where.matches` says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent_memory import clock
from agent_memory.records import OWN_FIELDS, MemoryType, Status
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import HAPPENED, UPDATED
from agent_memory.storage.where import Condition, Period, Where

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LARGEST = 2**63  # what SQLite has as an integer is smaller
_KINDS = {"text": "text", "integer": "number", "real": "number", "boolean": "boolean"}


class _Conditions:
    """SQL conditions that must all hold, and the values in them."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.values: list[Any] = []

    def add(self, sql: str, *values: Any) -> None:
        self.parts.append(sql)
        self.values += values

    def one_of(self, column: str, given: Sequence[str]) -> None:
        if len(given) == 1:
            self.add(f"{column} = ?", given[0])
        else:
            self.add(f"{column} in (select value from json_each(?))", json.dumps(list(given)))

    def within(self, column: str, period: Period | None) -> None:
        if period is not None and period.start is not None:
            self.add(f"{column} >= ?", clock.to_text(period.start))
        if period is not None and period.end is not None:
            self.add(f"{column} < ?", clock.to_text(period.end))


def register(connection: Connection) -> None:
    """Give a connection the function that SQLite lacks: comparing JSON numbers exactly.

    SQLite reads `0.1` into a number of its own making, which before 3.43 may be the neighbour of Python's.
    """
    connection.create_function("metadata_holds", 4, _metadata_holds, deterministic=True)


def _metadata_holds(metadata: bytes, name: str, operator: Any, value: str) -> bool:
    given = json.loads(value)
    condition = Condition(name, operator, tuple(given) if isinstance(given, list) else given)
    try:
        return condition.holds(json.loads(metadata))
    except ValueError:
        return False


def condition(where: Where, now: str) -> tuple[str, list[Any]]:
    """Return the SQL condition on `memory`, and its values."""
    result = _Conditions()
    if where.statuses:
        # By what it is not: a row with a damaged status has to be met, so that it is named.
        # With a plus, or SQLite goes through whatever index holds the active memories alone, in no useful order.
        others = ", ".join(f"'{statu.value}'" for statu in Status if statu not in where.statuses)
        result.add(f"+memory.status not in ({others})" if others else "1")
    if where.types:
        result.one_of("memory.type", [item.value for item in where.types])
    if where.ids is not None:
        result.one_of("memory.id", where.ids)
    if where.expired is False:
        result.add("(memory.expires_at is null or memory.expires_at > ?)", now)
    elif where.expired is True:
        result.add("memory.expires_at <= ?", now)
    for column, given in (("key", where.keys), ("source", where.sources), ("session", where.sessions)):
        if given:
            result.one_of(f"memory.{column}", given)
    if where.tags_any:
        wanted = _Conditions()
        wanted.one_of("tag", where.tags_any)
        result.add(f"memory.pk in (select memory from memory_tag where {wanted.parts[0]})", *wanted.values)
    for tag in where.tags_all:
        result.add("memory.pk in (select memory from memory_tag where tag = ?)", tag)
    if where.pinned is not None:
        result.add(f"memory.pinned = {int(where.pinned)}")
    if where.min_importance > 0:
        result.add("memory.importance >= ?", float(where.min_importance))
    result.within("memory.created_at", where.created)
    result.within(UPDATED, where.updated)
    result.within(HAPPENED, where.occurred)
    for item in where.metadata:
        _metadata(result, item)
    if where.fields:
        _own_fields(result, where)
    return " and ".join(result.parts) or "1", result.values


def tested(condition: tuple[str, list[Any]]) -> tuple[str, list[Any]]:
    """Return a condition for rows that are at hand already, which it can only admit or refuse.

    Without the plus SQLite would go through all memories with a tag for each row: seconds instead of milliseconds.
    """
    sql, values = condition
    return sql.replace("memory.pk in (", "+memory.pk in ("), values


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def _number(value: float) -> float:
    """Return a number as SQLite can take it; beyond its integers, on the same side of all of them."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return float("inf") if value > 0 else float("-inf")
    return value


# --- metadata --------------------------------------------------------------------------------------------------


_READABLE = "case when json_valid(memory.metadata) then {} else 1 end"
"""A condition on metadata, which admits what is no JSON: such a row has to be met, so that it is named."""


def _metadata(result: _Conditions, given: Condition) -> None:
    if _PLAIN_KEY.fullmatch(given.name):
        path = f"(memory.metadata, '$.{given.name}')"
        kind, value, frame, named = f"json_type{path}", f"json_extract{path}", "{}", []
    else:
        # Any character may stand in a key, and a path cannot hold them all.
        kind, value, named = "entry.type", "entry.value", [given.name]
        frame = "exists (select 1 from json_each(memory.metadata) as entry where entry.key = ? and {})"
    if given.operator == "exists":
        there = frame.format(f"coalesce({kind}, 'null') <> 'null'")
        result.add(_READABLE.format(there if given.value else f"not {there}"), *named)
        return
    sql, values = _comparison(given, kind, value)
    result.add("memory.metadata <> '{}'")  # most are empty, and cost nothing this way
    result.add(_READABLE.format(frame.format(sql)), *named, *values)


def _comparison(given: Condition, kind: str, value: str) -> tuple[str, list[Any]]:
    alternatives = given.value if given.operator == "in" else (given.value,)
    parts: list[str] = []
    values: list[Any] = []
    for wanted in ("text", "boolean", "number"):
        some = [alternative for alternative in alternatives if _kind(alternative) == wanted]
        if not some:
            continue
        compared = f"in ({', '.join('?' * len(some))})" if given.operator == "in" else f"{given.operator} ?"
        if wanted == "text":
            parts.append(f"({kind} = 'text' and {value} {compared})")
            values += some
        elif wanted == "boolean":
            parts.append(f"({kind} in ('true', 'false') and {value} {compared})")
            values += map(int, some)
        else:
            parts.append(f"(typeof({value}) = 'integer' and {kind} = 'integer' and {value} {compared})")
            values += map(_number, some)
            parts.append(
                f"(typeof({value}) = 'real'"
                f" and metadata_holds(cast(memory.metadata as blob), ?, '{given.operator}', ?))"
            )
            values += [given.name, json.dumps(some if given.operator == "in" else some[0])]
    return f"({' or '.join(parts) or '0'})", values


# --- the types' own fields -------------------------------------------------------------------------------------


def in_conversation(where: Where, now: str) -> tuple[str, list[Any]] | None:
    """Return the SQL condition on `memory` and its row in `conversation`, for the messages of one conversation.

    None where the filter is about anything else. Written so, the index that has a conversation in its order answers.
    """
    one = any(field_.name == "conversation_id" and field_.operator == "=" for field_ in where.fields)
    if where.types != (MemoryType.CONVERSATION,) or not one:
        return None
    sql, values = condition(replace(where, fields=()), now)
    own = _own_conditions(MemoryType.CONVERSATION, where)
    return " and ".join([*own.parts, sql]), [*own.values, *values]


def _own_fields(result: _Conditions, where: Where) -> None:
    parts: list[str] = []
    values: list[Any] = []
    for memory_type in where.types or tuple(MemoryType):
        own = _own_conditions(memory_type, where)
        if "0" not in own.parts:
            parts.append(f"select memory from {memory_type} where {' and '.join(own.parts) or '1'}")
            values += own.values
    result.add(f"memory.pk in ({' union all '.join(parts)})" if parts else "0", *values)


def _own_conditions(memory_type: MemoryType, where: Where) -> _Conditions:
    kinds = {own.name: own.kind for own in OWN_FIELDS[memory_type]}
    own = _Conditions()
    for given in where.fields:
        if given.name in kinds:
            _own_field(own, given, _KINDS[kinds[given.name]])
        elif given.operator != "exists" or given.value:
            own.add("0")
    return own


def _own_field(own: _Conditions, given: Condition, kind: str) -> None:
    if given.operator == "exists":
        own.add(f"{given.name} is {'not ' if given.value else ''}null")
        return
    alternatives = given.value if given.operator == "in" else (given.value,)
    fitting = [alternative for alternative in alternatives if _kind(alternative) == kind]
    if not fitting:
        own.add("0")
        return
    symbol = f"in ({', '.join('?' * len(fitting))})" if given.operator == "in" else f"{given.operator} ?"
    values = [item if kind == "text" else _number(item) for item in fitting]
    own.add(f"{given.name} {symbol}", *(int(value) if kind == "boolean" else value for value in values))
