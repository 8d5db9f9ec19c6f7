"""Reading memories: coroutines of a connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from agent_memory import clock
from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage.base import Group, GroupBy, Order
from agent_memory.storage.conditions import Sql
from agent_memory.storage.damage import Damaged
from agent_memory.storage.postgres import filters, rows
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where
from agent_memory.text.porter import stem

if TYPE_CHECKING:
    from agent_memory.storage.postgres.hnsw import SearchedSpace
    from agent_memory.storage.retrieval import Selection

_ORDER = {
    "created": "m.created_at",
    "updated": "m.updated_at",
    "occurred": filters.HAPPENED,
    "used": "coalesce(u.accessed_at, '-infinity')",
    "importance": "m.importance",
}
_POSITION = (
    "coalesce((select position from conversation as c where c.agent = {0} and c.memory = m.place),"
    " (select position from semantic as s where s.agent = {0} and s.memory = m.place), -1)"
)
_SPINE_GROUPS = {"type": "type", "status": "status", "session": "session", "source": "source"}


NOBODY: Final = 0
"""The number of an agent that the database does not know, and cannot be told of: it takes no writes."""


class Scope:
    """Whose memories a query is about."""

    def __init__(self, number: int, agent_id: str, damaged: Damaged | None = None) -> None:
        self.number = number
        self.id = agent_id
        self.damaged = Damaged() if damaged is None else damaged
        """Where memories that cannot be read are noted."""
        self.index_space: int | None = None
        """The space with a table for an HNSW index that new vectors go into, as the last write found it."""
        self.searched: SearchedSpace | None = None
        """The current space, as the last search found it."""

    @property
    def is_large(self) -> bool:
        """Whether the last search found an HNSW index of the agent's own: the tables are not small then."""
        return self.searched is not None and self.searched.has_table

    def memories(self, fetched: Iterable[Sequence[Any]]) -> list[MemoryRecord]:
        """Make memories of rows; what cannot be read is noted and left out."""
        return rows.records(fetched, self.id, self.damaged)

    def condition(self, where: Where) -> Sql:
        """Return the SQL condition of a filter at this moment."""
        return filters.condition(where, clock.now(), self.number)


async def fetch(
    connection: Connection, sql: str, values: Sequence[Any] = (), *, binary: bool = False
) -> list[Any]:
    """Return the rows of a query; `binary` where they hold vectors, which are long as text."""
    cursor = await connection.execute(sql, list(values), binary=binary)
    fetched: list[Any] = await cursor.fetchall()
    return fetched


async def fetch_all(connection: Connection, statements: Sequence[Sql]) -> list[list[Any]]:
    """Return the rows of several queries, sent together: one round trip for all of them."""
    if len(statements) == 1:
        return [await fetch(connection, *statements[0])]
    async with connection.at_once():
        cursors = [await connection.execute(sql, list(values)) for sql, values in statements]
    return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]


def _sorted_by(scope: Scope, field: str) -> str:
    """Write what memories are ordered by."""
    return _POSITION.format(scope.number) if field == "position" else _ORDER[field]


async def records(
    connection: Connection, scope: Scope, sql: str, values: Sequence[Any]
) -> list[MemoryRecord]:
    """Return the memories that a condition on `memory as m`, with all that follows it, admits."""
    fetched = await fetch(connection, f"{rows.select(scope.number)} where {sql}", values)
    return scope.memories(fetched)


def _one_by_one(scope: Scope) -> str:
    """Write the tables of a query that looks ids up one by one: before it counts, a server would read all rows."""
    return (
        "unnest(%s::text[]) as wanted (id) cross join lateral"
        f" (select * from memory where agent = {scope.number} and id = wanted.id order by id limit 1) as m"
        f" left join usage as u on u.agent = {scope.number} and u.memory = m.place"
    )


async def get(connection: Connection, scope: Scope, ids: Sequence[str]) -> dict[str, MemoryRecord]:
    """Fetch memories by whole ids."""
    wanted = [memory_id for memory_id in ids if "\0" not in memory_id]
    with connection.looking_up(in_large=scope.is_large):
        fetched = await fetch(connection, f"{rows.columns(scope.number)} from {_one_by_one(scope)}", [wanted])
    by_id = {record.id: record for record in scope.memories(fetched)}
    return {memory_id: by_id[memory_id] for memory_id in ids if memory_id in by_id}


