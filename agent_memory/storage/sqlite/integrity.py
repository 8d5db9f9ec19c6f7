"""Checking that everything in the file agrees, making anew what is derived, and overwriting what was erased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_memory.errors import StoreBusyError
from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage.sqlite import attempts, index, renewing, rows, signs, spaces, vectors
from agent_memory.storage.sqlite.connection import reading, writing
from agent_memory.storage.sqlite.driver import Connection, Error
from agent_memory.storage.sqlite.errors import is_busy, is_read_only
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import content_hash, embedded_text, embedding_hash, indexed_text

BATCH = 1000
_OUTSIDE = "was changed outside this program"


def check(connection: Connection, agent_id: str) -> list[str]:
    """Return one line per fault."""
    faults = list(_word_index(connection))
    with reading(connection):
        return [*faults, *_faults(connection, agent_id)]


def _word_index(connection: Connection) -> Iterator[str]:
    """Let FTS5 check itself; it counts as writing, so where that is not possible it is left out."""
    try:
        connection.execute("insert into memory_fts (memory_fts) values ('integrity-check')")
    except Error as error:
        if not is_busy(error) and not is_read_only(error):
            yield f"the full-text index is damaged: {error}"


def _faults(connection: Connection, agent_id: str) -> Iterator[str]:
    for (said,) in connection.execute("pragma integrity_check").fetchall():
        if said != "ok":
            yield f"the file itself: {said}"
    for row in connection.execute("pragma foreign_key_check").fetchall():
        yield f"a row of {row[0]} belongs to no row of {row[2]}"
    yield from _own_rows(connection)
    yield from _memories(connection, agent_id)
    yield from _journal(connection)
    yield from _embeddings(connection)
    yield from attempts.faults(connection)
    yield from _vector_index(connection)


def _own_rows(connection: Connection) -> Iterator[str]:
    for kind, fields in OWN_FIELDS.items():
        columns = ", ".join(f"own.{each.name}" for each in fields)
        query = (
            f"select {columns}, own.checksum, id, type from {kind} as own left join memory on pk = own.memory"
        )
        for *row, checksum, memory_id, memory_type in connection.execute(query):
            if rows.own_checksum(kind, row) != checksum:
                yield f"memory {memory_id}: its row of {kind} {_OUTSIDE}"
            if memory_type != kind:
                yield f"memory {memory_id}: it has a row in {kind}, and is of another type"
        lost = f"select id from memory where type = '{kind}' and pk not in (select memory from {kind})"
        for (memory_id,) in connection.execute(lost):
            yield f"memory {memory_id}: it has no row in {kind}"


def _memories(connection: Connection, agent_id: str) -> Iterator[str]:
    for (pk,) in connection.execute(
        "select id from memory_fts_docsize where id not in (select pk from memory)"
    ):
        yield f"the full-text index holds row {pk}, which is no memory"
    outdated = renewing.outdated(connection)
    for row, record, words in _pages(connection, agent_id):
        spine, checksum = row[1 : 1 + len(rows.SPINE)], row[-1]
        if rows.spine_checksum(spine, record.tags) != checksum:
            yield f"memory {record.id}: its row or its tags {_OUTSIDE.replace('was', 'were')}"
        if words is None:
            yield f"memory {record.id}: its words are not indexed"
        elif row[0] not in outdated and words != analysed_text(indexed_text(record)):
            yield f"memory {record.id}: other words are indexed than it holds"
        if (content_hash(record), _embedded_hash(record)) != _hashes(spine):
            yield f"memory {record.id}: its hashes do not fit its text; `memory.semantic.reindex_all()` renews them"


def _hashes(spine: Any) -> tuple[bytes, bytes]:
    return spine[rows.SPINE.index("content_hash")], spine[rows.HASH]


def _embedded_hash(record: MemoryRecord) -> bytes:
    return embedding_hash(embedded_text(record))


def _pages(connection: Connection, agent_id: str) -> Iterator[tuple[Any, MemoryRecord, str | None]]:
    """Go through all memories: spine row with its checksum at the end, record, and indexed words."""
    last = 0
    columns = rows.SELECT.replace(" from memory left join", ", memory.checksum from memory left join", 1)
    while True:
        query = f"{columns} where memory.pk > ? order by memory.pk limit ?"
        page = connection.execute(query, (last, BATCH)).fetchall()
        if not page:
            return
        words = dict(
            connection.execute(
                "select rowid, words from memory_fts where rowid between ? and ?", (last + 1, page[-1][0])
            )
        )
        whole = [row for row in page if _has_own_row(connection, row)]
        for row, record in zip(whole, rows.records(connection, whole, agent_id), strict=True):
            yield row, record, words.get(row[0])
        last = page[-1][0]


def _has_own_row(connection: Connection, row: Any) -> bool:
    return bool(connection.execute(f"select 1 from {row[2]} where memory = ?", (row[0],)).fetchone())


def _journal(connection: Connection) -> Iterator[str]:
    for row in connection.execute(f"select {rows.journal_columns(connection)}, checksum from journal"):
        if rows.journal_checksum(row[:-1]) != row[-1]:
            yield f"change {row[1]} of memory {row[5]}: its row of the journal {_OUTSIDE}"
    same = "substr(memory_id, 1, 6) = substr(memory.id, 1, 6) and memory_id = memory.id"
    for memory_id, revision, newest in connection.execute(
        f"select id, revision, (select change_id from journal where {same} order by seq desc limit 1) from memory"
    ):
        if newest is None:
            yield f"memory {memory_id}: the journal does not know it"
        elif newest != revision:
            yield f"memory {memory_id}: its last change in the journal is {newest}, which is not its version"


# --- vectors ---------------------------------------------------------------------------------------------------


def _embeddings(connection: Connection) -> Iterator[str]:
    query = "select id, space, text_hash, piece, dtype, vector, checksum from embedding"
    for number, *row, checksum in connection.execute(query):
        if vectors.checksum(*row) != checksum:
            yield f"embedding {number}: its row {_OUTSIDE}"
    space = spaces.current_space(connection)
    wrong = (
        "select id from memory where embedded_in is not (select space from embedding"
        " where space = ? and text_hash = memory.embedded_hash and piece = 0)"
    )
    for (memory_id,) in connection.execute(wrong, (space.id if space else None,)):
        yield f"memory {memory_id}: it is wrongly noted as embedded or owed"


def _vector_index(connection: Connection) -> Iterator[str]:
    """Compare the index with the vectors, but for the keys that wait to be made anew."""
    space = spaces.current_space(connection)
    if space is None or not index.possible(space) or not index.covers(connection, space):
        return  # it is not used, and the next process that could use it makes it
    held = signs.from_index(connection, space)
    if held is None:
        yield "the vector index cannot be read"
        return
    waiting = {row[0] for row in connection.execute("select embedding from memory_vec_pending")}
    wanted = signs.from_vectors(connection, space)
    there = dict(zip(held[0].tolist(), map(bytes, held[1].T), strict=True))
    for number, bits in zip(wanted[0].tolist(), map(bytes, wanted[1].T), strict=True):
        found = there.pop(number, None)
        if number in waiting:
            continue
        if found is None:
            yield f"embedding {number}: it is not in the vector index"
        elif found != bits:
            yield f"embedding {number}: the vector index has other signs for it"
    for number in sorted(there.keys() - waiting):
        yield f"embedding {number}: it is in the vector index but belongs to no active memory"


# --- making anew -----------------------------------------------------------------------------------------------


def rebuild(connection: Connection, agent_id: str) -> None:
    """Make words, hashes and vector index anew from the rows. Call it inside a write transaction."""
    declared = connection.execute("select sql from sqlite_master where name = 'memory_fts'").fetchone()
    connection.execute("drop table memory_fts")
    connection.execute(declared[0])
    for page in _batches(_pages_without_words(connection, agent_id)):
        connection.executemany(
            "insert into memory_fts (rowid, words) values (?, ?)",
            [(row[0], analysed_text(indexed_text(record))) for row, record in page],
        )
    renewing.note_renewed(connection)
    attempts.drop_damaged(connection)
    rehash(connection, agent_id)
    index.rebuild(connection)


def rehash(connection: Connection, agent_id: str) -> None:
    """Work out anew what makes duplicates equal and what names the vectors of a text.

    A row whose checksum is wrong keeps it: what damaged it must not look right afterwards.
    """
    for page in _batches(_pages_without_words(connection, agent_id)):
        changed = []
        for row, record in page:
            spine, hashes = list(row[1 : 1 + len(rows.SPINE)]), (content_hash(record), _embedded_hash(record))
            if hashes == _hashes(spine) or rows.spine_checksum(spine, record.tags) != row[-1]:
                continue
            spine[rows.SPINE.index("content_hash")], spine[rows.HASH] = hashes
            changed.append((*hashes, rows.spine_checksum(spine, record.tags), row[0]))
        connection.executemany(
            "update memory set content_hash = ?, embedded_hash = ?, checksum = ? where pk = ?", changed
        )
    attempts.forget_unused(connection)
    space = spaces.current_space(connection)
    if space is not None:
        spaces.mark_embedded(connection, space)


def _pages_without_words(connection: Connection, agent_id: str) -> Iterator[tuple[Any, MemoryRecord]]:
    return ((row, record) for row, record, _ in _pages(connection, agent_id))


def _batches(
    pairs: Iterator[tuple[Any, MemoryRecord]],
) -> Iterator[list[tuple[Any, MemoryRecord]]]:
    batch: list[tuple[Any, MemoryRecord]] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


# --- erasing ---------------------------------------------------------------------------------------------------


def scrub(connection: Connection, path: str) -> None:
    """Overwrite what was deleted: in the indexes, in the file and in its log.

    Raises:
        StoreBusyError: another process reads or writes, so that its log cannot be emptied.
    """
    with writing(connection):
        # Deleted words stay in the index until its segments are merged, and deleted signs in their blocks.
        connection.execute("insert into memory_fts (memory_fts) values ('optimize')")
        index.rebuild(connection)
    connection.execute("pragma secure_delete = on")
    try:
        connection.execute("vacuum")
        busy = connection.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
    finally:
        connection.execute("pragma secure_delete = off")
    if busy:
        raise StoreBusyError(path)
