"""Reading memories: plain functions of a connection."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.records import OWN_FIELDS, MemoryRecord, MemoryType, Status
from agent_memory.storage.base import Group, GroupBy, Order
from agent_memory.storage.damage import Damaged
from agent_memory.storage.listing import grouped
from agent_memory.storage.sqlite import filters, rows
from agent_memory.storage.sqlite.damage import ReadContext, UnreadableError, check_text, moment
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import checksum
from agent_memory.storage.where import Where

_ORDER = {
    "created": rows.CREATED,
    "updated": rows.UPDATED,
    "occurred": rows.HAPPENED,
    "used": "coalesce(usage.accessed_at, '')",
    "importance": "memory.importance",
    "position": "coalesce((select position from conversation where memory = memory.pk),"
    " (select position from semantic where memory = memory.pk), -1)",
}
_WITH_USAGE = "memory left join usage on usage.memory = memory.pk"
_SPINE_GROUPS = {"type": "type", "status": "status", "session": "session", "source": "source"}


def condition(where: Where) -> tuple[str, list[object]]:
    """Return the SQL condition of a filter at this moment."""
    return filters.condition(where, clock.to_text(clock.now()))


NEWEST_FIRST = f"{rows.CREATED} desc, memory.pk desc"


def get(connection: Connection, context: ReadContext, ids: Sequence[str]) -> dict[str, MemoryRecord]:
    """Fetch memories by whole ids."""
    if not ids:
        return {}
    query = f"{rows.SELECT} where memory.id in (select value from json_each(?))"
    records = rows.records(connection, connection.execute(query, (json.dumps(list(ids)),)), *context)
    return {record.id: record for record in records}


def select(
    connection: Connection, context: ReadContext, where: Where, order: Order, limit: int | None, offset: int
) -> list[MemoryRecord]:
    """List memories in an order; ties by when they were stored."""
    sql, values = condition(where)
    way = "desc" if order.descending else "asc"
    order_by = f"order by {_ORDER[order.by]} {way}, memory.pk {way}"
    messages = filters.in_conversation(where, clock.to_text(clock.now())) if order.by == "position" else None
    if messages is not None:
        wanted = (
            "select placed.memory from conversation as placed cross join memory on memory.pk = placed.memory"
            f" where {messages[0]} order by placed.position {way}, placed.memory {way} limit ? offset ?"
        )
        query = f"{rows.SELECT} where memory.pk in ({wanted}) {order_by}"
        values = [*messages[1], -1 if limit is None else limit, offset]
    elif limit is None and not offset:
        query = f"{rows.SELECT} where {sql} {order_by}"
    else:
        # Keys are sorted first, and whole rows read only of those that are wanted.
        wanted = f"select memory.pk from {_WITH_USAGE} where {sql} {order_by} limit ? offset ?"
        query = f"{rows.SELECT} where memory.pk in ({wanted}) {order_by}"
        values += [-1 if limit is None else limit, offset]
    return rows.records(connection, connection.execute(query, values).fetchall(), *context)


def select_marked(
    connection: Connection, context: ReadContext, where: Where, order: Order, limit: int, words: str
) -> list[MemoryRecord]:
    """List memories in an order, among those that a full-text query matches; ties by when they were stored."""
    sql, values = filters.tested(condition(where))
    way = "desc" if order.descending else "asc"
    order_by = f"order by {_ORDER[order.by]} {way}, memory.pk {way}"
    wanted = (
        "select memory.pk from (select rowid from memory_fts where memory_fts match ?) as hits"
        f" cross join memory on memory.pk = hits.rowid left join usage on usage.memory = memory.pk where {sql}"
        f" {order_by} limit ?"
    )
    query = f"{rows.SELECT} where memory.pk in ({wanted}) {order_by}"
    fetched = connection.execute(query, [words, *values, limit]).fetchall()
    return rows.records(connection, fetched, *context)


def newest_ids(connection: Connection, where: Where, limit: int) -> list[str]:
    """Return the ids of the newest memories that a filter admits."""
    sql, values = condition(where)
    query = f"select memory.id from memory where {sql} order by {NEWEST_FIRST} limit ?"
    return [row[0] for row in connection.execute(query, [*values, limit])]


def count(connection: Connection, where: Where) -> int:
    """Count memories."""
    sql, values = condition(where)
    return int(connection.execute(f"select count(*) from memory where {sql}", values).fetchone()[0])


def groups(connection: Connection, context: ReadContext, where: Where, by: GroupBy) -> list[Group]:
    """Count memories per value of a field, the most first; where a value is damaged, only what can be read."""
    try:
        return _groups(connection, where, by)
    except ValueError:
        return grouped(select(connection, context, where, Order(), None, 0), by)


def _groups(connection: Connection, where: Where, by: GroupBy) -> list[Group]:
    sql, values = condition(where)
    source, column = _grouped(by)
    cursor = connection.execute(
        f"select {column}, count(*), min({rows.HAPPENED}), max({rows.HAPPENED}) from {source}"
        f" where {column} is not null and {sql} group by 1 order by 2 desc, 1",
        values,
    )
    known = _KNOWN.get(by)
    return [
        Group(_value(value, known), number, moment("time", first), moment("time", last))
        for value, number, first, last in cursor
    ]


_KNOWN = {"type": frozenset(MemoryType), "status": frozenset(Status)}


def _value(value: Any, known: Collection[str] | None) -> str:
    if not isinstance(value, str) or (known is not None and value not in known):
        raise UnreadableError("a value is none of those there are")
    check_text("value", value)
    return value


def _grouped(by: str) -> tuple[str, str]:
    if by in _SPINE_GROUPS:
        return "memory", f"memory.{_SPINE_GROUPS[by]}"
    if by == "tag":
        return "memory join memory_tag on memory_tag.memory = memory.pk", "memory_tag.tag"
    tables = [kind.value for kind, fields in OWN_FIELDS.items() if any(own.name == by for own in fields)]
    union = " union all ".join(f"select memory, {by} as value from {table}" for table in tables)
    return f"memory join ({union}) as own on own.memory = memory.pk", "own.value"


def scan(
    connection: Connection, context: ReadContext, where: Where, after: int, limit: int
) -> tuple[list[MemoryRecord], int]:
    """Return the next memories in the order they were stored, and the key of the last."""
    sql, values = condition(where)
    query = f"{rows.SELECT} where memory.pk > ? and {sql} order by memory.pk limit ?"
    fetched = connection.execute(query, (after, *values, limit)).fetchall()
    return rows.records(connection, fetched, *context), fetched[-1][0] if len(fetched) == limit else 0


def pages(
    connection: Connection, agent_id: str, damaged: Damaged, size: int = 1000
) -> Iterator[list[tuple[rows.Row, MemoryRecord]]]:
    """Iterate over all readable memories in batches: row with its checksum, and record."""
    last = -(2**63)
    while fetched := connection.execute(
        f"{rows.SELECT_WITH_CHECKSUM} where memory.pk > ? order by memory.pk limit ?", (last, size)
    ).fetchall():
        last = fetched[-1][0]
        if page := rows.readable(connection, fetched, agent_id, damaged):
            yield page


def by_prefix(connection: Connection, prefix: str, limit: int) -> list[str]:
    """List ids that begin so; a range, so that the index answers."""
    query = "select id from memory where id >= ? and id < ? order by id limit ?"
    return [row[0] for row in connection.execute(query, (prefix, prefix + "\U0010ffff", limit))]


def neighbours(
    connection: Connection, context: ReadContext, message_id: str, before: int, after: int
) -> list[MemoryRecord]:
    """Return the active messages around one in its conversation."""
    position = connection.execute(
        "select conversation_id, position from conversation where memory = (select pk from memory where id = ?)",
        (message_id,),
    ).fetchone()
    if position is None or not isinstance(position[1], int):
        return []
    around = (
        "select memory from conversation join memory as one on one.pk = conversation.memory"
        " where conversation_id = ? and one.status = 'active' and (one.expires_at is null or one.expires_at > ?)"
    )
    now = clock.to_text(clock.now())
    keys = [
        row[0]
        for sql, count_ in (
            (f"{around} and position <= ? order by position desc limit ?", before + 1),
            (f"{around} and position > ? order by position limit ?", after),
        )
        for row in connection.execute(sql, (position[0], now, position[1], count_))
    ]
    query = f"{rows.SELECT} where memory.pk in (select value from json_each(?)) order by {_ORDER['position']}"
    fetched = connection.execute(query, (json.dumps(keys),)).fetchall()
    return rows.records(connection, fetched, *context)


def damage_behind(connection: Connection, reference: str) -> tuple[str, str] | None:
    """Return name and reason of a damaged memory that an id, a key or the beginning of an id means."""
    query = (
        f"{rows.SELECT} where memory.id = :it or memory.key = :it or (memory.id >= :it and memory.id < :end)"
    )
    fetched = connection.execute(query, {"it": reference, "end": reference + "\U0010ffff"}).fetchall()
    damaged = Damaged()
    rows.records(connection, fetched, "", damaged)
    return next(iter(damaged.items()), None)


def adjacent(connection: Connection, message_ids: Sequence[str], step: int) -> dict[str, str]:
    """Return the id of the active message before or after each of these, in its conversation."""
    if not message_ids:
        return {}
    sign, order = ("<", "desc") if step < 0 else (">", "asc")
    query = (
        "select this.id, (select other.id from conversation as place join memory as other on other.pk = place.memory"
        " where place.conversation_id = here.conversation_id and place.kind = 'message'"
        f" and place.position {sign} here.position and other.status = 'active'"
        " and (other.expires_at is null or other.expires_at > ?)"
        f" order by place.position {order} limit 1)"
        " from memory as this join conversation as here on here.memory = this.pk"
        " where here.kind = 'message' and this.id in (select value from json_each(?))"
    )
    cursor = connection.execute(query, (clock.to_text(clock.now()), json.dumps(list(message_ids))))
    return {row[0]: row[1] for row in cursor if row[1] is not None}


def touch(connection: Connection, ids: Sequence[str]) -> tuple[datetime, dict[str, int]]:
    """Count one access of each.

    Returns:
        When, as it is stored, and how often each memory has been accessed now.
    """
    query = (
        "select memory.pk, memory.id, usage.access_count from memory left join usage on usage.memory = memory.pk"
        " where memory.id in (select value from json_each(?))"
    )
    counted = [
        (key, memory_id, (count if isinstance(count, int) else 0) + 1)
        for key, memory_id, count in connection.execute(query, (json.dumps(list(ids)),))
    ]
    moment = clock.to_text(clock.now())
    accesses = [(key, moment, count) for key, _, count in counted]
    for batch in batched(accesses, _TOUCHED):
        # One statement for all: prepared for each row it takes longer than what it writes.
        values = [value for row in batch for value in (*row, checksum(row))]
        connection.execute(
            "insert into usage (memory, accessed_at, access_count, checksum)"
            f" values {', '.join(['(?, ?, ?, ?)'] * len(batch))} on conflict (memory) do update set"
            " accessed_at = excluded.accessed_at, access_count = excluded.access_count,"
            " checksum = excluded.checksum",
            values,
        )
    return clock.from_text(moment), {memory_id: count for _, memory_id, count in counted}


_TOUCHED = 200
OF_MEMORIES = "memory in (select pk from memory where id in (select value from json_each(?)))"
