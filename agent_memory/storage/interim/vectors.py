"""Vectors: the table that is the truth, and the index derived from it.

`embedding` holds float32 unit vectors by hash of the embedded text. `memory_vec` holds the sign bits of those that
belong to active memories: 48 bytes instead of 1,536, from which the nearest by Hamming distance are rescored
exactly. Without the extension everything is compared, with the same results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.interim.driver import Connection

SHORTLIST = 200
"""Memories taken by sign bits before the exact comparison. Of 217,000 real vectors the best 200 by bits hold
98.6 % of the true top 10; sqlite-vec takes twice as long for 400 as for all of the rest."""
FEW = 2000
"""A filter that leaves no more than this many is answered exactly, by comparing them all."""


class Space(NamedTuple):
    """The current space, as far as writing needs it."""

    id: int
    dimension: int


def current_space(connection: Connection) -> Space | None:
    """Return the current space."""
    found = connection.execute("select id, dimension from embedding_space where current = 1").fetchone()
    return Space(*found) if found else None


# --- spaces ----------------------------------------------------------------------------------------------------

_COLUMNS = (
    "id, provider, model, revision, dimension, pooling, query_prefix, document_prefix, recipe, fingerprint,"
    " created_at, current"
)


def spaces(connection: Connection) -> list[EmbeddingSpace]:
    """List all spaces, the current one first."""
    names = _COLUMNS.replace(" ", "").split(",")
    found = connection.execute(f"select {_COLUMNS} from embedding_space order by current desc, id")
    return [
        EmbeddingSpace(
            **dict(zip(names, row, strict=True))
            | {"created_at": clock.from_text(row[10]), "current": bool(row[11])}
        )
        for row in found
    ]


def add_space(connection: Connection, space: EmbeddingSpace) -> EmbeddingSpace:
    """Make a space known; the first becomes the current one."""
    first = current_space(connection) is None
    connection.execute(
        f"insert or ignore into embedding_space ({_COLUMNS}) values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            space.provider,
            space.model,
            space.revision,
            space.dimension,
            space.pooling,
            space.query_prefix,
            space.document_prefix,
            space.recipe,
            space.fingerprint,
            clock.to_text(space.created_at),
            0,
        ),
    )
    known = next(
        each
        for each in spaces(connection)
        if each.fingerprint == space.fingerprint and each.recipe == space.recipe
    )
    if first:
        switch_space(connection, known.id)
    return next(each for each in spaces(connection) if each.id == known.id)


def switch_space(connection: Connection, space_id: int) -> None:
    """Make a space the current one, and derive everything anew."""
    connection.execute("update embedding_space set current = 0 where current = 1")
    connection.execute("update embedding_space set current = 1 where id = ?", (space_id,))
    connection.execute(
        "update memory set embedded_in = (select space from embedding where space = ? and piece = 0"
        " and text_hash = memory.embedded_hash)",
        (space_id,),
    )
    rebuild_index(connection)


# --- the index -------------------------------------------------------------------------------------------------


def has_extension(connection: Connection) -> bool:
    """Say whether sqlite-vec is loaded into this connection."""
    return bool(
        connection.execute("select 1 from pragma_function_list where name = 'vec_version'").fetchone()
    )


def has_index(connection: Connection) -> bool:
    """Say whether the file has an index."""
    return bool(connection.execute("select 1 from sqlite_master where name = 'memory_vec'").fetchone())


def usable_index(connection: Connection) -> bool:
    """Say whether the index can be asked here, and knows all that it should."""
    return has_extension(connection) and has_index(connection) and not _stale(connection)


def _stale(connection: Connection) -> bool:
    return bool(connection.execute("select 1 from setting where name = 'index_is_stale'").fetchone())


def needs_index(connection: Connection) -> bool:
    """Say whether an index should be made or made anew."""
    space = current_space(connection)
    return (
        space is not None and space.dimension % 8 == 0 and (_stale(connection) or not has_index(connection))
    )


def mark_stale(connection: Connection) -> None:
    """Note that vectors changed where the index could not be kept in step; the next who can rebuilds it."""
    connection.execute("insert or ignore into setting (name, value) values ('index_is_stale', '1')")


def rebuild_index(connection: Connection) -> None:
    """Make the index anew from the vectors of active memories."""
    if not has_extension(connection):
        mark_stale(connection)
        return
    connection.execute("drop table if exists memory_vec")
    connection.execute("delete from setting where name = 'index_is_stale'")
    space = current_space(connection)
    if space is None or space.dimension % 8:
        return  # sign bits come in bytes; other dimensions are compared one by one
    connection.execute(
        f"create virtual table memory_vec using vec0(bits bit[{space.dimension}], chunk_size=1024)"
    )
    connection.execute(
        "insert into memory_vec (rowid, bits) select id, vec_quantize_binary(vector) from embedding where space = ?"
        " and dtype = 'float32' and text_hash in (select embedded_hash from memory where status = 'active')",
        (space.id,),
    )


def settle(connection: Connection, space: Space | None, hashes: Sequence[bytes]) -> None:
    """Bring the index in step for texts that have vectors and whose memories came, went or changed status."""
    if space is None or space.dimension % 8 or not hashes:
        return
    if not has_extension(connection):
        mark_stale(connection)
        return
    if not has_index(connection) or _stale(connection):
        rebuild_index(connection)
        return
    connection.execute("create temp table if not exists settled (text_hash blob primary key) without rowid")
    connection.execute("delete from temp.settled")
    connection.executemany("insert into temp.settled values (?)", [(digest,) for digest in hashes])
    mine = "select embedding.id from temp.settled join embedding using (text_hash) where embedding.space = ?"
    connection.execute(f"delete from memory_vec where rowid in ({mine})", (space.id,))
    connection.execute(
        "insert into memory_vec (rowid, bits) select embedding.id, vec_quantize_binary(vector)"
        " from temp.settled join embedding using (text_hash) where embedding.space = ? and exists"
        " (select 1 from memory where memory.embedded_hash = text_hash and memory.status = 'active')",
        (space.id,),
    )


# --- the truth -------------------------------------------------------------------------------------------------


class Known:
    """Which texts have vectors in the current space; looked up once each."""

    def __init__(self, connection: Connection, space: Space | None) -> None:
        self._connection = connection
        self._space = space
        self._found: dict[bytes, int | None] = {}

    def add(self, hashes: Iterable[bytes]) -> None:
        """Note that these have vectors now."""
        if self._space is not None:
            self._found.update(dict.fromkeys(hashes, self._space.id))

    def space_of(self, digest: bytes) -> int | None:
        """Return the current space's id if it has the text's vectors."""
        if self._space is None:
            return None
        if digest not in self._found:
            row = self._connection.execute(
                "select space from embedding where space = ? and text_hash = ? and piece = 0",
                (self._space.id, digest),
            ).fetchone()
            self._found[digest] = row[0] if row else None
        return self._found[digest]


def store(connection: Connection, space_id: int, given: Mapping[bytes, Sequence[bytes]]) -> None:
    """Store vectors; those of a text that is there already stay as they are."""
    connection.executemany(
        "insert or ignore into embedding (space, text_hash, piece, dimension, vector, checksum)"
        " values (?, ?, ?, ?, ?, ?)",
        [
            (space_id, digest, piece, len(vector) // 4, vector, checksum(digest, piece, vector))
            for digest, pieces in given.items()
            for piece, vector in enumerate(pieces)
        ],
    )


def checksum(digest: bytes, piece: int, vector: bytes) -> bytes:
    """Return 8 bytes that change when the vector or its place does."""
    return hashlib.blake2b(digest + piece.to_bytes(4, "little") + vector, digest_size=8).digest()


def put(connection: Connection, space_id: int, given: Mapping[bytes, Sequence[bytes]]) -> None:
    """Store vectors that were owed, and tell the memories that have them."""
    store(connection, space_id, given)
    space = current_space(connection)
    if space is not None and space.id == space_id:
        connection.executemany(
            "update memory set embedded_in = ? where embedded_hash = ?",
            [(space_id, digest) for digest in given],
        )
        settle(connection, space, list(given))


def drop_unused(connection: Connection, hashes: Iterable[bytes]) -> None:
    """Delete the vectors of texts that no memory has any more."""
    connection.executemany(
        "delete from embedding where text_hash = ? and not exists"
        " (select 1 from memory where memory.embedded_hash = embedding.text_hash)",
        [(digest,) for digest in dict.fromkeys(hashes)],
    )


def pieces_of(connection: Connection, ids: Sequence[str], space_id: int) -> dict[str, list[bytes]]:
    """Return the vectors of memories' pieces, as float32."""
    result: dict[str, list[bytes]] = {}
    for memory_id, dtype, vector in connection.execute(
        "select memory.id, embedding.dtype, embedding.vector from memory join embedding"
        " on embedding.space = ? and embedding.text_hash = memory.embedded_hash"
        " where memory.id in (select value from json_each(?)) order by memory.id, embedding.piece",
        (space_id, json.dumps(list(ids))),
    ):
        result.setdefault(memory_id, []).append(widened(vector, dtype))
    return result


