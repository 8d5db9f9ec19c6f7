"""`memory_vec`: sqlite-vec's index over the vectors of active memories, kept in step with the table they are in.

It holds the signs of their numbers, 48 bytes instead of 1,536 at 384 dimensions; a second copy of the numbers
themselves would double the file. Whoever has the extension can query it in SQL; how searches use it says `nearest`.

Whoever changes a vector, or which memory has it, leaves its key in `memory_vec_pending` (`vectors.mark`), in the same
transaction. `catch_up` then makes the index's rows of exactly these keys anew from the tables, whatever they were: at
once where the extension is loaded, else in the next process that has it. Until then the index is not used.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from agent_memory.storage.sqlite import driver, vectors, virtual
from agent_memory.storage.sqlite.bookkeeping import GENERATION, VECTOR_INDEX, VECTOR_KEYS, drop, note, noted
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space, current_space

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash

_MANY = 20_000  # vectors; from here on a new index is faster than as many deletions

ACTIVE = (
    "embedding.space = ? and exists (select 1 from memory"
    " where memory.embedded_hash = embedding.text_hash and +memory.status = 'active')"
)
"""Which rows of `embedding` belong into the index; its value is the current space's id."""


def has_extension(connection: Connection) -> bool:
    """Return whether sqlite-vec is loaded into this connection."""
    try:
        connection.execute("select vec_version()").fetchone()
    except driver.Error:
        return False
    return True


def generation(connection: Connection) -> int:
    """Return a number that moves when the vectors of active memories change."""
    return noted(connection, GENERATION) or 0


def covers(connection: Connection, space: Space) -> bool:
    """Return whether the index is there and is one of this space, be it up to date or not."""
    return noted(connection, VECTOR_INDEX) == space.id and bool(
        connection.execute("select 1 from sqlite_master where name = 'memory_vec'").fetchone()
    )


def in_step(connection: Connection, space: Space) -> bool:
    """Return whether the index is there and knows all that it should."""
    return covers(connection, space) and not connection.execute("select 1 from memory_vec_pending").fetchone()


def possible(space: Space | None) -> bool:
    """Return whether sqlite-vec can hold the signs of a space's vectors: it takes them in whole bytes."""
    return space is not None and space.dimension % 8 == 0


def catch_up(connection: Connection) -> None:
    """Bring the index up to date, making it if it is not there. Call it inside a write transaction.

    An index that cannot be brought up to date is made anew: it is derived, so nothing is lost. One that cannot even
    be made is not used, and searches go through the vectors themselves.
    """
    space = current_space(connection)
    if space is None or not possible(space) or in_step(connection, space) or not has_extension(connection):
        return
    few = covers(connection, space) and _waiting(connection) <= _MANY
    if few and virtual.in_savepoint(connection, _renew_pending, connection, space):
        return
    if not virtual.in_savepoint(connection, rebuild, connection):
        drop(connection, VECTOR_INDEX)


def _waiting(connection: Connection) -> int:
    """Count the rows of the index that would have to be deleted to bring it up to date, or return more than them."""
    (pending,) = connection.execute("select count(*) from memory_vec_pending").fetchone()
    if pending <= _MANY:
        return int(pending)  # which spares the index a question with every write
    query = "select count(*) from memory_vec_rowids where rowid in (select embedding from memory_vec_pending)"
    try:
        return int(connection.execute(query).fetchone()[0])
    except driver.Error:
        return _MANY + 1


def _renew_pending(connection: Connection, space: Space) -> None:
    pending = "select embedding from memory_vec_pending"
    # Asked for several rows, sqlite-vec goes through all it has; its own table of rows is asked instead.
    query = f"select rowid from memory_vec_rowids where rowid in ({pending})"
    before = [row[0] for row in connection.execute(query)]
    connection.executemany("delete from memory_vec where rowid = ?", [(number,) for number in before])
    wanted = f"embedding.id in ({pending}) and {ACTIVE}"
    _insert(connection, wanted, space)
    if (known := noted(connection, VECTOR_KEYS)) is not None:
        query = f"select coalesce(sum(embedding.id + 1), 0) from embedding where {wanted}"
        (after,) = connection.execute(query, (space.id,)).fetchone()
        note(connection, VECTOR_KEYS, known - sum(before) - len(before) + after)
    connection.execute("delete from memory_vec_pending")


def rebuild(connection: Connection) -> None:
    """Make the index anew; without the extension, note that somebody should. Call it inside a write transaction."""
    vectors.bump(connection)
    drop(connection, VECTOR_INDEX)
    connection.execute("delete from memory_vec_pending")
    space = current_space(connection)
    if not has_extension(connection):
        return
    virtual.drop(connection, "memory_vec")
    if space is None or not possible(space):
        return
    connection.execute(f"create virtual table memory_vec using vec0(bits bit[{space.dimension}])")
    _insert(connection, ACTIVE, space)
    note(connection, VECTOR_INDEX, space.id)
    note(connection, VECTOR_KEYS, _sum(connection, "1"))


def _sum(connection: Connection, condition: str) -> int:
    query = f"select coalesce(sum(rowid + 1), 0) from memory_vec where {condition}"
    return int(connection.execute(query).fetchone()[0])


def _insert(connection: Connection, condition: str, space: Space) -> None:
    connection.execute(
        "insert into memory_vec (rowid, bits) select id, vec_quantize_binary(fitting(cast(dtype as blob), vector, ?))"
        f" from embedding where {condition}",
        (space.dimension, space.id),
    )


def mark_texts(connection: Connection, hashes: Collection[TextHash]) -> None:
    """Note that memories with these texts came, went or changed status: their vectors' place may be another."""
    space = current_space(connection) if hashes else None
    if space is not None:
        vectors.mark(connection, vectors.keys(connection, space, hashes))
