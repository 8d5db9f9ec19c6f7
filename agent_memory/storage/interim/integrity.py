"""Checking that everything in the file agrees, and making anew what is derived."""

from __future__ import annotations

from collections.abc import Iterator

from agent_memory.records import OWN_FIELDS
from agent_memory.storage.interim import rows, vectors
from agent_memory.storage.interim.driver import Connection, Error
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import indexed_text

BATCH = 1000


def check(connection: Connection, agent_id: str) -> list[str]:
    """Return one line per fault."""
    return list(_faults(connection, agent_id))


def _faults(connection: Connection, agent_id: str) -> Iterator[str]:
    for (said,) in connection.execute("pragma integrity_check").fetchall():
        if said != "ok":
            yield f"the file itself: {said}"
    for row in connection.execute("pragma foreign_key_check").fetchall():
        yield f"a row of {row[0]} belongs to no row of {row[2]}"
    yield from _checksums(connection)
    yield from _own_tables(connection)
    yield from _words(connection, agent_id)
    yield from _vectors(connection)


def _checksums(connection: Connection) -> Iterator[str]:
    for row in connection.execute(f"select {', '.join(rows.SPINE)}, checksum from memory"):
        if rows.checksum(row[:-1]) != row[-1]:
            yield f"memory {row[0]}: its row was changed outside this program"
    for kind, fields in OWN_FIELDS.items():
        columns = ", ".join(own.name for own in fields)
        query = f"select {columns}, checksum, (select id from memory where pk = {kind}.memory) from {kind}"
        for row in connection.execute(query):
            if rows.checksum(row[:-2]) != row[-2]:
                yield f"memory {row[-1]}: its row of {kind} was changed outside this program"
    for row in connection.execute("select id, text_hash, piece, vector, checksum from embedding"):
        if vectors.checksum(row[1], row[2], row[3]) != row[4]:
            yield f"embedding {row[0]}: its vector was changed outside this program"
    for row in connection.execute(f"select {', '.join(rows.JOURNAL)}, checksum from journal"):
        if rows.checksum(row[:-1]) != row[-1]:
            yield f"change {row[0]} of memory {row[4]}: the journal was changed outside this program"


def _own_tables(connection: Connection) -> Iterator[str]:
    for kind in OWN_FIELDS:
        query = f"select id from memory where type = '{kind}' and pk not in (select memory from {kind})"
        for (memory_id,) in connection.execute(query):
            yield f"memory {memory_id}: it has no row in {kind}"


def _words(connection: Connection, agent_id: str) -> Iterator[str]:
    try:
        connection.execute("insert into memory_fts (memory_fts) values ('integrity-check')")
    except Error as error:
        yield f"the full-text index is damaged: {error}"
        return
    lost = "select id from memory where pk not in (select id from memory_fts_docsize)"
    for (memory_id,) in connection.execute(lost):
        yield f"memory {memory_id}: its words are not indexed"
    for (pk,) in connection.execute(
        "select id from memory_fts_docsize where id not in (select pk from memory)"
    ):
        yield f"the full-text index holds row {pk}, which is no memory"
    last = 0
    while True:
        query = f"{rows.SELECT} where memory.pk > ? order by memory.pk limit ?"
        page = connection.execute(query, (last, BATCH)).fetchall()
        if not page:
            return
        words = dict(
            connection.execute(
                "select rowid, words from memory_fts where rowid between ? and ?", (last + 1, page[-1][0])
            )
        )
        for row, record in zip(page, rows.records(connection, page, agent_id), strict=True):
            if row[0] in words and words[row[0]] != analysed_text(indexed_text(record)):
                yield f"memory {record.id}: other words are indexed than it holds"
        last = page[-1][0]


def _vectors(connection: Connection) -> Iterator[str]:
    space = vectors.current_space(connection)
    if space is None:
        return
    wrong = (
        "select id from memory where (embedded_in is not null) <> exists (select 1 from embedding"
        " where space = ? and text_hash = memory.embedded_hash)"
    )
    for (memory_id,) in connection.execute(wrong, (space.id,)):
        yield f"memory {memory_id}: it is wrongly marked as embedded or owed"
    if not vectors.usable_index(connection):
        return
    wanted = (
        "select id from embedding where space = ?"
        " and text_hash in (select embedded_hash from memory where status = 'active')"
    )
    for (vector,) in connection.execute(f"{wanted} except select rowid from memory_vec", (space.id,)):
        yield f"embedding {vector}: it is not in the vector index"
    for (vector,) in connection.execute(f"select rowid from memory_vec except {wanted}", (space.id,)):
        yield f"embedding {vector}: it is in the vector index but belongs to no active memory"


def rebuild(connection: Connection, agent_id: str) -> None:
    """Make words and vector index anew from the rows."""
    connection.execute("delete from memory_fts")
    last = 0
    while True:
        query = f"{rows.SELECT} where memory.pk > ? order by memory.pk limit ?"
        page = connection.execute(query, (last, BATCH)).fetchall()
        if not page:
            break
        connection.executemany(
            "insert into memory_fts (rowid, words) values (?, ?)",
            [
                (row[0], analysed_text(indexed_text(record)))
                for row, record in zip(page, rows.records(connection, page, agent_id), strict=True)
            ],
        )
        last = page[-1][0]
    space = vectors.current_space(connection)
    if space is not None:
        vectors.switch_space(connection, space.id)


def scrub(connection: Connection) -> None:
    """Overwrite what was deleted: in the index, in the file and in its log."""
    connection.execute("insert into memory_fts (memory_fts) values ('optimize')")
    connection.execute("pragma secure_delete = on")
    connection.execute("vacuum")
    connection.execute("pragma wal_checkpoint(truncate)").fetchall()
    connection.execute("pragma secure_delete = off")
