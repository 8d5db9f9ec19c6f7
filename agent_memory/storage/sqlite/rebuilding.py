"""Making anew what is derived from the rows, and overwriting what was erased."""

from __future__ import annotations

from agent_memory.errors import StoreBusyError
from agent_memory.records import OWN_FIELDS
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import (
    attempts,
    bookkeeping,
    checked,
    index,
    reading,
    renewing,
    rows,
    spaces,
    virtual,
    word_index,
)
from agent_memory.storage.sqlite.connection import writing
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.integrity import embedded_hash, hashes_in
from agent_memory.text.templates import content_hash

_INDEXED = ("memory", "memory_tag", "embedding", "operation", "journal", *(kind.value for kind in OWN_FIELDS))


def rebuild(connection: Connection, agent_id: str) -> None:
    """Make everything derived anew from the rows: indexes, words, hashes. Call it inside a write transaction."""
    for table in _INDEXED:
        # Two damaged rows may have one key; the rest is made anew all the same.
        virtual.in_savepoint(connection, connection.execute, f"reindex {table}")
    word_index.rebuild(connection, agent_id)
    renewing.note_renewed(connection)
    attempts.drop_damaged(connection)
    rehash(connection, agent_id)
    _renew_bookkeeping(connection)
    index.rebuild(connection)


def add_space(connection: Connection, space: EmbeddingSpace, agent_id: str) -> EmbeddingSpace:
    """Make a space known, unless somebody was faster. Call it inside a write transaction."""
    others = spaces.spaces(connection)
    space_id, new = spaces.insert_space(connection, space)
    if new and any(other.template_version != space.template_version for other in others):
        rehash(connection, agent_id)  # the texts to embed are others now
    if new and not any(other.current for other in others):
        spaces.make_current(connection, spaces.Space(space_id, space.dimension))
        index.rebuild(connection)
    return next(item for item in spaces.spaces(connection) if item.id == space_id)


def switch_space(connection: Connection, space: EmbeddingSpace) -> None:
    """Make a space the current one, and the vector index that of its vectors."""
    spaces.make_current(connection, spaces.known_space(connection, space))
    index.rebuild(connection)


def _renew_bookkeeping(connection: Connection) -> None:
    """Take out what is damaged of it, and give the rows of earlier versions the checksums that they lack."""
    bookkeeping.sort(connection)
    bookkeeping.drop(connection, bookkeeping.DAMAGED)
    for table in ("operation", "usage"):
        checked.seal(connection, table, "checksum is null")
    bookkeeping.note(connection, bookkeeping.WITHOUT_CHECKSUM, 0)


def rehash(connection: Connection, agent_id: str) -> None:
    """Work out anew what makes duplicates equal and what names the vectors of a text.

    A row whose checksum is wrong keeps it: what damaged it must not look right afterwards.
    """
    for page in reading.pages(connection, agent_id, Damaged()):
        changed = []
        for row, record in page:
            base_row = rows.base_row_of(row)
            hashes = (content_hash(record), embedded_hash(record))
            if hashes == hashes_in(base_row) or rows.base_checksum(base_row, record.tags) != row["checksum"]:
                continue
            renewed = base_row._replace(content_hash=hashes[0], embedded_hash=hashes[1])
            changed.append((*hashes, rows.base_checksum(renewed, record.tags), row["pk"]))
        connection.executemany(
            "update memory set content_hash = ?, embedded_hash = ?, checksum = ? where pk = ?", changed
        )
    attempts.forget_unused(connection)
    space = spaces.current_space(connection)
    if space is not None:
        spaces.mark_embedded(connection, space)


# --- erasing ---------------------------------------------------------------------------------------------------


def secure_vacuum(connection: Connection, path: str) -> None:
    """Overwrite what was deleted: in the indexes, in the file and in its log.

    Raises:
        StoreBusyError: another process reads or writes, so that its log cannot be emptied.
    """
    with writing(connection):
        # Deleted words stay in the index until its segments are merged, and deleted signs in their blocks.
        connection.execute("insert into main.memory_fts (memory_fts) values ('optimize')")
        index.rebuild(connection)
    connection.execute("pragma secure_delete = on")
    try:
        connection.execute("vacuum")
        busy = connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    finally:
        connection.execute("pragma secure_delete = off")
    if busy:
        raise StoreBusyError(path)
