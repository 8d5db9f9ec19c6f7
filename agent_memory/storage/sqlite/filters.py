"""The filter language in SQL: everything is pushed down, and means what `Where.matches` says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from agent_memory import clock
from agent_memory.records import Status
from agent_memory.storage.conditions import Conditions, Kind, Sql, alternatives, kind_of
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import HAPPENED, UPDATED
from agent_memory.storage.where import Condition, Where

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_LARGEST = 2**63  # what SQLite has as an integer is smaller


def register(connection: Connection) -> None:
    """Give a connection the function that SQLite lacks: comparing JSON numbers exactly.

    SQLite reads `0.1` into a number of its own making, which before 3.43 may be the neighbour of Python's.
    """
    connection.create_function("metadata_holds", 4, _metadata_holds, deterministic=True)


def _metadata_holds(metadata: bytes, name: str, operator: Any, value: str) -> bool:
    stored = json.loads(value)
    condition = Condition(name, operator, tuple(stored) if isinstance(stored, list) else stored)
    try:
        return condition.holds(json.loads(metadata))
    except ValueError:
        return False


def condition(where: Where, now: str) -> Sql:
    """Return the SQL condition on `memory`, and its values."""
    return _Conditions().admit(where, now).sql()


def in_conversation(where: Where, now: str) -> Sql | None:
    """Return the condition on `memory` and its row in `conversation`, for the messages of one conversation."""
    return _Conditions().in_conversation(where, now)


def tested(condition: tuple[str, list[Any]]) -> tuple[str, list[Any]]:
    """Return a condition for rows that are at hand already, which it can only admit or refuse.

    Without the plus SQLite would go through all memories with a tag for each row: seconds instead of milliseconds.
    """
    sql, values = condition
    return sql.replace("memory.pk in (", "+memory.pk in ("), values


def _number(value: float) -> float:
    """Return a number as SQLite can take it; beyond its integers, on the same side of all of them."""
    if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
        return float("inf") if value > 0 else float("-inf")
    return value


_READABLE = "case when json_valid(memory.metadata) then {} else 1 end"
"""A condition on metadata, which admits what is no JSON: such a row has to be met, so that it is named."""


class _Conditions(Conditions):
    """Conditions in SQLite's dialect."""

    table = "memory"
    sequence = "memory.pk"
    updated = UPDATED
    happened = HAPPENED
    placeholder = "?"
    never = "0"

    def _empty(self) -> Conditions:
        return _Conditions()

    def _any_of(self, column: str, values: list[str]) -> None:
        self.add(f"{column} in (select value from json_each(?))", json.dumps(values))

    def _time(self, moment: datetime) -> str:
        return clock.to_text(moment)

    def _statuses(self, statuses: Sequence[Status]) -> None:
        # By what it is not: a row with a damaged status has to be met, so that it is named.
        # With a plus, or SQLite goes through whatever index holds the active memories alone, in no useful order.
        others = ", ".join(f"'{status.value}'" for status in Status if status not in statuses)
        self.add(f"+memory.status not in ({others})" if others else "1")

    def _pinned(self, pinned: bool) -> None:
        self.add(f"memory.pinned = {int(pinned)}")

    def _metadata(self, comparison: Condition) -> None:
        if _PLAIN_KEY.fullmatch(comparison.name):
            path = f"(memory.metadata, '$.{comparison.name}')"
            kind, value, frame, named = f"json_type{path}", f"json_extract{path}", "{}", []
        else:
            # Any character may stand in a key, and a path cannot hold them all.
            kind, value, named = "entry.type", "entry.value", [comparison.name]
            frame = "exists (select 1 from json_each(memory.metadata) as entry where entry.key = ? and {})"
        if comparison.operator == "exists":
            there = frame.format(f"coalesce({kind}, 'null') <> 'null'")
            self.add(_READABLE.format(there if comparison.value else f"not {there}"), *named)
            return
        sql, values = _comparison(comparison, kind, value)
        self.add("memory.metadata <> '{}'")  # most are empty, and cost nothing this way
        self.add(_READABLE.format(frame.format(sql)), *named, *values)

    def _compare_own(self, comparison: Condition, values: Sequence[Any], kind: Kind) -> None:
        symbol = (
            f"in ({', '.join('?' * len(values))})"
            if comparison.operator == "in"
            else f"{comparison.operator} ?"
        )
        self.add(f"{comparison.name} {symbol}", *(_stored(value, kind) for value in values))


def _stored(value: Any, kind: Kind) -> Any:
    if kind == "boolean":
        return int(value)
    return value if kind == "text" else _number(value)


def _comparison(comparison: Condition, kind: str, value: str) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for wanted in ("text", "boolean", "number"):
        some = [alternative for alternative in alternatives(comparison) if kind_of(alternative) == wanted]
        if not some:
            continue
        compared = (
            f"in ({', '.join('?' * len(some))})"
            if comparison.operator == "in"
            else f"{comparison.operator} ?"
        )
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
                f" and metadata_holds(cast(memory.metadata as blob), ?, '{comparison.operator}', ?))"
            )
            values += [comparison.name, json.dumps(some if comparison.operator == "in" else some[0])]
    return f"({' or '.join(parts) or '0'})", values
