"""The filter language in SQL: everything is pushed down, and means what `Where.matches` says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from agent_memory.records import OWN_FIELDS, MemoryType
from agent_memory.storage.postgres.rows import number, storable
from agent_memory.storage.where import Condition, Period, Where

HAPPENED = "coalesce(m.occurred_at, m.created_at)"
_KINDS = {"text": "text", "integer": "number", "real": "number", "boolean": "boolean"}
Sql = tuple[str, list[Any]]


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
            self.add(f"{column} = %s", given[0])
        else:
            self.add(f"{column} = any(%s)", list(given))

    def within(self, column: str, period: Period | None) -> None:
        if period is not None and period.start is not None:
            self.add(f"{column} >= %s", period.start)
        if period is not None and period.end is not None:
            self.add(f"{column} < %s", period.end)


def condition(where: Where, now: datetime, agent: int) -> Sql:
    """Return the SQL condition on `memory as m`, and its values."""
    result = _Conditions()
    result.add(f"m.agent = {agent}")
    if where.statuses:
        result.add("m.status in (" + ", ".join(f"'{status.value}'" for status in where.statuses) + ")")
    if where.types:
        result.one_of("m.type", [item.value for item in where.types])
    if where.ids is not None:
        result.one_of("m.id", where.ids)
    if where.expired is False:
        result.add("(m.expires_at is null or m.expires_at > %s)", now)
    elif where.expired is True:
        result.add("m.expires_at <= %s", now)
    for column, given in (("key", where.keys), ("source", where.sources), ("session", where.sessions)):
        if given:
            result.one_of(f"m.{column}", given)
    if where.tags_any:
        wanted = _Conditions()
        wanted.one_of("tag", where.tags_any)
        result.add(_tagged(agent, wanted.parts[0]), *wanted.values)
    for tag in where.tags_all:
        result.add(_tagged(agent, "tag = %s"), tag)
    if where.pinned is not None:
        result.add("m.pinned" if where.pinned else "not m.pinned")
    if where.min_importance > 0:
        result.add("m.importance >= %s", float(where.min_importance))
    result.within("m.created_at", where.created)
    result.within("m.updated_at", where.updated)
    result.within(HAPPENED, where.occurred)
    for item in where.metadata:
        _metadata(result, item)
    if where.fields:
        _own_fields(result, where, agent)
    return " and ".join(result.parts), result.values


def _tagged(agent: int, sql: str) -> str:
    return f"m.place in (select memory from memory_tag where agent = {agent} and {sql})"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


# --- metadata --------------------------------------------------------------------------------------------------


def _metadata(result: _Conditions, given: Condition) -> None:
    name = given.name.replace("\0", "\ue000")
    if given.operator == "exists":
        # The operator ? written as the function behind it: the driver would take it for a place of a value.
        result.add("jsonb_exists(m.facts, %s)" if given.value else "not jsonb_exists(m.facts, %s)", name)
    elif given.operator in ("=", "in"):
        alternatives = given.value if given.operator == "in" else (given.value,)
        # Written so that the index over `facts` answers.
        parts = ["m.facts @> %s::jsonb" for _ in alternatives]
        values = [f"{{{storable(given.name)}:{_json(alternative)}}}" for alternative in alternatives]
        result.add(f"(m.facts <> '{{}}' and ({' or '.join(parts) or 'false'}))", *values)
    elif _kind(given.value) == "text":
        sql = f"jsonb_typeof(m.facts -> %s) = 'string' and (m.facts ->> %s) collate \"C\" {_symbol(given)} %s"
        result.add(f"({sql})", name, name, given.value.replace("\0", "\ue000"))
    elif _kind(given.value) == "boolean":
        result.add("m.facts @> %s::jsonb", f"{{{storable(given.name)}:{_json(not given.value)}}}")
    else:
        sql = (
            "case when jsonb_typeof(m.facts -> %s) = 'number'"
            f" then (m.facts ->> %s)::numeric {_symbol(given)} %s::numeric else false end"
        )
        result.add(sql, name, name, number(given.value))


def _symbol(given: Condition) -> str:
    return "<>" if given.operator == "!=" else given.operator


def _json(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return storable(value) if isinstance(value, str) else number(value)


# --- the types' own fields -------------------------------------------------------------------------------------


def in_conversation(where: Where, now: datetime, agent: int) -> Sql | None:
    """Return the SQL condition on `memory as m` and its row in `conversation as placed`, for one conversation.

    None where the filter is about anything else. Written so, the index that has a conversation in its order answers.
    """
    one = any(field_.name == "conversation_id" and field_.operator == "=" for field_ in where.fields)
    if where.types != (MemoryType.CONVERSATION,) or not one:
        return None
    sql, values = condition(replace(where, fields=()), now, agent)
    own = _own_conditions(MemoryType.CONVERSATION, where)
    return " and ".join([f"placed.agent = {agent}", *own.parts, sql]), [*own.values, *values]


def _own_fields(result: _Conditions, where: Where, agent: int) -> None:
    parts: list[str] = []
    values: list[Any] = []
    for memory_type in where.types or tuple(MemoryType):
        own = _own_conditions(memory_type, where)
        if "false" not in own.parts:
            conditions = " and ".join([f"agent = {agent}", *own.parts])
            parts.append(f"select memory from {memory_type} where {conditions}")
            values += own.values
    result.add(f"m.place in ({' union all '.join(parts)})" if parts else "false", *values)


def _own_conditions(memory_type: MemoryType, where: Where) -> _Conditions:
    kinds = {own.name: own.kind for own in OWN_FIELDS[memory_type]}
    own = _Conditions()
    for given in where.fields:
        if given.name in kinds:
            _own_field(own, given, _KINDS[kinds[given.name]])
        elif given.operator != "exists" or given.value:
            own.add("false")
    return own


def _own_field(own: _Conditions, given: Condition, kind: str) -> None:
    if given.operator == "exists":
        own.add(f"{given.name} is {'not ' if given.value else ''}null")
        return
    alternatives = given.value if given.operator == "in" else (given.value,)
    fitting = [alternative for alternative in alternatives if _kind(alternative) == kind]
    if not fitting:
        own.add("false")
        return
    parts = []
    for item in fitting:
        symbol = "=" if given.operator == "in" else _symbol(given)
        if kind == "number":
            # float8 becomes a numeric by way of its shortest text, so both sides take that way.
            parts.append(f"{given.name}::text::numeric {symbol} %s::numeric")
            own.values.append(Decimal(repr(item)))
        else:
            parts.append(f"{given.name} {symbol} %s")
            own.values.append(item)
    own.parts.append(f"({' or '.join(parts)})")
