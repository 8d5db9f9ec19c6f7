"""Checking that everything in the file agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import (
    attempts,
    binary_quantisation,
    bookkeeping,
    checked,
    index,
    reading,
    renewing,
    rows,
    spaces,
    vectors,
    word_index,
)
from agent_memory.storage.sqlite import connection as opening
from agent_memory.storage.sqlite.driver import Connection, Error
from agent_memory.storage.sqlite.errors import is_busy, is_no_text, is_unwritable
from agent_memory.storage.sqlite.migrate import schema_version
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import (
    ContentHash,
    TextHash,
    content_hash,
    embedded_text,
    embedding_hash,
    indexed_text,
)

_OUTSIDE = "was changed outside this program"


def check(connection: Connection, agent_id: str) -> list[str]:
    """Return one line per fault. What cannot be read is a fault as well, and the rest is checked all the same."""
    integrity_errors = list(_word_index(connection))
    with opening.reading(connection):
        for name, part in _PARTS.items():
            integrity_errors += _as_far_as_possible(name, part(connection, agent_id))
    return list(dict.fromkeys(integrity_errors))


def _as_far_as_possible(name: str, integrity_errors: Iterator[str]) -> Iterator[str]:
    try:
        yield from integrity_errors
    except Error as error:
        if is_no_text(error):
            raise  # it is read again, by a reader that takes any bytes
        yield f"{name} cannot be checked to the end: {error}"


def _word_index(connection: Connection) -> Iterator[str]:
    """Let FTS5 check itself; it counts as writing, so where that is not possible it is left out."""
    try:
        word_index.check(connection)
    except Error as error:
        if not is_busy(error) and not is_unwritable(error):
            yield f"the full-text index is damaged: {error}"


def _file(connection: Connection, _: str) -> Iterator[str]:
    for (said,) in connection.execute("pragma integrity_check").fetchall():
        if said != "ok":
            yield f"the file itself: {' '.join(said.split())}"


def _references(connection: Connection, _: str) -> Iterator[str]:
    for row in connection.execute("pragma foreign_key_check").fetchall():
        yield f"a row of {row[0]} belongs to no row of {row[2]}"


def _own_rows(connection: Connection, _: str) -> Iterator[str]:
    for kind, fields in OWN_FIELDS.items():
        columns = ", ".join(f"own.{field_.name}" for field_ in fields)
        query = (
            f"select {columns}, own.checksum, id, type from {kind} as own left join memory on pk = own.memory"
        )
        for *row, checksum, memory_id, memory_type in connection.execute(query):
            if rows.own_checksum(kind, row) != checksum:
                yield f"{_named(memory_id)}: its row of {kind} {_OUTSIDE}"
            if memory_type != kind:
                yield f"{_named(memory_id)}: it has a row in {kind}, and is of another type"
        lost = f"select id from memory where type = '{kind}' and pk not in (select memory from {kind})"
        for (memory_id,) in connection.execute(lost):
            yield f"{_named(memory_id)}: it has no row in {kind}"


def _memories(connection: Connection, agent_id: str) -> Iterator[str]:
    damaged = Damaged()
    everything = chain.from_iterable(reading.pages(connection, agent_id, damaged))
    for row, record in everything:
        base_row = rows.base_row_of(row)
        if rows.base_checksum(base_row, record.tags) != row["checksum"]:
            yield f"memory {record.id}: its row or its tags {_OUTSIDE.replace('was', 'were')}"
        if (content_hash(record), embedded_hash(record)) != hashes_in(base_row):
            yield f"memory {record.id}: its hashes do not fit its text; `memory.semantic.reindex_all()` renews them"
    yield from (f"{name}: {why}" for name, why in damaged.items())
    for sequence, tag in connection.execute("select memory, tag from memory_tag where typeof(tag) <> 'text'"):
        yield f"the memory in row {sequence}: its tag {tag!r} is no text"


def _words(connection: Connection, agent_id: str) -> Iterator[str]:
    """Compare the words that are indexed with those that the memories hold."""
    for table in ("memory_fts_docsize", "memory_fts_content"):
        stray = f"select id from {table} where id not in (select pk from memory)"
        for (sequence,) in connection.execute(stray):
            yield f"the full-text index holds row {sequence}, which is no memory"
    outdated = renewing.outdated(connection)
    for page in reading.pages(connection, agent_id, Damaged()):
        span = (page[0][0]["pk"], page[-1][0]["pk"])
        words = dict(
            connection.execute("select id, c0 from memory_fts_content where id between ? and ?", span)
        )
        for row, record in page:
            if row["pk"] not in words:
                yield f"memory {record.id}: its words are not indexed"
            elif row["pk"] not in outdated and words[row["pk"]] != analysed_text(indexed_text(record)):
                yield f"memory {record.id}: other words are indexed than it holds"
    yield from word_index.integrity_errors(connection)


def _named(memory_id: Any) -> str:
    return "a memory that is not there" if memory_id is None else f"memory {memory_id}"


def hashes_in(base_row: rows.BaseRow) -> tuple[ContentHash, TextHash]:
    """Return the hashes that a base table row holds: of its content, and of the text that is embedded."""
    return base_row.content_hash, base_row.embedded_hash


def embedded_hash(record: MemoryRecord) -> TextHash:
    """Return the hash of the text that is embedded for a memory."""
    return embedding_hash(embedded_text(record))


def _journal(connection: Connection, _: str) -> Iterator[str]:
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


def _small_tables(connection: Connection, _: str) -> Iterator[str]:
    """Compare rows that have checksums of their own; those of an earlier version may have none yet."""
    if schema_version(connection) < checked.SINCE:
        return
    if bookkeeping.noted(connection, bookkeeping.DAMAGED):
        yield "bookkeeping: a row was damaged, and is made anew"
    until = bookkeeping.noted(connection, bookkeeping.WITHOUT_CHECKSUM) or 0
    exempt = {"operation": f"seq <= {until}", "usage": str(int(until > 0))}
    for table in checked.COLUMNS:
        for name in checked.broken(connection, table, exempt.get(table, "0")):
            yield f"{table.replace('_', ' ')} {name!r}: its row {_OUTSIDE}"
    for (name,) in connection.execute("select id from operation where typeof(seq) <> 'integer'"):
        yield f"operation {name!r}: its row {_OUTSIDE}"


# --- vectors ---------------------------------------------------------------------------------------------------


def _embeddings(connection: Connection, _: str) -> Iterator[str]:
    query = (
        "select embedding.id, space, text_hash, piece, dtype, vector, embedding.checksum, embedding.dimension,"
        " embedding_space.dimension from embedding left join embedding_space on embedding_space.id = space"
    )
    for number, *row, checksum, dimension, expected in connection.execute(query):
        try:
            sound = vectors.checksum(*row) == checksum and dimension == expected
        except (TypeError, ValueError):
            sound = False
        if not sound:
            yield f"embedding {number}: its row {_OUTSIDE}"
    space = spaces.current_space(connection)
    wrong = (
        "select id from memory where embedded_in is not (select space from embedding"
        " where space = ? and text_hash = memory.embedded_hash and piece = 0)"
    )
    for (memory_id,) in connection.execute(wrong, (space.id if space else None,)):
        yield f"memory {memory_id}: it is wrongly noted as embedded or owed"


def _vector_index(connection: Connection, _: str) -> Iterator[str]:
    """Compare the index with the vectors, but for the keys that wait to be made anew."""
    space = spaces.current_space(connection)
    if space is None or not index.possible(space) or not index.covers(connection, space):
        return  # it is not used, and the next process that could use it makes it
    indexed = binary_quantisation.from_index(connection, space)
    if indexed is None:
        yield "the vector index cannot be read"
        return
    waiting = {row[0] for row in connection.execute("select embedding from memory_vec_pending")}
    wanted = binary_quantisation.from_vectors(connection, space)
    there = dict(zip(indexed[0].tolist(), map(bytes, indexed[1].T), strict=True))
    for number, bits in zip(wanted[0].tolist(), map(bytes, wanted[1].T), strict=True):
        actual = there.pop(number, None)
        if number in waiting:
            continue
        if actual is None:
            yield f"embedding {number}: it is not in the vector index"
        elif actual != bits:
            yield f"embedding {number}: the vector index has other signs for it"
    if binary_quantisation.astray(connection):
        yield "the vector index holds something in places that are not in use"
    for number in sorted(there.keys() - waiting):
        yield f"embedding {number}: it is in the vector index but belongs to no active memory"


_PARTS: Mapping[str, Callable[[Connection, str], Iterator[str]]] = {
    "the file itself": _file,
    "what belongs together": _references,
    "the types' own tables": _own_rows,
    "the memories": _memories,
    "the full-text index": _words,
    "the journal": _journal,
    "operations and settings": _small_tables,
    "the vectors": _embeddings,
    "texts that could not be embedded": lambda connection, _: attempts.integrity_errors(connection),
    "the vector index": _vector_index,
}
