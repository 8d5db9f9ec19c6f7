"""What a filter left the last time: an agent asks with one filter again and again."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.where import Where


class Selection(NamedTuple):
    """The memories that a filter admits, until any memory changes; what expires meanwhile is still among them."""

    made_for: tuple[Where, str]
    keys: str
    """Of `memory`, as a JSON array: a statement takes any number of them so."""


def purpose(connection: Connection, where: Where) -> tuple[Where, str]:
    """Return what must be the same for a selection to hold: the filter, and the last change of any memory."""
    # Its id and not its number: numbers come again once the last rows of the journal were erased.
    row = connection.execute("select change_id from journal order by seq desc limit 1").fetchone()
    return where, row[0] if row else ""


def select(
    connection: Connection, where: Where, condition: tuple[str, list[Any]], known: Selection | None
) -> Selection:
    """Return the memories that a filter admits; `known` if it still holds."""
    wanted = purpose(connection, where)
    # What counts as expired changes by itself; only leaving out more of it later is harmless.
    if known is not None and known.made_for == wanted and where.expired is not True:
        return known
    sql, values = condition
    keys = [row[0] for row in connection.execute(f"select memory.pk from memory where {sql}", values)]
    return Selection(wanted, json.dumps(keys, separators=(",", ":")))
