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
from agent_memory.storage.postgres.hnsw import IndexKind, Sized
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

    Raises:
        ValidationError: the vector is of another dimension.
    """
    condition = scope.condition(where)
    space = await _current(connection, scope, None if where == Where() else condition)
    if space is None:
        return Nearest([], 0)
    if len(vector) != 4 * space.dimension:
        raise ValidationError(
            f"the vector has {len(vector) // 4} dimensions, those of this store {space.dimension}",
            hint="embed the query with the embedder that the store was made with",
        )
    query = vectors.unpacked(vector)
    if space.few:
        return await _all_of(connection, scope, space, query, condition, limit)
    if space.kind is IndexKind.NONE:
        return await _walk(connection, scope, space, query, condition, limit, IndexKind.NONE)
    if 4 * limit <= _LOOKED_AT or server.pgvector >= (0, 8):
        nearest = await _walk(connection, scope, space, query, condition, limit, space.kind)
        if len(nearest.memories) == limit:
            return nearest
    return await _walk(connection, scope, space, query, condition, limit, IndexKind.NONE)


class _Space(NamedTuple):
    """As much of a space as a search has to know."""

    id: int
    dimension: int
    kind: IndexKind
    """Of the index over its vectors."""
    few: bool
    """Whether few memories pass the filter of this search."""


async def _current(connection: Connection, scope: Scope, condition: Sql | None) -> _Space | None:
    """Return the current space; the filter is looked at in the same query, which saves a round trip."""
    few, values = "false", list[Any]()
    if condition is not None:
        sql, values = condition
        few = f"(select count(*) from (select 1 from memory as m where {sql} limit {FEW + 1}) as counted) <= {FEW}"
    fetched = await fetch(
        connection,
        f"select s.id, s.dimension, {hnsw.kind_expression(scope)}, {few} from {hnsw.current_space(scope)}",
        values,
    )
    if not fetched:
        return None
    space_id, dimension, kind, is_few = fetched[0]
    return _Space(space_id, dimension, IndexKind(kind), is_few)


async def _all_of(
    connection: Connection, scope: Scope, space: _Space, query: Any, condition: Sql, limit: int
) -> Nearest:
    """Compare every memory that the condition admits."""
    sql, values = condition
    rows = await fetch(
        connection,
        "select m.id, min(e.vector <=> %s) as distance, sum(count(*)) over ()::bigint"
        " from memory as m join embedding as e"
        f" on e.agent = {scope.number} and e.space = {space.id} and e.text_hash = m.embedded_hash"
        f" where {sql} group by m.place, m.id order by distance, m.place limit {int(limit)}",
        [query, *values],
    )
    return Nearest([(row[0], 1.0 - row[1]) for row in rows], rows[0][2] if rows else 0)


async def _walk(
    connection: Connection,
    scope: Scope,
    space: _Space,
    query: Any,
    condition: Sql,
    limit: int,
    kind: IndexKind,
) -> Nearest:
    """Take the nearest vectors, look their memories up, and take more until enough are admitted."""
    wanted = 4 * limit
    while True:
        statement = _walk_query(scope, space, query, condition, limit, wanted, kind)
        rows = await fetch(connection, *statement)
        if len(rows) == limit or (rows and rows[0][2] < wanted) or wanted >= _MOST_LOOKED_AT:
            enough = len(rows) == limit or (bool(rows) and rows[0][2] < wanted)
            if enough or kind is not IndexKind.NONE:
                return _walked(rows, limit)
            return await _all_of(connection, scope, space, query, condition, limit)
        wanted *= 4


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