def widened(vector: bytes, dtype: str) -> bytes:
    """Return a stored vector as float32."""
    if dtype == "float32":
        return vector
    import numpy as np

    return np.frombuffer(vector, dtype="<f2").astype("<f4").tobytes()


class Sample(NamedTuple):
    """A sample of a space's vectors, and up to which it holds."""

    space: int
    stride: int
    last: int
    vectors: list[bytes]


def sample(connection: Connection, limit: int, known: Sample | None = None) -> Sample | None:
    """Return vectors spread evenly over the table: the same ones until their number has doubled.

    `known` is returned if it still holds.
    """
    space = current_space(connection)
    if space is None:
        return None
    last = connection.execute("select max(id) from embedding").fetchone()[0] or 0
    stride = 1
    while last // stride > limit:
        stride *= 2
    if known is not None and known[:2] == (space.id, stride) and (stride > 1 or known.last == last):
        return known
    found = connection.execute(
        "select dtype, vector from embedding where space = ? and id in (select value from json_each(?)) limit ?",
        (space.id, json.dumps(list(range(stride, last + 1, stride))), limit),
    )
    return Sample(space.id, stride, last, [widened(vector, dtype) for dtype, vector in found])


# --- what is owed ----------------------------------------------------------------------------------------------


def owed_condition(connection: Connection, space_id: int | None) -> tuple[str, list[Any]]:
    """Return the SQL condition on `memory` for texts without vectors in a space, and its values."""
    space = current_space(connection)
    live = "memory.status = 'active' and (memory.expires_at is null or memory.expires_at > ?)"
    now = clock.to_text(clock.now())
    if space_id is None or (space is not None and space.id == space_id):
        return f"memory.embedded_in is null and {live}", [now]
    missing = "not exists (select 1 from embedding where space = ? and text_hash = memory.embedded_hash)"
    return f"{live} and {missing}", [now, space_id]


