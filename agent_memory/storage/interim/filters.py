"""The filter language in SQL: everything is pushed down, and means what `Where.matches` says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_memory import clock
from agent_memory.records import OWN_FIELDS
from agent_memory.storage.where import Condition, Period, Where

_SQL_TYPES = {"boolean": ("true", "false"), "number": ("integer", "real"), "text": ("text",)}


def condition(where: Where, now: str) -> tuple[str, list[Any]]:
    """Return the SQL condition on `memory`, and its values."""
    parts: list[str] = []
    values: list[Any] = []

    def add(sql: str, *given: Any) -> None:
        parts.append(sql)
        values.extend(given)

    def one_of(column: str, given: Sequence[str]) -> None:
        if len(given) == 1:
            add(f"{column} = ?", given[0])
        else:
            add(f"{column} in (select value from json_each(?))", json.dumps(list(given)))

    if where.statuses:
        one_of("memory.status", [each.value for each in where.statuses])
    if where.types:
        one_of("memory.type", [each.value for each in where.types])
    if where.ids is not None:
        one_of("memory.id", where.ids)
    if where.expired is False:
        add("(memory.expires_at is null or memory.expires_at > ?)", now)
    elif where.expired is True:
        add("memory.expires_at <= ?", now)
    for column, given in (("key", where.keys), ("source", where.sources), ("session", where.sessions)):
        if given:
            one_of(f"memory.{column}", given)
    if where.tags_any:
        tags = json.dumps(list(where.tags_any))
        add(
            "memory.pk in (select memory from memory_tag where tag in (select value from json_each(?)))", tags
        )
    for tag in where.tags_all:
        add("memory.pk in (select memory from memory_tag where tag = ?)", tag)
    if where.pinned is not None:
        add("memory.pinned = ?", int(where.pinned))
    if where.min_importance > 0:
        add("memory.importance >= ?", where.min_importance)
    for column, span in (
        ("created_at", where.created),
        ("updated_at", where.updated),
        ("happened_at", where.occurred),
    ):
        if span is not None:
            _span(add, f"memory.{column}", span)
    for each in where.metadata:
        _metadata(add, each)
    for each in where.fields:
        _own_field(add, each)
    return " and ".join(parts) or "1", values


def _span(add: Any, column: str, span: Period) -> None:
    if span.start is not None:
        add(f"{column} >= ?", clock.to_text(span.start))
    if span.end is not None:
        add(f"{column} < ?", clock.to_text(span.end))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def _metadata(add: Any, given: Condition) -> None:
    # Keys are compared as values of json_each, not written into a path: any character may stand in one.
    inside = "exists (select 1 from json_each(memory.metadata) as entry where entry.key = ? and "
    if given.operator == "exists":
        sql = inside + "entry.type <> 'null')"
        add(sql if given.value else f"not {sql}", given.name)
        return
    alternatives = given.value if given.operator == "in" else (given.value,)
    symbol = "=" if given.operator == "in" else given.operator
    comparisons: list[str] = []
    values: list[Any] = [given.name]
    for value in alternatives:
        kinds = ", ".join(f"'{each}'" for each in _SQL_TYPES[_kind(value)])
        comparisons.append(f"(entry.type in ({kinds}) and entry.value {symbol} ?)")
        values.append(int(value) if isinstance(value, bool) else value)
    add(inside + f"({' or '.join(comparisons) or '0'}))", *values)


def _own_field(add: Any, given: Condition) -> None:
    kinds = {
        kind.value: own.kind
        for kind, fields in OWN_FIELDS.items()
        for own in fields
        if own.name == given.name
    }
    wanted = {"text": "text", "integer": "number", "real": "number", "boolean": "boolean"}
    parts: list[str] = []
    values: list[Any] = []
    for table, kind in kinds.items():
        if given.operator == "exists":
            parts.append(f"select memory from {table} where {given.name} is not null")
            continue
        alternatives = given.value if given.operator == "in" else (given.value,)
        fitting = [value for value in alternatives if _kind(value) == wanted[kind]]
        symbol = "=" if given.operator == "in" else given.operator
        if fitting:
            parts.append(
                f"select memory from {table} where "
                + " or ".join([f"{given.name} {symbol} ?"] * len(fitting))
            )
            values.extend(int(value) if isinstance(value, bool) else value for value in fitting)
    inside = f"memory.pk in ({' union all '.join(parts)})" if parts else "0"
    add(f"not {inside}" if given.operator == "exists" and not given.value else inside, *values)
