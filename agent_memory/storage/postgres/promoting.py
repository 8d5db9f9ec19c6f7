"""Giving an agent a table with an HNSW index, and taking it away, while others and the agent itself read and write.

What is done under the agent's lock is short: the table is made, filled in small portions, and put into use. The index
is made without a lock that anybody waits for. Whoever is interrupted leaves a state that the next one goes on from.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import psycopg

from agent_memory.errors import BackendError, StoreBusyError
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.postgres import adding, deciding, hnsw, vectors
from agent_memory.storage.postgres.batch import Statement, Value, run
from agent_memory.storage.postgres.connection import Server
from agent_memory.storage.postgres.deciding import Frame
from agent_memory.storage.postgres.hnsw import NO_INDEX, Hnsw, State
from agent_memory.storage.postgres.migrate import police_one
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection, quoted_name

_LOG: Final = logging.getLogger(__name__)
_FEWEST: Final = 50
_MOST: Final = 5000
_WANTED: Final = 0.02
"""Seconds that a portion is to take: writers of the agent wait for it."""
_PATIENCE: Final = 20
"""Attempts at dropping a table that somebody reads."""
_LOCK_TIMEOUT: Final = "set local lock_timeout to '50ms'"
_BEGAN: Final = "agentmem.began"
"""A setting of the transaction: when it got the agent's lock."""


async def keep_fitting(server: Server, scope: Scope, graph_from: int, most: int) -> None:
    """Make the HNSW index of an agent with many vectors in the current space, and drop that of one that has few now.

    Args:
        server: the server.
        scope: the agent.
        graph_from: vectors from which there is one. It is kept until they are half as many.
        most: how many agents may have one.
    """

    async def look(connection: Connection) -> tuple[EmbeddingSpace | None, int, Hnsw, bool]:
        space, current = await vectors.current(connection, scope), await hnsw.hnsw_of(connection, scope)
        if space is None:
            return None, 0, current, True
        stored = await hnsw.vector_count(connection, scope, space.id, graph_from)
        is_full = (
            current.space is None and stored >= graph_from and await hnsw.table_count(connection) >= most
        )
        return space, stored, current, is_full

    space, stored, current, is_full = await server.on_primary(look)
    if current.space is not None and (space is None or current.space != space.id or 2 * stored < graph_from):
        await demote(server, scope)
        current = NO_INDEX
    if (
        space is None
        or current == Hnsw(space.id, State.LIVE)
        or (current.space is None and (stored < graph_from or is_full))
    ):
        return
    await promote(server, scope, space)


async def repair(server: Server, scope: Scope) -> None:
    """Drop an agent's index if it is not what the vectors say, and tables that nobody uses."""

    async def faults(connection: Connection) -> bool:
        return bool(await hnsw.check(connection, scope, await vectors.spaces(connection, scope)))

    if await server.read_whole(faults):
        await drop_leftovers(server, scope)
        if await server.read_whole(faults):
            await demote(server, scope)
    if (await server.on_primary(lambda it: hnsw.hnsw_of(it, scope))).state == State.LIVE:
        await drop_partial(server, scope, await server.on_primary(lambda it: vectors.spaces(it, scope)))


async def promote(server: Server, scope: Scope, space: EmbeddingSpace) -> None:
    """Make the table with an HNSW index over a space's vectors, or go on making it.

    If something stands in the way for long, such as somebody's transaction that was begun before, it is left as it is
    and the next call goes on.
    """
    kind = hnsw.type_of(space, server.pgvector)
    if kind is None:
        return
    try:
        await _make_table(server, scope, space, kind)
        await _copy(server, scope, space)
        if await _make_index(server, scope, space, kind):
            await server.write(lambda it: _publish(it, scope, space))
            await drop_partial(server, scope, [space])
    except StoreBusyError:
        return


async def demote(server: Server, scope: Scope) -> None:
    """Drop an agent's table with an HNSW index: its vectors are compared one by one from now on."""

    async def give_up(connection: Connection) -> int | None:
        space_id = (await deciding.lock(connection, scope)).hnsw.space
        await _note(connection, scope, NO_INDEX)
        return space_id

    space_id = await server.write(give_up)
    if space_id is not None:
        await _drop(server, scope, hnsw.table_name(scope, space_id))


async def drop_leftovers(server: Server, scope: Scope) -> None:
    """Drop the tables that no agent's row tells of: this agent's, and those of agents that are gone."""
    for name in await server.on_primary(lambda it: hnsw.leftovers(it, scope)):
        await _drop(server, scope, name)


