"""Tables with an HNSW index, one for each agent that has many vectors.

The table `embedding` holds the vectors of all agents and has no such index: each of them would be opened by every
search and every insert of every agent. A table beside it holds one agent's vectors of one space again, as they are
indexed. Writers keep it up in the transaction that changes `embedding`. It is derived: `promoting` makes it, and can
drop it at any time.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection

PREFIX: Final = "embedding_hnsw_"
_LARGEST: Final = {"vector": 2000, "halfvec": 4000}
_HALF_SINCE: Final = (0, 7)
"""The version of pgvector that brought `halfvec`."""


class IndexKind(StrEnum):
    """What a search can walk instead of comparing all vectors of a space."""

    NONE = "none"
    TABLE = "table"
    """A table of the agent's own, with an index."""
    PARTIAL = "partial"
    """An index over the agent's part of `embedding`, as earlier versions made it."""


class State(StrEnum):
    """How far a table with an HNSW index is."""

    COPYING = "copying"
    """The vectors with the lowest numbers are in it. Writers delete from it, and add nothing."""
    INDEXING = "indexing"
    """All vectors are in it and writers keep it up; the index is being made."""
    LIVE = "live"
    """Searches use it."""


class Hnsw(NamedTuple):
    """What an agent's row says of its table with an HNSW index."""

    space: int | None = None
    """The space whose vectors the table holds; None where there is no table."""
    state: str | None = None

    def takes(self, space_id: int) -> bool:
        """Return whether new vectors of a space go into the table too."""
        return self.space == space_id and self.state != State.COPYING


NO_INDEX: Final = Hnsw()


class Sized(Protocol):
    """A space as far as a query has to know it."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def dimension(self) -> int:
        """How many numbers its vectors have."""


class SearchedSpace(NamedTuple):
    """As much of a space as a search has to know."""

    id: int
    dimension: int
    kind: IndexKind
    """Of the index over its vectors."""

    @property
    def has_table(self) -> bool:
        """Whether there are so many vectors that a table of their own holds them."""
        return self.kind is IndexKind.TABLE


# --- names and types -------------------------------------------------------------------------------------------


def table_name(scope: Scope, space_id: int) -> str:
    """Return the name of the table for an agent's vectors of a space."""
    return f"{PREFIX}{scope.number}_{space_id}"


def index_name(scope: Scope, space_id: int) -> str:
    """Return the name of the HNSW index on that table."""
    return f"{table_name(scope, space_id)}_nearest"


def partial_name(scope: Scope, space_id: int) -> str:
    """Return the name that earlier versions gave to an index over an agent's part of `embedding`."""
    return f"embedding_graph_{scope.number}_{space_id}"


def type_of(space: Sized, pgvector: tuple[int, ...]) -> str | None:
    """Return the type of the indexed vectors: half precision where pgvector has it; None where it can index none."""
    kind = "halfvec" if pgvector >= _HALF_SINCE else "vector"
    return kind if space.dimension <= _LARGEST[kind] else None


def columns(scope: Scope) -> str:
    """Write what `Hnsw` holds, of `agent`; a table that is not there, as after a restore without it, is none."""
    table = f"to_regclass('{PREFIX}{scope.number}_' || hnsw_space)"
    return f"case when {table} is not null then hnsw_space end, hnsw_state"


# --- searching -------------------------------------------------------------------------------------------------


def kind_expression(scope: Scope) -> str:
    """Write what kind of index there is over the current space: of `embedding_space as s join agent as a`."""
    return (
        f"case when a.hnsw_state = '{State.LIVE}' and a.hnsw_space = s.id"
        f" and to_regclass('{PREFIX}{scope.number}_' || s.id) is not null then '{IndexKind.TABLE}'"
        f" when to_regclass('embedding_graph_{scope.number}_' || s.id) is not null then '{IndexKind.PARTIAL}'"
        f" else '{IndexKind.NONE}' end"
    )