async def damage_behind(connection: Connection, scope: Scope, reference: str) -> tuple[str, str] | None:
    """Return name and reason of a damaged memory that an id, a key or the beginning of an id means."""
    if "\0" in reference:
        return None
    condition = f"m.agent = {scope.number} and (m.id = %s or m.key = %s or (m.id >= %s and m.id < %s))"
    values = [reference, reference, reference, reference + "\U0010ffff"]
    damaged = Damaged()
    fetched = await fetch(connection, f"{rows.select(scope.number)} where {condition}", values)
    rows.records(fetched, scope.id, damaged)
    return next(iter(damaged.items()), None)


async def select(
    connection: Connection, scope: Scope, where: Where, order: Order, limit: int | None, offset: int
) -> list[MemoryRecord]:
    """List memories in an order; ties by when they were stored."""
    if order.by == "position" and order.descending and limit is not None:
        newest = await _newest_messages(connection, scope, where, offset + limit)
        if newest is not None:
            return newest[offset:]
    sql, values = scope.condition(where)
    way = "desc" if order.descending else "asc"
    cut = "" if limit is None else f" limit {int(limit)}"
    order_by = f"order by {_sorted_by(scope, order.by)} {way}, m.place {way}{cut} offset {int(offset)}"
    return await records(connection, scope, f"{sql} {order_by}", values)


async def select_each(
    connection: Connection, scope: Scope, selections: Sequence[Selection]
) -> list[list[MemoryRecord]]:
    """List memories by several filters, in one round trip."""
    fetched = await fetch_all(connection, [_listing(scope, selection) for selection in selections])
    return [scope.memories(listed) for listed in fetched]


def _listing(scope: Scope, selection: Selection) -> Sql:
    where, order, limit, word = selection
    sql, values = scope.condition(where)
    if word is not None:
        sql = f"m.lexemes @@ %s::tsquery and {sql}"
        values = [rows.quoted(rows.lexeme(scope.number, stem(word))), *values]
    way = "desc" if order.descending else "asc"
    order_by = f"order by {_sorted_by(scope, order.by)} {way}, m.place {way} limit {int(limit)}"
    return f"{rows.select(scope.number)} where {sql} {order_by}", values


async def _newest_messages(
    connection: Connection, scope: Scope, where: Where, wanted: int
) -> list[MemoryRecord] | None:
    """Return the newest messages of one conversation; None where this way does not find as many as are wanted.

    What has no position comes after all that has one, which is not the order of the index.
    """
    condition = filters.in_conversation(where, clock.now(), scope.number)
    if condition is None:
        return None
    sql, values = condition
    sequences = await fetch(
        connection,
        "select placed.memory from conversation as placed join memory as m on m.place = placed.memory"
        f" where placed.position is not null and {sql}"
        f" order by placed.position desc, placed.memory desc limit {int(wanted)}",
        values,
    )
    if len(sequences) < wanted:
        return None
    newest = f"order by {_sorted_by(scope, 'position')} desc, m.place desc"
    these = f"m.agent = {scope.number} and m.place = any(%s) {newest}"
    return await records(connection, scope, these, [[row[0] for row in sequences]])


async def count(connection: Connection, scope: Scope, where: Where) -> int:
    """Count memories."""
    sql, values = scope.condition(where)
    return int((await fetch(connection, f"select count(*) from memory as m where {sql}", values))[0][0])


async def groups(connection: Connection, scope: Scope, where: Where, by: GroupBy) -> list[Group]:
    """Count memories per value of a field, the most first."""
    sql, values = scope.condition(where)
    source, column = _grouped(by, scope.number)
    fetched = await fetch(
        connection,
        f'select {column} collate "C", count(*), min({filters.HAPPENED}), max({filters.HAPPENED}) from {source}'
        f" where {column} is not null and {sql} group by 1 order by 2 desc, 1",
        values,
    )
    return [Group(*row) for row in fetched]


def _grouped(by: str, agent: int) -> tuple[str, str]:
    if by in _SPINE_GROUPS:
        return "memory as m", f"m.{_SPINE_GROUPS[by]}"
    if by == "tag":
        return "memory as m join memory_tag as t on t.agent = m.agent and t.memory = m.place", "t.tag"
    tables = [kind.value for kind, fields in OWN_FIELDS.items() if any(own.name == by for own in fields)]
    union = " union all ".join(
        f"select memory, {by} as value from {table} where agent = {agent}" for table in tables
    )
    return f"memory as m join ({union}) as own on own.memory = m.place", "own.value"