async def drop_partial(server: Server, scope: Scope, spaces: Sequence[EmbeddingSpace]) -> None:
    """Drop the indexes that earlier versions made over an agent's part of the shared table; nobody waits for that."""
    for space in spaces:
        name = hnsw.partial_name(scope, space.id)

        async def there(connection: Connection, name: str = name) -> bool:
            return bool((await fetch(connection, "select to_regclass(%s) is not null", [name]))[0][0])

        if await server.on_primary(there):
            await server.outside(f"drop index concurrently if exists {server.table(name)}")


async def drop_table(connection: Connection, scope: Scope, current: Hnsw) -> None:
    """Drop an agent's table together with the agent. Call it under the agent's lock."""
    if current.space is not None:
        await connection.execute(f"drop table if exists {hnsw.table_name(scope, current.space)}")


# --- the steps, each under the agent's lock ----------------------------------------------------------------------


async def _note(connection: Connection, scope: Scope, current: Hnsw) -> None:
    await connection.execute(
        f"update agent set hnsw_space = %s, hnsw_state = %s where number = {scope.number}", tuple(current)
    )


async def _make_table(server: Server, scope: Scope, space: EmbeddingSpace, kind: str) -> None:
    """Make the table, empty, unless it is there; one that no agent's row tells of was left over.

    Raises:
        BackendError: the server refuses.
    """
    try:
        await server.write(lambda it: _begin(it, server, scope, space, kind))
    except BackendError as error:
        if not isinstance(error.__cause__, psycopg.errors.DuplicateTable | psycopg.errors.UniqueViolation):
            raise
        await drop_leftovers(server, scope)
        await server.write(lambda it: _begin(it, server, scope, space, kind))


async def _begin(
    connection: Connection, server: Server, scope: Scope, space: EmbeddingSpace, kind: str
) -> None:
    """Make the table, empty, unless there is one, and only then take the agent's lock."""
    if (await hnsw.hnsw_of(connection, scope)).space is not None:
        return
    await connection.execute(_LOCK_TIMEOUT)
    name = hnsw.table_name(scope, space.id)
    await connection.execute(
        f"create table {server.table(name)}"
        f" (number bigint primary key, vector {server.of_extension(kind)}({space.dimension}) not null)"
    )
    await connection.execute(
        "lock table embedding in access share mode"
    )  # so that nobody turns policies on now
    query = "select relrowsecurity from pg_class where oid = to_regclass('embedding')"
    if (await fetch(connection, query))[0][0]:
        await police_one(connection, server.schema, name, str(scope.number))
    await _grant_alike(connection, name)
    await connection.execute("set local lock_timeout to '30s'")  # as writers have it, who wait for the same
    # The row may tell of this table though it was gone, as after a backup without it.
    if (await deciding.lock(connection, scope)).hnsw.space in (None, space.id):
        await _note(connection, scope, Hnsw(space.id, State.COPYING))
    else:  # somebody has made one for another space
        await connection.execute(f"drop table {name}")


async def _grant_alike(connection: Connection, name: str) -> None:
    """Grant every role the rights on a table that it has on `embedding`."""
    query = (
        "select coalesce(r.rolname, ''), string_agg(acl.privilege_type, ', ') from pg_class as c"
        " cross join aclexplode(c.relacl) as acl left join pg_roles as r on r.oid = acl.grantee"
        " where c.oid = to_regclass('embedding') and acl.grantee <> c.relowner"
        " and acl.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE') group by 1"
    )
    for role, privileges in await fetch(connection, query):
        await connection.execute(f"grant {privileges} on {name} to {quoted_name(role) if role else 'public'}")


async def _copy(server: Server, scope: Scope, space: EmbeddingSpace) -> None:
    """Copy the vectors in portions, until writers keep the table up.

    Each takes one round trip: writers of the agent wait only while the server works, and not for this process.
    """
    limit, more = _FEWEST, True

    async def portion(connection: Connection, frame: Frame) -> tuple[bool, float]:
        try:
            (answer,) = await run(connection, _portion(scope, space, frame, limit))
        except psycopg.errors.UndefinedTable:
            return False, 0.0  # somebody has dropped it
        left, took = (answer or b"0 0").split()
        return left == b"1", float(took)

    async def unknown() -> None:
        """Do nothing: the portion is copied again, which does no harm."""

    while more:
        more, took = await server.write_at_once(portion, unknown)
        _LOG.debug("up to %d vectors copied in %.1f ms", limit, 1000 * took)
        faster = _WANTED / max(took, _WANTED / 4)
        limit = min(_MOST, max(_FEWEST, int(limit * min(2.0, faster))))