def current_space(scope: Scope) -> str:
    """Write the tables and the condition that `kind_expression` is used with."""
    return f"embedding_space as s join agent as a on a.number = s.agent where s.agent = {scope.number} and s.current"


def kind_query(scope: Scope) -> Sql:
    """Write the query whose rows `kind_of` reads."""
    return f"select {kind_expression(scope)} from {current_space(scope)}", []


def kind_of(fetched: Sequence[Sequence[Any]]) -> IndexKind:
    """Return the kind of index over the current space's vectors."""
    return IndexKind(fetched[0][0]) if fetched else IndexKind.NONE


def near_query(scope: Scope, space: Sized, wanted: int, kind: IndexKind) -> str:
    """Write the query for the hashes and distances of the nearest vectors; each `%s` in it is the vector.

    Args:
        scope: the agent.
        space: the space.
        wanted: how many vectors.
        kind: what to walk.

    Returns:
        The query. Its distances are exact, but with an index of an earlier version above 2,000 dimensions.
    """
    mine = f"e.agent = {scope.number} and e.space = {space.id}"
    if kind is IndexKind.TABLE:
        # The query's vector is turned into the type of the column: half precision, where pgvector had it.
        return (
            "select e.text_hash, e.vector <=> %s as distance from (select h.number"
            f" from {table_name(scope, space.id)} as h order by h.vector <=> %s limit {wanted}) as h"
            f" join embedding as e on {mine} and e.number = h.number"
        )
    distance = _partial_distance(space) if kind is IndexKind.PARTIAL else "e.vector <=> %s"
    return (
        f"select e.text_hash, {distance} as distance from embedding as e"
        f" where {mine} order by distance limit {wanted}"  # said again, it would be worked out again
    )


def _partial_distance(space: Sized) -> str:
    """Write the distance as the indexes of earlier versions have it."""
    kind = "vector" if space.dimension <= _LARGEST["vector"] else "halfvec"
    return f"(e.vector::{kind}({space.dimension}) <=> %s::{kind}({space.dimension}))"


# --- keeping up ------------------------------------------------------------------------------------------------


def copy_query(scope: Scope, space: Sized, last: int) -> str:
    """Write the statement that copies the vectors with numbers above `last`."""
    return (
        f"insert into {table_name(scope, space.id)} (number, vector) select number, vector from embedding"
        f" where agent = {scope.number} and space = {space.id} and number > {int(last)}"
        " on conflict (number) do update set vector = excluded.vector"
    )


async def forget(
    connection: Connection, scope: Scope, hnsw: Hnsw, numbers: Sequence[tuple[int, int]]
) -> None:
    """Delete vectors that were deleted from `embedding`, given by space and number."""
    gone = [number for space_id, number in numbers if space_id == hnsw.space]
    if hnsw.space is not None and gone:
        await connection.execute(
            f"delete from {table_name(scope, hnsw.space)} where number = any(%s)", (gone,)
        )


async def hnsw_of(connection: Connection, scope: Scope) -> Hnsw:
    """Return what the agent's row says."""
    fetched = await fetch(connection, f"select {columns(scope)} from agent where number = {scope.number}")
    return Hnsw(*fetched[0]) if fetched else NO_INDEX


# --- checking --------------------------------------------------------------------------------------------------


