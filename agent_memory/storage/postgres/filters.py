"""The filter language in SQL: everything is pushed down, and means what `Where.matches` says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from agent_memory.records import Status
from agent_memory.storage.conditions import Conditions, Kind, Sql, alternatives, kind_of
from agent_memory.storage.postgres.rows import number, storable
from agent_memory.storage.where import Condition, Where

HAPPENED = "coalesce(m.occurred_at, m.created_at)"


def condition(where: Where, now: datetime, agent: int) -> Sql:
    """Return the SQL condition on `memory as m`, and its values."""
    return _of_agent(agent, "m").admit(where, now).sql()


def in_conversation(where: Where, now: datetime, agent: int) -> Sql | None:
    """Return the condition on `memory as m` and its row in `conversation as placed`, for one conversation."""
    return _of_agent(agent, "m", "placed").in_conversation(where, now)


def _of_agent(agent: int, *tables: str) -> _Conditions:
    result = _Conditions(agent)
    for table in tables:
        result.add(f"{table}.agent = {agent}")
    return result


class _Conditions(Conditions):
    """Conditions in PostgreSQL's dialect."""

    table = "m"
    sequence = "m.place"
    updated = "m.updated_at"
    happened = HAPPENED
    placeholder = "%s"
    never = "false"

    def __init__(self, agent: int) -> None:
        super().__init__()
        self._agent = agent

    def _empty(self) -> Conditions:
        return _Conditions(self._agent)

    def _elsewhere(self) -> Conditions:
        result = _Conditions(self._agent)
        result.add(f"agent = {self._agent}")
        return result

    def _any_of(self, column: str, values: list[str]) -> None:
        self.add(f"{column} = any(%s)", values)

    def _time(self, moment: datetime) -> datetime:
        return moment

    def _statuses(self, statuses: Sequence[Status]) -> None:
        self.add("m.status in (" + ", ".join(f"'{status.value}'" for status in statuses) + ")")

    def _pinned(self, pinned: bool) -> None:
        self.add("m.pinned" if pinned else "not m.pinned")

    def _metadata(self, comparison: Condition) -> None:
        name = comparison.name.replace("\0", "\ue000")
        if comparison.operator == "exists":
            # The operator ? written as the function behind it: the driver would take it for a place of a value.
            self.add(
                "jsonb_exists(m.facts, %s)" if comparison.value else "not jsonb_exists(m.facts, %s)", name
            )
        elif comparison.operator in ("=", "in"):
            # Written so that the index over `facts` answers.
            parts = ["m.facts @> %s::jsonb" for _ in alternatives(comparison)]
            values = [
                f"{{{storable(comparison.name)}:{_json(alternative)}}}"
                for alternative in alternatives(comparison)
            ]
            self.add(f"(m.facts <> '{{}}' and ({' or '.join(parts) or 'false'}))", *values)
        elif kind_of(comparison.value) == "text":
            text = f'(m.facts ->> %s) collate "C" {_symbol(comparison)} %s'
            sql = f"jsonb_typeof(m.facts -> %s) = 'string' and {text}"
            self.add(f"({sql})", name, name, comparison.value.replace("\0", "\ue000"))
        elif kind_of(comparison.value) == "boolean":
            self.add("m.facts @> %s::jsonb", f"{{{storable(comparison.name)}:{_json(not comparison.value)}}}")
        else:
            sql = (
                "case when jsonb_typeof(m.facts -> %s) = 'number'"
                f" then (m.facts ->> %s)::numeric {_symbol(comparison)} %s::numeric else false end"
            )
            self.add(sql, name, name, number(comparison.value))

    def _compare_own(self, comparison: Condition, values: Sequence[Any], kind: Kind) -> None:
        symbol = "=" if comparison.operator == "in" else _symbol(comparison)
        # float8 becomes a numeric by way of its shortest text, so both sides take that way.
        numeric = kind == "number"
        sql = (
            f"{comparison.name}::text::numeric {symbol} %s::numeric"
            if numeric
            else f"{comparison.name} {symbol} %s"
        )
        self.add(
            f"({' or '.join([sql] * len(values))})",
            *(Decimal(repr(value)) if numeric else value for value in values),
        )


def _symbol(comparison: Condition) -> str:
    return "<>" if comparison.operator == "!=" else comparison.operator


def _json(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return storable(value) if isinstance(value, str) else number(value)