def _portion(scope: Scope, space: EmbeddingSpace, frame: Frame, limit: int) -> list[Statement]:
    """Write the statements that copy some vectors under the agent's lock; with the last ones the state changes.

    Args:
        scope: the agent.
        space: of the vectors.
        frame: what the transaction begins with.
        limit: how many vectors.

    Returns:
        The statements. The last one says whether there are more, and for how many seconds the lock was held.
    """
    name, agent = hnsw.table_name(scope, space.id), f"number = {scope.number}"
    copying = f"{agent} and hnsw_space = {space.id} and hnsw_state = '{State.COPYING}'"
    last = f"(select coalesce(max(number), 0) from {name})"
    vectors_of = f"from embedding where agent = {scope.number} and space = {space.id}"
    now = "extract(epoch from clock_timestamp())"
    texts = [
        f"update agent set version = version + 1 where {agent}",
        f"select set_config('{_BEGAN}', {now}::text, true)",
        f"insert into {name} (number, vector) select number, vector {vectors_of} and number > {last}"
        f" and exists (select 1 from agent where {copying}) order by number limit $1::int8"
        " on conflict (number) do update set vector = excluded.vector",
        f"update agent set hnsw_state = '{State.INDEXING}' where {copying}"
        f" and {last} >= (select coalesce(max(number), 0) {vectors_of})",
        f"select (count(*) filter (where {copying})) || ' ' ||"
        f" ({now}::float8 - current_setting('{_BEGAN}')::float8) from agent where {agent}",
    ]
    values: dict[int, list[Value]] = {2: [str(limit).encode()]}
    statements = [Statement(text.encode(), values.get(place, ())) for place, text in enumerate(texts)]
    return [adding.opening(scope, frame), *statements]


async def _make_index(server: Server, scope: Scope, space: EmbeddingSpace, kind: str) -> bool:
    """Make the index while others go on writing.

    Returns:
        Whether it is there; not where somebody else is making it.
    """
    name, table = hnsw.index_name(scope, space.id), hnsw.table_name(scope, space.id)

    async def state(connection: Connection) -> tuple[bool | None, bool]:
        query = (
            "select (select indisvalid from pg_index where indexrelid = to_regclass(%s)),"
            " exists (select 1 from pg_stat_progress_create_index where relid = to_regclass(%s))"
        )
        return tuple((await fetch(connection, query, [name, table]))[0])

    valid, is_made = await server.on_primary(state)
    if valid:
        return True
    if is_made or (await server.on_primary(lambda it: hnsw.hnsw_of(it, scope))).state != State.INDEXING:
        return False
    if valid is False:  # somebody was interrupted
        await server.outside(f"drop index concurrently if exists {server.table(name)}")
    operators = server.of_extension(f"{kind}_cosine_ops")
    await server.outside(
        f"create index concurrently if not exists {name} on {server.table(table)} using hnsw (vector {operators})"
    )
    await server.outside(f"analyze {server.table(table)}")
    return bool((await server.on_primary(state))[0])


async def _publish(connection: Connection, scope: Scope, space: EmbeddingSpace) -> None:
    """Mark the table as live, so that searches use it."""
    if (await deciding.lock(connection, scope)).hnsw == Hnsw(space.id, State.INDEXING):
        await _note(connection, scope, Hnsw(space.id, State.LIVE))


async def _drop(server: Server, scope: Scope, name: str) -> None:
    """Drop a table that no agent's row tells of any more, as soon as nobody reads it.

    Whoever wants to read or write it waits behind this, so it never waits long itself. If it is read all the time, it
    stays; `doctor` tells of it.

    Raises:
        BackendError: the server refuses.
    """

    async def unit(connection: Connection) -> None:
        await deciding.lock(connection, scope)
        if name in await hnsw.leftovers(connection, scope):
            await connection.execute(_LOCK_TIMEOUT)
            await connection.execute(f"drop table if exists {server.table(name)}")

    for attempt in range(_PATIENCE):
        try:
            await server.write(unit)
        except StoreBusyError:
            await asyncio.sleep(0.02 * (attempt + 1))
        except BackendError as error:
            if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                return  # another role's
            raise
        else:
            return
