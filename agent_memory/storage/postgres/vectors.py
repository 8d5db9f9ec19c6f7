"""Vectors by the text that was embedded, and the spaces they belong to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import pgvector

from agent_memory.errors import ValidationError
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import attempts, hnsw
from agent_memory.storage.postgres.copying import insert
from agent_memory.storage.postgres.hnsw import Hnsw
from agent_memory.storage.postgres.reading import Scope, fetch, fetch_all
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import TextHash
from agent_memory.vectors import Vector

T = TypeVar("T")
_GIVEN: Final = (
    *("provider", "model", "revision", "dimension", "pooling", "query_prefix", "document_prefix"),
    *("template_version", "fingerprint", "created_at"),
)
_FIELDS: Final = ("id", *_GIVEN, "current")


def _column(field: str) -> str:
    return "recipe" if field == "template_version" else field


def packed(value: Any) -> Vector:
    """Return what a vector column holds as float32, whichever version of pgvector-python made it."""
    import numpy as np

    array = value.to_numpy() if hasattr(value, "to_numpy") else np.asarray(value)
    return Vector(array.astype("<f4").tobytes())


def unpacked(vector: Vector) -> pgvector.Vector:
    """Return float32 as the driver takes it."""
    import numpy as np

    return pgvector.Vector(np.frombuffer(vector, "<f4"))


# --- spaces ----------------------------------------------------------------------------------------------------


async def spaces(connection: Connection, scope: Scope) -> list[EmbeddingSpace]:
    """List all spaces, the current one first."""
    return spaces_of(await fetch(connection, *spaces_query(scope)))


def spaces_query(scope: Scope) -> Sql:
    """Write the query whose rows `spaces_of` reads."""
    mine = f"agent = {scope.number} order by current desc, id"
    return f"select {', '.join(map(_column, _FIELDS))} from embedding_space where {mine}", []


def spaces_of(fetched: Sequence[Sequence[Any]]) -> list[EmbeddingSpace]:
    """Return the spaces in rows that `spaces_query` reads."""
    return [EmbeddingSpace(**dict(zip(_FIELDS, row, strict=True))) for row in fetched]


async def current(connection: Connection, scope: Scope) -> EmbeddingSpace | None:
    """Return the current space."""
    known_spaces = await spaces(connection, scope)
    return known_spaces[0] if known_spaces and known_spaces[0].current else None


async def known(connection: Connection, scope: Scope, space: EmbeddingSpace | None) -> EmbeddingSpace:
    """Return a space as the database has it, the current one for None.

    Raises:
        ValidationError: it is not known, or there is none.
    """
    return known_of(await spaces(connection, scope), space)


def known_of(known_spaces: Sequence[EmbeddingSpace], space: EmbeddingSpace | None) -> EmbeddingSpace:
    """Return a space as it is among those that the database has, the current one for None.

    Raises:
        ValidationError: it is not among them, or there is none.
    """
    for item in known_spaces:
        if item.current if space is None else item.same_as(space) and item.id == space.id:
            return item
    raise ValidationError("the store does not know this embedding space", hint="call add_space first")


async def add_space(connection: Connection, scope: Scope, space: EmbeddingSpace) -> EmbeddingSpace:
    """Make a space known; current if it is the first."""
    known_spaces = await spaces(connection, scope)
    for entry in known_spaces:
        if entry.same_as(space):
            return entry
    names = ("agent", "id", *map(_column, _GIVEN), "current")
    number = max((entry.id for entry in known_spaces), default=0) + 1
    values = [scope.number, number, *(getattr(space, name) for name in _GIVEN), not known_spaces]
    placeholders = ", ".join(["%s"] * len(names))
    await connection.execute(
        f"insert into embedding_space ({', '.join(names)}) values ({placeholders})", values
    )
    return next(item for item in await spaces(connection, scope) if item.id == number)


async def switch(connection: Connection, scope: Scope, space: EmbeddingSpace) -> None:
    """Make a space the current one."""
    chosen = await known(connection, scope, space)
    for value, condition in ((False, f"id <> {chosen.id}"), (True, f"id = {chosen.id}")):
        await connection.execute(
            f"update embedding_space set current = {value} where agent = {scope.number} and {condition}"
        )


# --- storing and reading ---------------------------------------------------------------------------------------


async def insert_new(
    connection: Connection,
    scope: Scope,
    space: EmbeddingSpace,
    new_vectors: Mapping[TextHash, Sequence[Vector]],
    embedded: Collection[TextHash],
    last: int,
    index: Hnsw,
) -> None:
    """Store the vectors of texts that have none yet in a space.

    Args:
        connection: a connection inside a transaction that holds the agent's lock.
        scope: the agent.
        space: the space.
        new_vectors: by hash of the text, the vectors of its segments.
        embedded: of those texts, the ones that have vectors already.
        last: the number of the last vector in the space.
        index: the agent's table with an HNSW index.

    Raises:
        ValidationError: a vector has another dimension than the space, or a text has no vector at all.
    """
    for segments in new_vectors.values():
        if not segments or any(len(vector) != 4 * space.dimension for vector in segments):
            raise ValidationError(
                f"a vector does not have the {space.dimension} dimensions of this store's space",
                hint="embed with the embedder that the store was made with",
            )
    new = [
        (digest, segment, vector)
        for digest, segments in new_vectors.items()
        if digest not in embedded
        for segment, vector in enumerate(segments)
    ]
    columns = {
        "agent": "int8",
        "space": "int4",
        "text_hash": "bytea",
        "piece": "int4",
        "number": "int8",
        "vector": "vector",
    }
    values = [
        (scope.number, space.id, digest, segment, number, unpacked(vector))
        for number, (digest, segment, vector) in enumerate(new, last + 1)
    ]
    await insert(connection, "embedding", columns, values)
    if values and index.takes(space.id):
        await connection.execute(hnsw.copy_query(scope, space, last))
    await attempts.settled(connection, scope, space, new_vectors)


async def put(
    connection: Connection, scope: Scope, space: EmbeddingSpace, by_text: Mapping[TextHash, Sequence[Vector]]
) -> None:
    """Store the vectors of texts that a memory has, in a space that is known."""
    chosen = await known(connection, scope, space)
    new = await wanted(connection, scope, by_text)
    there, last = await fetch_all(
        connection, [embedded_query(scope, chosen.id, list(new)), last_query(scope, chosen.id)]
    )
    index = await hnsw.hnsw_of(connection, scope)
    embedded = {TextHash(bytes(row[0])) for row in there}
    await insert_new(connection, scope, chosen, new, embedded, int(last[0][0]), index)


def embedded_query(scope: Scope, space_id: int | str, digests: Sequence[TextHash]) -> Sql:
    """Write the query for those of some texts that have vectors in a space; `space_id` may be a query for it."""
    mine = f"agent = {scope.number} and space = {space_id}"
    return f"select text_hash from embedding where {mine} and piece = 0 and text_hash = any(%s)", [digests]


async def wanted(connection: Connection, scope: Scope, by_text: Mapping[TextHash, T]) -> dict[TextHash, T]:
    """Return those of the texts that a memory has: others were erased while they were embedded."""
    query = (
        f"select distinct embedded_hash from memory where agent = {scope.number} and embedded_hash = any(%s)"
    )
    used = {TextHash(bytes(row[0])) for row in await fetch(connection, query, [list(by_text)])}
    return {digest: value for digest, value in by_text.items() if digest in used}


async def by_ids(
    connection: Connection, scope: Scope, ids: Sequence[str], space: EmbeddingSpace | None
) -> dict[str, list[Vector]]:
    """Return the vectors of memories' segments in a space; None is the current one."""
    chosen = space or await current(connection, scope)
    return {} if chosen is None else await segments_of(connection, scope, ids, chosen.id)


