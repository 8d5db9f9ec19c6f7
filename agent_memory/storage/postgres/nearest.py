"""The nearest memories to a vector.

A filter that leaves few memories is answered by comparing all of these. Else the nearest vectors are walked outwards
and their memories looked up: by comparing all vectors of the agent, or by an HNSW index over them once there is one.
What an index does not find, because it is not exact or a filter refuses too many, is looked for by comparing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent_memory.errors import ValidationError
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import hnsw, vectors
from agent_memory.storage.postgres.connection import Server
from agent_memory.storage.postgres.hnsw import IndexKind, SearchedSpace, Sized
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

FEW: Final = 2000
"""A filter that leaves no more memories than this is answered by comparing them all."""
_MOST_LOOKED_AT: Final = 1000
"""pgvector's highest `hnsw.ef_search`."""
_LOOKED_AT: Final = 200
"""`hnsw.ef_search` of our connections: before pgvector 0.8 an index gives no more than that."""


class Nearest(NamedTuple):
    """The answer to a search by vector."""

    memories: list[tuple[str, float]]
    """Ids of the nearest memories with their cosines, nearest first."""
    compared: int | None = None
    """How many vectors the filter admits; None where they were not counted."""
    share: float = 1.0
    """Of the vectors nearest to the query, about how many the filter admits."""


async def nearest(
    connection: Connection, server: Server, scope: Scope, vector: Vector, where: Where, limit: int
) -> Nearest:
    """Return the nearest memories in the current space and their cosines, exactly those that a filter admits.

    The space of the last search is searched, and looked up again only where nothing is found: no query finds anything
    in a space that is not current any more.

    Raises:
        ValidationError: the vector is of another dimension.
    """
    space = scope.searched
    if space is None or len(vector) != 4 * space.dimension:
        space = scope.searched = await _current(connection, scope)
    if space is None:
        return Nearest([], 0)
    if len(vector) != 4 * space.dimension:
        raise ValidationError(
            f"the vector has {len(vector) // 4} dimensions, those of this store {space.dimension}",
            hint="embed the query with the embedder that the store was made with",
        )
    found = await _in_space(connection, server, scope, space, vector, where, limit)
    if not found.memories:
        scope.searched = await _current(connection, scope)
        if scope.searched != space:  # it was another one by now
            return await nearest(connection, server, scope, vector, where, limit)
    return found


async def _in_space(
    connection: Connection,
    server: Server,
    scope: Scope,
    space: SearchedSpace,
    vector: Vector,
    where: Where,
    limit: int,
) -> Nearest:
    """Return the nearest memories in a space; none where it is not the current one, or is indexed otherwise."""
    sql, values = scope.condition(where)
    condition, query = (f"{sql} and {_is_current(scope, space)}", values), vectors.unpacked(vector)
    kind = space.kind if 4 * limit <= _LOOKED_AT or server.pgvector >= (0, 8) else IndexKind.NONE
    walked = None
    if where != Where():
        rows = await fetch(connection, *_few_query(scope, space, query, condition, limit))
        if rows[0][2] <= FEW:
            return _compared(rows[1:])
    elif kind is IndexKind.TABLE:
        with connection.looking_up(in_large=True):
            walked = await fetch(
                connection, *_walk_query(scope, space, query, condition, limit, 4 * limit, kind)
            )
    found = await _walk(connection, scope, space, query, condition, limit, kind, walked)
    if len(found.memories) == limit or kind is IndexKind.NONE:
        return found
    return await _walk(connection, scope, space, query, condition, limit, IndexKind.NONE)


async def _current(connection: Connection, scope: Scope) -> SearchedSpace | None:
    """Return the current space."""
    query = f"select s.id, s.dimension, {hnsw.kind_expression(scope)} from {hnsw.current_space(scope)}"
    fetched = await fetch(connection, query)
    if not fetched:
        return None
    space_id, dimension, kind = fetched[0]
    return SearchedSpace(space_id, dimension, IndexKind(kind))


def _is_current(scope: Scope, space: SearchedSpace) -> str:
    """Write the condition that a space is still the current one, and indexed as it was."""
    kind = f"{hnsw.kind_expression(scope)} = '{space.kind}'"
    return f"exists (select 1 from {hnsw.current_space(scope)} and s.id = {space.id} and {kind})"