async def check(connection: Connection, scope: Scope, spaces: Sequence[Sized]) -> list[str]:
    """Return one line per fault."""
    query = f"select hnsw_space, hnsw_state from agent where number = {scope.number}"
    hnsw = Hnsw(*(*await fetch(connection, query), NO_INDEX)[0])
    space = next((item for item in spaces if item.id == hnsw.space), None)
    faults = []
    if left := await leftovers(connection, scope):
        faults.append(f"vector indexes that nobody uses are kept: {', '.join(left)}")
    if hnsw.space is None:
        return faults
    name = table_name(scope, hnsw.space)
    query = (
        "select to_regclass(%s) is not null, exists"
        " (select 1 from pg_index where indexrelid = to_regclass(%s) and indisvalid)"
    )
    (has_table, has_index), *_ = await fetch(connection, query, [name, index_name(scope, hnsw.space)])
    if space is None or not has_table or (hnsw.state == State.LIVE and not has_index):
        return [*faults, "the vector index is not there"]
    last = f"(select coalesce(max(number), 0) from {name})" if hnsw.state == State.COPYING else "number"
    different = (
        "select count(*) from (select number, vector from embedding"
        f" where agent = {scope.number} and space = {space.id} and number <= {last}) as e"
        f" full join {name} as h on h.number = e.number where e.number is null or h.number is null"
        " or vector_dims(e.vector) <> {0} or h.vector <> case when vector_dims(e.vector) = {0} then e.vector::{1} end"
    )
    (kind,), *_ = await fetch(
        connection,
        "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = to_regclass(%s)"
        " and attname = 'vector'",
        [name],
    )
    count = (await fetch(connection, different.format(space.dimension, kind)))[0][0]
    if count:
        faults.append(f"the vector index differs from the vectors in {count}")
    return faults


async def leftovers(connection: Connection, scope: Scope) -> list[str]:
    """Return the tables that no agent's row tells of: this agent's, and those of agents that are gone."""
    # Two queries, since the server joins no distributed table with its catalogue. A table is noted in the transaction
    # that makes it, so those that are listed first are noted in what is read then.
    query = (
        f"select c.relname::text, substring(c.relname from '^{PREFIX}([0-9]+)_')::bigint from pg_class as c"
        " where c.relkind = 'r' and c.relnamespace ="
        " (select relnamespace from pg_class where oid = to_regclass('agent'))"
        f" and c.relname >= '{PREFIX}' and c.relname < '{PREFIX[:-1]}`' order by 1"
    )
    listed = await fetch(connection, query)
    if not listed:
        return []
    noted = "select number, hnsw_space from agent where number = any(%s)"
    spaces = dict(await fetch(connection, noted, [[number for _, number in listed]]))
    return [
        name
        for name, number in listed
        if (number == scope.number or number not in spaces)
        and (spaces.get(number) is None or name != f"{PREFIX}{number}_{spaces[number]}")
    ]


async def vector_count(connection: Connection, scope: Scope, space_id: int, most: int) -> int:
    """Count an agent's vectors in a space, up to a number."""
    query = (
        "select count(*) from (select 1 from embedding"
        f" where agent = {scope.number} and space = {space_id} limit {most}) as counted"
    )
    return int((await fetch(connection, query))[0][0])


async def table_count(connection: Connection) -> int:
    """Count the agents with a table of their own."""
    query = "select count(*) from agent where hnsw_space is not null"
    return int((await fetch(connection, query))[0][0])


async def tables(connection: Connection, scope: Scope) -> list[str]:
    """Return the name of the agent's table, if it has one."""
    current = await hnsw_of(connection, scope)
    return [] if current.space is None else [table_name(scope, current.space)]


class Missing(NamedTuple):
    """Why there is no HNSW index over many vectors."""

    refused: bool = False
    """Others have as many as there may be."""
    not_yet: bool = False
    """Nothing has made one yet."""


async def missing(
    connection: Connection,
    scope: Scope,
    space: Sized | None,
    pgvector: tuple[int, ...],
    graph_from: int,
    most: int,
) -> Missing:
    """Return why the current space has no index, if it has none and there are many vectors in it."""
    kind = kind_of(await fetch(connection, *kind_query(scope)))
    if space is None or kind is not IndexKind.NONE or type_of(space, pgvector) is None:
        return Missing()
    if await vector_count(connection, scope, space.id, graph_from) < graph_from:
        return Missing()
    refused = await table_count(connection) >= most
    return Missing(refused=refused, not_yet=not refused)