async def segments_of(
    connection: Connection, scope: Scope, ids: Sequence[str], space_id: int
) -> dict[str, list[Vector]]:
    """Return the vectors of memories' segments, as float32."""
    query = (
        "select m.id, e.vector from memory as m join embedding as e on e.agent = m.agent"
        f" and e.space = {space_id} and e.text_hash = m.embedded_hash"
        f" where m.agent = {scope.number} and m.id = any(%s) order by m.place, e.piece"
    )
    result: dict[str, list[Vector]] = {}
    for memory_id, vector in await fetch(connection, query, [list(ids)], binary=True):
        result.setdefault(memory_id, []).append(packed(vector))
    return result


class Sample(NamedTuple):
    """A sample of a space's vectors, and until when it holds."""

    space: int
    limit: int
    counted: int
    vectors: list[Vector]


async def sample(connection: Connection, scope: Scope, limit: int, known: Sample | None) -> Sample | None:
    """Return vectors spread evenly over the first so many, the largest power of two that there are."""
    space = await current(connection, scope)
    if space is None or limit < 1:
        return None
    last = int((await fetch(connection, *last_query(scope, space.id)))[0][0])
    return await sample_of(connection, scope, space.id, last, limit, known)


def last_query(scope: Scope, space_id: int | str) -> Sql:
    """Write the query for the number of a space's last vector; `space_id` may be a query for it."""
    # The order leaves the server no other index, where it takes a table for empty that it has not counted yet.
    mine = f"agent = {scope.number} and space = {space_id}"
    return (
        f"select coalesce((select number from embedding where {mine} order by number desc limit 1), 0)",
        [],
    )


async def sample_of(
    connection: Connection, scope: Scope, space_id: int, last: int, limit: int, known: Sample | None
) -> Sample:
    """Return the sample of a space whose last vector has this number; `known` if it still holds."""
    counted = 1 << max(0, last.bit_length() - 1)
    if known is not None and known[:3] == (space_id, limit, counted):
        return known
    stride = 1
    while counted // stride > limit:
        stride *= 2
    mine = f"agent = {scope.number} and space = {space_id}"
    query = f"select vector from embedding where {mine} and number = any(%s) order by number"
    wanted = [list(range(1, counted + 1, stride))]
    fetched = await fetch(connection, query, wanted, binary=True)
    return Sample(space_id, limit, counted, [packed(row[0]) for row in fetched])