# --- nearest ---------------------------------------------------------------------------------------------------


def nearest(
    connection: Connection, vector: bytes, condition: tuple[str, list[Any]], plain: bool, limit: int
) -> list[tuple[str, float]]:
    """Return the nearest memories and their cosines, exactly those that the condition admits.

    `plain` says that the condition admits every active memory that has not expired.
    """
    space = current_space(connection)
    if space is None or len(vector) != 4 * space.dimension:
        return []
    sql, values = condition
    if space.dimension % 8 == 0 and usable_index(connection):
        shortlist = min(4096, max(SHORTLIST, 4 * limit))
        few = None if plain else _few(connection, space, sql, values)
        if few is None:
            ids = _by_bits(connection, space, vector, shortlist, None if plain else (sql, values))
            found = _rescored(connection, vector, ids, sql, values)
            if len(found) >= limit or len(ids) < shortlist:
                return found[:limit]
            ids = _by_bits(connection, space, vector, shortlist, (sql, values))
            return _rescored(connection, vector, ids, sql, values)[:limit]
        return _rescored(connection, vector, few, sql, values)[:limit]
    rows = connection.execute(
        "select memory.id, embedding.dtype, embedding.vector from memory join embedding"
        f" on embedding.space = ? and embedding.text_hash = memory.embedded_hash where {sql}",
        (space.id, *values),
    )
    return _ranked(vector, rows.fetchall())[:limit]


def _admitted(sql: str) -> str:
    return (
        "select embedding.id from memory join embedding"
        f" on embedding.space = ? and embedding.text_hash = memory.embedded_hash where {sql}"
    )


def _few(connection: Connection, space: Space, sql: str, values: Sequence[Any]) -> list[int] | None:
    """Return the ids of all admitted vectors if there are few enough to compare them all."""
    query = f"{_admitted(sql)} limit {FEW + 1}"
    ids = [row[0] for row in connection.execute(query, (space.id, *values))]
    return ids if len(ids) <= FEW else None


def _by_bits(
    connection: Connection, space: Space, vector: bytes, count: int, within: tuple[str, Sequence[Any]] | None
) -> list[int]:
    query = "select rowid from memory_vec where bits match vec_quantize_binary(?) and k = ?"
    values: list[Any] = [vector, count]
    if within is not None:
        query += f" and rowid in ({_admitted(within[0])})"
        values += [space.id, *within[1]]
    return [row[0] for row in connection.execute(query, values)]


def _rescored(
    connection: Connection, vector: bytes, ids: Sequence[int], sql: str, values: Sequence[Any]
) -> list[tuple[str, float]]:
    # cross join: the order written is the order taken. Left to itself, SQLite begins with every memory.
    rows = connection.execute(
        "select memory.id, embedding.dtype, embedding.vector from json_each(?) as wanted"
        " cross join embedding on embedding.id = wanted.value"
        f" cross join memory on memory.embedded_hash = embedding.text_hash and {sql}",
        (json.dumps(list(ids)), *values),
    )
    return _ranked(vector, rows.fetchall())


def _ranked(vector: bytes, rows: Sequence[tuple[str, str, bytes]]) -> list[tuple[str, float]]:
    """Rank memories by the cosine of their nearest piece."""
    if not rows:
        return []
    import numpy as np

    matrix = np.frombuffer(b"".join([widened(row[2], row[1]) for row in rows]), dtype="<f4")
    cosines = matrix.reshape(len(rows), -1) @ np.frombuffer(vector, dtype="<f4")
    best: dict[str, float] = {}
    for place in np.argsort(-cosines, kind="stable").tolist():
        best.setdefault(rows[place][0], float(cosines[place]))
    return list(best.items())