async def scan(
    connection: Connection, scope: Scope, where: Where, after: int, limit: int
) -> tuple[list[MemoryRecord], int]:
    """Return the next memories in the order they were stored, and the place of the last."""
    sql, values = scope.condition(where)
    query = f"{rows.select(scope.number)} where m.place > {int(after)} and {sql} order by m.place limit {int(limit)}"
    fetched = await fetch(connection, query, values)
    return scope.memories(fetched), fetched[-1][0] if len(fetched) == limit else 0


async def by_prefix(connection: Connection, scope: Scope, prefix: str, limit: int) -> list[str]:
    """List ids that begin so; a range, so that the index answers."""
    query = f"select id from memory where agent = {scope.number} and id >= %s and id < %s order by id limit {limit}"
    return [row[0] for row in await fetch(connection, query, [prefix, prefix + "\U0010ffff"])]


async def neighbours(
    connection: Connection, scope: Scope, message_id: str, before: int, after: int
) -> list[MemoryRecord]:
    """Return the active messages around one in its conversation."""
    here = await fetch(
        connection,
        "select c.conversation_id, c.position from conversation as c join memory as m"
        f" on m.agent = c.agent and m.place = c.memory where m.agent = {scope.number} and m.id = %s",
        [message_id],
    )
    if not here or here[0][1] is None:
        return []
    around = (
        "select c.memory from conversation as c join memory as m on m.agent = c.agent and m.place = c.memory"
        f" where c.agent = {scope.number} and c.conversation_id = %s and m.status = 'active'"
        " and (m.expires_at is null or m.expires_at > %s)"
    )
    sequences: list[int] = []
    for sql, most in (
        (f"{around} and position <= %s order by position desc limit {before + 1}", before + 1),
        (f"{around} and position > %s order by position limit {after}", after),
    ):
        if most > 0:
            sequences += [
                row[0] for row in await fetch(connection, sql, [here[0][0], clock.now(), here[0][1]])
            ]
    condition = (
        f"m.agent = {scope.number} and m.place = any(%s) order by {_sorted_by(scope, 'position')}, m.place"
    )
    return await records(connection, scope, condition, [sequences])


async def adjacent(
    connection: Connection, scope: Scope, message_ids: Sequence[str], step: int
) -> dict[str, str]:
    """Return the id of the active message before or after each of these, in its conversation."""
    sign, order = ("<", "desc") if step < 0 else (">", "asc")
    agent = scope.number
    query = (
        "select this.id, other.id from memory as this join conversation as here"
        f" on here.agent = {agent} and here.memory = this.place cross join lateral (select m.id"
        f" from conversation as place join memory as m on m.agent = {agent} and m.place = place.memory"
        f" where place.agent = {agent} and place.conversation_id = here.conversation_id and place.kind = 'message'"
        f" and place.position {sign} here.position and m.status = 'active'"
        f" and (m.expires_at is null or m.expires_at > %s) order by place.position {order} limit 1) as other"
        f" where this.agent = {agent} and here.kind = 'message' and this.id = any(%s)"
    )
    return dict(await fetch(connection, query, [clock.now(), list(message_ids)]))


async def version(connection: Connection, scope: Scope) -> int:
    """Return the number that moves with every write."""
    query = f"select version from agent where number = {scope.number}"
    fetched = await fetch(connection, query)
    return int(fetched[0][0]) if fetched else 0


async def touch(connection: Connection, scope: Scope, ids: Sequence[str]) -> None:
    """Count one access of each, in one transaction and one round trip; waits for nobody longer than a moment."""
    count = (
        "insert into usage (agent, memory, accessed_at, access_count)"
        f" select agent, place, %s, 1 from memory where agent = {scope.number} and id = any(%s) order by place"
        " on conflict (agent, memory) do update"
        " set accessed_at = excluded.accessed_at, access_count = usage.access_count + 1"
    )
    await fetch_all(
        connection,
        [("select set_config('lock_timeout', '20ms', true)", []), (count, [clock.now(), list(ids)])],
    )