def _few_query(scope: Scope, space: Sized, query: Any, condition: Sql, limit: int) -> Sql:
    """Write the query that compares all memories that the condition admits, if they are few.

    Returns:
        The query. The third column of its first row says how many the condition admits, at most `FEW` and one; the
        rows behind it, if these are few, are the nearest of them.
    """
    # Each memory's vectors are compared as they are looked up: grouped, they would be sorted with all their numbers.
    sql, values = condition
    statement = (
        "with admitted as materialized (select m.place, m.id, m.embedded_hash from memory as m"
        f" where {sql} limit {FEW + 1}), counted as materialized (select count(*) as memories from admitted)"
        " select null, null, memories, null from counted union all"
        " (select a.id, v.distance, null, (sum(v.vectors) over ())::bigint from admitted as a cross join lateral"
        " (select min(e.vector <=> %s) as distance, count(*) as vectors from embedding as e"
        f" where e.agent = {scope.number} and e.space = {space.id} and e.text_hash = a.embedded_hash) as v"
        f" where (select memories from counted) <= {FEW} and v.vectors > 0"
        f" order by v.distance, a.place limit {int(limit)})"
    )
    return statement, [*values, query]


async def _all_of(
    connection: Connection, scope: Scope, space: Sized, query: Any, condition: Sql, limit: int
) -> Nearest:
    """Compare every memory that the condition admits."""
    sql, values = condition
    rows = await fetch(
        connection,
        "select m.id, min(e.vector <=> %s) as distance, null, sum(count(*)) over ()::bigint"
        " from memory as m join embedding as e"
        f" on e.agent = {scope.number} and e.space = {space.id} and e.text_hash = m.embedded_hash"
        f" where {sql} group by m.place, m.id order by distance, m.place limit {int(limit)}",
        [query, *values],
    )
    return _compared(rows)


def _compared(rows: Sequence[Sequence[Any]]) -> Nearest:
    """Turn rows for all that was compared into the answer."""
    return Nearest([(row[0], 1.0 - row[1]) for row in rows], rows[0][3] if rows else 0)


async def _walk(
    connection: Connection,
    scope: Scope,
    space: Sized,
    query: Any,
    condition: Sql,
    limit: int,
    kind: IndexKind,
    rows: Sequence[Sequence[Any]] | None = None,
) -> Nearest:
    """Take the nearest vectors, look their memories up, and take more until enough are admitted.

    Args:
        connection: a connection.
        scope: the agent.
        space: the space.
        query: the vector.
        condition: the filter.
        limit: how many memories.
        kind: what to walk.
        rows: what the first walk gave, if it was made already.

    Returns:
        The nearest memories; with an index, as many as it gave.
    """
    wanted = 4 * limit
    while True:
        if rows is None:
            statement = _walk_query(scope, space, query, condition, limit, wanted, kind)
            rows = await fetch(connection, *statement)
        if len(rows) == limit or (rows and rows[0][2] < wanted) or wanted >= _MOST_LOOKED_AT:
            enough = len(rows) == limit or (bool(rows) and rows[0][2] < wanted)
            if enough or kind is not IndexKind.NONE:
                return _walked(rows, limit)
            return await _all_of(connection, scope, space, query, condition, limit)
        wanted, rows = 4 * wanted, None


def _walked(rows: Sequence[Sequence[Any]], limit: int) -> Nearest:
    """Turn the rows of a walk into its answer."""
    memories = [(row[0], 1.0 - row[1]) for row in rows]
    _, _, looked_at, admitted = rows[0] if rows else (None, None, 0, 0)
    return Nearest(
        memories, int(admitted) if len(rows) < limit else None, admitted / looked_at if looked_at else 1.0
    )


def _walk_query(
    scope: Scope,
    space: Sized,
    query: Any,
    condition: Sql,
    limit: int,
    wanted: int,
    kind: IndexKind,
) -> Sql:
    """Write the query for the memories of so many nearest vectors, and for how many vectors there were."""
    sql, values = condition
    inner = hnsw.near_query(scope, space, wanted, kind)
    statement = (
        f"with near as materialized ({inner}) select m.id, min(near.distance), (select count(*) from near),"
        " sum(count(*)) over ()::bigint"
        f" from near join memory as m on m.agent = {scope.number} and m.embedded_hash = near.text_hash"
        f" where {sql} group by m.place, m.id order by 2, m.place limit {int(limit)}"
    )
    return statement, [*[query] * inner.count("%s"), *values]


def first_walk(
    scope: Scope, space: EmbeddingSpace, vector: Vector, condition: Sql, limit: int, kind: IndexKind
) -> Sql:
    """Write the query that most often finds enough, to be sent together with others; see `settled`."""
    query = vectors.unpacked(vector)
    return _walk_query(scope, space, query, condition, limit, 4 * limit, kind)


def settled(rows: Sequence[Sequence[Any]], limit: int, kind: IndexKind) -> Nearest | None:
    """Return what `first_walk` found, None where that may not be all."""
    all_seen = bool(rows) and rows[0][2] < 4 * limit and kind is IndexKind.NONE
    if len(rows) < limit and not all_seen:
        return None
    return _walked(rows, limit)
