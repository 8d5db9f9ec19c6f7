"""`memory_vec`: sqlite-vec's index over the vectors of active memories, kept in step with the table they are in.

It holds the signs of their numbers, 48 bytes instead of 1,536 at 384 dimensions; a second copy of the numbers
themselves would double the file. Whoever has the extension can query it in SQL; how searches use it says `nearest`.

A process without the extension leaves the keys of what it changed in `memory_vec_pending`, and the next one that has
it sees to them. Until then the index is not used.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space, current_space
from agent_memory.storage.sqlite.vectors import batched

_COVERS = "memory_vec_space"
_GENERATION = "vector_generation"
_MANY = 20_000  # vectors; from here on a new index is faster than as many deletions

ACTIVE = (
    "embedding.space = ? and exists (select 1 from memory"
    " where memory.embedded_hash = embedding.text_hash and +memory.status = 'active')"
)
"""Which rows of `embedding` belong into the index; its value is the current space's id."""


def has_extension(connection: Connection) -> bool:
    """Say whether sqlite-vec is loaded into this connection."""
    return bool(
        connection.execute("select 1 from pragma_function_list where name = 'vec_version'").fetchone()
    )


def generation(connection: Connection) -> int:
    """Return a number that moves when the vectors of active memories change."""
    return _noted(connection, _GENERATION) or 0


def in_step(connection: Connection, space: Space) -> bool:
    """Say whether the index is there and knows all that it should."""
    return (
        _noted(connection, _COVERS) == space.id
        and bool(connection.execute("select 1 from sqlite_master where name = 'memory_vec'").fetchone())
        and not connection.execute("select 1 from memory_vec_pending").fetchone()
    )


def possible(space: Space | None) -> bool:
    """Say whether sqlite-vec can hold the signs of a space's vectors: it takes them in whole bytes."""
    return space is not None and space.dimension % 8 == 0


def catch_up(connection: Connection) -> None:
    """Bring the index up to date, making it if it is not there. Call it inside a write transaction."""
    space = current_space(connection)
    if space is None or not possible(space) or in_step(connection, space) or not has_extension(connection):
        return
    there = connection.execute("select 1 from sqlite_master where name = 'memory_vec'").fetchone()
    if not there or _noted(connection, _COVERS) != space.id:
        rebuild(connection)
        return
    pending = "select embedding from memory_vec_pending"
    connection.execute(f"delete from memory_vec where rowid in ({pending})")
    _insert(connection, f"embedding.id in ({pending}) and {ACTIVE}", space)
    connection.execute("delete from memory_vec_pending")


def rebuild(connection: Connection) -> None:
    """Make the index anew; without the extension, note that somebody should."""
    _bump(connection)
    connection.execute("delete from bookkeeping where name = ?", (_COVERS,))
    connection.execute("delete from memory_vec_pending")
    space = current_space(connection)
    if not has_extension(connection):
        return
    connection.execute("drop table if exists memory_vec")
    if space is None or not possible(space):
        return
    connection.execute(f"create virtual table memory_vec using vec0(bits bit[{space.dimension}])")
    _insert(connection, ACTIVE, space)
    connection.execute("insert into bookkeeping (name, value) values (?, ?)", (_COVERS, space.id))


def _insert(connection: Connection, condition: str, space: Space) -> None:
    connection.execute(
        "insert into memory_vec (rowid, bits) select id, vec_quantize_binary(case dtype when 'float32' then vector"
        f" else widened(vector, dtype) end) from embedding where {condition}",
        (space.id,),
    )


def settle(connection: Connection, hashes: Sequence[bytes], new_after: int) -> None:
    """Bring the index in step for texts whose vectors or memories came, went or changed status.

    Vectors with a key above `new_after` are new, so not in the index yet.
    """
    space = current_space(connection)
    if space is None or not hashes:
        return
    ids = [
        row[0]
        for part in batched(driver.blobs(hashes))
        for row in connection.execute(
            f"select id from embedding where space = ? and text_hash in ({', '.join('?' * len(part))})",
            (space.id, *part),
        )
    ]
    if ids:
        settle_ids(connection, space, ids, new_after)


def settle_ids(connection: Connection, space: Space, ids: Sequence[int], new_after: int) -> None:
    """Do what `settle` does, for vectors by their keys; they may be gone by now."""
    _bump(connection)
    if not possible(space) or _noted(connection, _COVERS) != space.id:
        return
    if not has_extension(connection):
        connection.executemany(
            "insert or ignore into memory_vec_pending (embedding) values (?)", [(each,) for each in ids]
        )
        return
    old = [(each,) for each in ids if each <= new_after]
    if len(old) > _MANY:
        rebuild(connection)
        return
    catch_up(connection)
    connection.execute("create temp table if not exists settled (id integer primary key)")
    connection.execute("delete from temp.settled")
    connection.executemany("insert or ignore into temp.settled values (?)", old)
    if old:
        connection.execute("delete from memory_vec where rowid in (select id from temp.settled)")
    connection.executemany(
        "insert or ignore into temp.settled values (?)", [(each,) for each in ids if each > new_after]
    )
    _insert(connection, f"embedding.id in (select id from temp.settled) and {ACTIVE}", space)


def _noted(connection: Connection, name: str) -> int | None:
    found = connection.execute("select value from bookkeeping where name = ?", (name,)).fetchone()
    return int(found[0]) if found else None


def _bump(connection: Connection) -> None:
    connection.execute(
        "insert into bookkeeping (name, value) values (?, 1) on conflict (name) do update set value = value + 1",
        (_GENERATION,),
    )
