"""Writing the rows that were reached into a new file, and completing them from the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, MemoryType, same_version
from agent_memory.storage.changes import new_id
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import (
    bookkeeping,
    history,
    reading,
    rebuilding,
    renewing,
    rows,
    setting,
    virtual,
    writing,
)
from agent_memory.storage.sqlite.connection import writing as write_transaction
from agent_memory.storage.sqlite.damage import tolerantly
from agent_memory.storage.sqlite.driver import Connection, Error
from agent_memory.storage.sqlite.salvage.reaching import TABLES, Reached

_BATCH = 1000
_OF_MEMORIES = ("memory_tag", "usage", *(kind.value for kind in MemoryType))


class Salvaged(NamedTuple):
    """What is in the new file, and what is not."""

    saved: dict[str, int]
    """How many memories, changes of the history, vectors and settings are there."""
    restored: tuple[str, ...]
    """The memories whose rows were lost, and that were brought back from the history."""
    lost: tuple[str, ...]
    """A line for each row, or span of rows, that could not be saved, or is there but damaged."""


def fill(connection: Connection, reached: Reached, *, first_form: bool) -> Salvaged:
    """Write what was reached, and complete it."""
    lost = list(reached.missed)
    # What is damaged must go in as it is, and what it belongs to may be lost.
    connection.execute("pragma foreign_keys = off")
    connection.execute("pragma ignore_check_constraints = on")
    with write_transaction(connection):
        connection.execute("delete from setting")
        for table in TABLES:
            _insert(connection, table, reached.columns[table], reached.rows[table], lost)
        agent_id = setting.get(connection, "agent_id", Damaged()) or "default"
        _give_operations(connection)
        orphans, unplaced = _take_out_orphans(connection)
        restored, unreadable = tolerantly(connection, lambda open_: _complete(open_, agent_id))
        lost += unplaced
        if len(restored) >= max(orphans.values(), default=0):
            orphans = (
                {"usage": orphans["usage"]} if "usage" in orphans else {}
            )  # the rest came with the memories
        lost += [f"rows of {table} that belong to {n} lost memories" for table, n in orphans.items()]
        lost = [item for item in lost if item not in set(restored)] + unreadable
        if first_form:
            bookkeeping.drop(connection, bookkeeping.FORM)
            renewing.bring_up_to_date(connection, agent_id)
        tolerantly(connection, lambda open_: rebuilding.rebuild(open_, agent_id))

    def count(table: str) -> int:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])

    counted = {"memories": "memory", "changes": "journal", "vectors": "embedding", "settings": "setting"}
    saved = {name: count(table) for name, table in counted.items()}
    return Salvaged(saved, tuple(restored), tuple(lost))


def _insert(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    salvaged: Sequence[Sequence[Any]],
    lost: list[str],
) -> None:
    statement = f"insert into {table} ({', '.join(columns)}) values ({', '.join('?' * len(columns))})"
    for part in batched(salvaged, _BATCH):
        batch = [_bound(row) for row in part]
        plain = all(mark == "?" for marks, _ in batch for mark in marks)
        values = [item for _, item in batch]
        if plain and virtual.in_savepoint(connection, connection.executemany, statement, values):
            continue
        for marks, row in batch:
            _insert_one(connection, table, columns, marks, row, lost)


def _bound(row: Sequence[Any]) -> tuple[list[str], list[Any]]:
    """Return the marks for a row's values in a statement, and the values: a text that is no UTF-8 goes as bytes."""
    marks, values = [], []
    for value in row:
        broken = isinstance(value, str) and not value.isascii() and _broken(value)
        marks.append("cast(? as text)" if broken else "?")
        values.append(value.encode("utf-8", "surrogateescape") if broken else value)
    return marks, values


def _broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _insert_one(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    marks: Sequence[str],
    row: Sequence[Any],
    lost: list[str],
) -> None:
    """Insert a row; where a column is empty that may not be, with an empty text, which is no more and no less."""
    statement = f"insert into {table} ({', '.join(columns)}) values ({', '.join(marks)})"
    if table == "memory" and row[columns.index("id")] is None:
        lost.append(f"row {row[0]} of memory, in which nothing makes sense")
        return
    for values in (row, ["" if value is None else value for value in row]):
        if virtual.in_savepoint(connection, connection.execute, statement, values):
            return
    lost.append(f"a row of {table} that contradicts another: {row[0]!r}")


def _give_operations(connection: Connection) -> None:
    """Give changes whose operation is lost one in its place."""
    query = "select distinct operation from journal where operation not in (select seq from operation)"
    row = ("salvaged", None, None, clock.to_text(clock.now()), None)
    for (seq,) in connection.execute(query).fetchall():
        operation = (new_id(), *row)
        try:
            connection.execute(
                "insert into operation (seq, id, verb, actor, session, started_at, undoes, checksum)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, *operation, rows.checksum(operation)),
            )
        except Error:  # its number is damaged as well
            continue


def _complete(connection: Connection, agent_id: str) -> tuple[list[str], list[str]]:
    """Bring back from the history what is lost of memories, cannot be read, or is not what was written.

    Returns:
        The names of those brought back, and a line for each that stays as it is.
    """
    damaged = Damaged()
    pages = reading.pages(connection, agent_id, damaged)
    readable = {record.id: record for page in pages for _, record in page}
    cursor = connection.execute(
        f"select {', '.join(f'journal.{name}' for name in rows.JOURNAL)}, checksum from journal"
        " where seq in (select max(seq) from journal group by memory_id)"
    ).fetchall()
    restored = []
    for *entry, checksum in cursor:
        column = dict(zip(rows.JOURNAL, entry, strict=True))
        memory_id, after = column["memory_id"], column["after"]
        stored = readable.get(memory_id)
        newer = stored is not None and stored.revision != column["change_id"]
        if newer or after is None or rows.journal_checksum(entry) != checksum:
            continue
        try:
            record = rows.version_of(after, memory_id, agent_id=agent_id, revision=column["change_id"])
        except history.UNREADABLE:
            continue
        if stored is not None and same_version(stored, record):
            continue
        if virtual.in_savepoint(connection, _put_back, connection, record):
            restored.append(f"memory {memory_id}")
            damaged.pop(f"memory {memory_id}", None)
    return restored, [f"{name}, which is there but damaged: {why}" for name, why in damaged.items()]


def _put_back(connection: Connection, record: MemoryRecord) -> None:
    present = connection.execute("select pk from memory where id = ?", (record.id,)).fetchall()
    for table, column in (*((table, "memory") for table in _OF_MEMORIES), ("memory", "pk")):
        connection.executemany(f"delete from {table} where {column} = ?", present)
    writing.insert(connection, [record])


def _take_out_orphans(connection: Connection) -> tuple[dict[str, int], list[str]]:
    """Take out what belongs to rows that are lost; what can be brought back of a memory comes with all of it.

    Returns:
        By table, how many lost memories had rows in it; and a line for whatever else is gone.
    """
    orphans: dict[str, int] = {}
    for table in _OF_MEMORIES:
        of_lost = f"from {table} where memory not in (select pk from memory)"
        (count,) = connection.execute(f"select count(distinct memory) {of_lost}").fetchone()
        if count:
            orphans[table] = count
            connection.execute(f"delete {of_lost}")
    gone = connection.execute(
        "delete from embedding where space not in (select id from embedding_space)"
    ).rowcount
    return orphans, (
        [Hint("{gone} vectors, whose space is lost: {INDEX} makes them anew", gone=gone)] if gone else []
    )
