"""Bringing what an earlier version wrote up to date: names and outcomes at once, the words in slices.

A memory whose words an older analyser indexed is found by them as before; so the words can wait. Names cannot: a
filter by a tag compares letter by letter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from agent_memory import clock
from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage import renewal
from agent_memory.storage.changes import Operation
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import bookkeeping, checked, reading, rows, setting, writing
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.where import Condition, Where
from agent_memory.text.analysis import ANALYSER, analysed_text
from agent_memory.text.outcomes import success_by_first_word, success_of
from agent_memory.text.templates import indexed_text

_INDEXES: Final = (
    "create index if not exists memory_created on memory (created_at)",
    "create index if not exists memory_owed on memory (created_at)"
    " where embedded_in is null and status = 'active'",
    "create index if not exists memory_pinned on memory (created_at) where pinned = 1",
    "create index if not exists long_term_kind on long_term (kind)",
)
_MANY: Final = 10_000
"""Memories in a file that is opened before these indexes are made anew: without them lists are right, and slower."""
_NOT_ASCII: Final = "*[^\x01-\x7f]*"


def current(connection: Connection) -> bool:
    """Return whether the file is in the present form, its words apart."""
    noted = bookkeeping.noted
    return (
        noted(connection, bookkeeping.FORM) == renewal.FORM
        and noted(connection, bookkeeping.ANALYSER) == ANALYSER
    )


def bring_up_to_date(connection: Connection, agent_id: str) -> None:
    """Renew names and outcomes, and note which words wait. Call it inside a write transaction."""
    if list(checked.broken(connection, "bookkeeping", "1")):
        bookkeeping.note(connection, bookkeeping.DAMAGED, 1)
    last = int(connection.execute("select coalesce(max(pk), 0) from memory").fetchone()[0])
    if last and bookkeeping.noted(connection, bookkeeping.FORM) is None:
        _renew_memories(connection, agent_id)
    for table in (
        "setting",
        "embedding_space",
        "bookkeeping",
    ):  # few rows; large tables are left to `doctor --fix`
        checked.seal(connection, table, "checksum is null")
    bookkeeping.note(connection, bookkeeping.FORM, renewal.FORM)
    if last < _MANY:
        _make_indexes(connection)
    if bookkeeping.noted(connection, bookkeeping.ANALYSER) != ANALYSER:
        bookkeeping.note(connection, bookkeeping.ANALYSER, ANALYSER)
        bookkeeping.note(connection, bookkeeping.RENEWED, 0)
        bookkeeping.note(connection, bookkeeping.OUTDATED, last)


def _make_indexes(connection: Connection) -> None:
    for statement in _INDEXES:
        connection.execute(statement)


# --- names and outcomes ----------------------------------------------------------------------------------------


def _renew_memories(connection: Connection, agent_id: str) -> None:
    memories = _records(connection, {*_oddly_named(connection), *_read_otherwise(connection)}, agent_id)
    if not memories:
        return
    for key in renewal.keys_after(memories.values()):
        holders = Where(types=(key[0],), keys=(key[1],), expired=None)
        memories |= _selected(connection, holders, agent_id)
    for conversation in renewal.conversations_after(memories.values()):
        said = Where(statuses=(), expired=None, fields=(Condition("conversation_id", "=", conversation),))
        memories |= _selected(connection, said, agent_id)
    changes = renewal.renewals(list(memories.values()), clock.now())
    writing.commit(connection, Operation(verb=renewal.RENEW), changes, {}, None, agent_id)
    _rename_settings(connection)


def _oddly_named(connection: Connection) -> Iterator[int]:
    """Give the keys of memories with a name that is not in NFC; few have letters beyond ASCII at all."""
    connection.create_function("composed", 1, _composed)
    # Key and session have indexes of their own; the others are looked for in one pass over each table.
    positions = [
        ("memory", "pk", ("key",)),
        ("memory", "pk", ("session",)),
        ("memory", "pk", ("source", "metadata")),
    ]
    positions.append(("memory_tag", "memory", ("tag",)))
    for kind, fields in OWN_FIELDS.items():
        names = tuple(own.name for own in fields if own.is_name)
        if names:
            positions.append((kind.value, "memory", names))
    for table, key, columns in positions:
        odd = " or ".join(f"({column} glob :odd and not composed({column}))" for column in columns)
        there = f"{columns[0]} is not null and " if len(columns) == 1 else ""
        query = f"select {key} from {table} where {there}({odd})"
        yield from (row[0] for row in connection.execute(query, {"odd": _NOT_ASCII}))


def _composed(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def _read_otherwise(connection: Connection) -> Iterator[int]:
    """Give the keys of events whose outcome says something else by the present rule."""
    outcomes = "select distinct outcome, success from episodic where outcome is not null"
    for outcome, success in connection.execute(outcomes).fetchall():
        read = success_by_first_word(outcome)
        if (None if success is None else bool(success)) == read and success_of(outcome) != read:
            query = "select memory from episodic where outcome = ? and success is ?"
            yield from (row[0] for row in connection.execute(query, (outcome, success)))


def _records(connection: Connection, keys: Iterable[int], agent_id: str) -> dict[str, MemoryRecord]:
    query = f"{rows.SELECT} where memory.pk = ?"
    fetched = [row for sequence in sorted(keys) for row in connection.execute(query, (sequence,))]
    return {record.id: record for record in rows.records(connection, fetched, agent_id, Damaged())}


def _selected(connection: Connection, where: Where, agent_id: str) -> dict[str, MemoryRecord]:
    sql, values = reading.condition(where)
    fetched = connection.execute(f"{rows.SELECT} where {sql} order by memory.pk", values).fetchall()
    return {record.id: record for record in rows.records(connection, fetched, agent_id, Damaged())}


def _rename_settings(connection: Connection) -> None:
    """Bring the names among the settings, such as the default conversation's, into one form."""
    query = "select name, value from setting where value glob ? and not composed(value)"
    for name, value in connection.execute(query, (_NOT_ASCII,)).fetchall():
        setting.put(connection, name, unicodedata.normalize("NFC", value))


# --- words -----------------------------------------------------------------------------------------------------


def outdated(connection: Connection) -> range:
    """Return the keys of memories whose words may be those of an older analyser."""
    if connection.execute("pragma user_version").fetchone()[0] < 3:
        return range(0)
    last = bookkeeping.noted(connection, bookkeeping.OUTDATED) or 0
    return range((bookkeeping.noted(connection, bookkeeping.RENEWED) or 0) + 1, last + 1)


def left(connection: Connection) -> int:
    """Count the memories whose words an older analyser indexed."""
    waiting = outdated(connection)
    if not waiting:
        return 0
    query = "select count(*) from memory where pk between ? and ?"
    return int(connection.execute(query, (waiting.start, waiting.stop - 1)).fetchone()[0])


def renew(connection: Connection, agent_id: str, limit: int) -> None:
    """Index the words of so many more memories anew, in the order of storing. Call it inside a write transaction."""
    waiting = outdated(connection)
    if not waiting:
        return
    _make_indexes(connection)
    query = f"{rows.SELECT} where memory.pk between ? and ? order by memory.pk limit ?"
    fetched = connection.execute(query, (waiting.start, waiting.stop - 1, limit)).fetchall()
    changed = []
    for row, record in rows.readable(connection, fetched, agent_id, Damaged()):
        words = analysed_text(indexed_text(record))
        indexed = connection.execute(
            "select words from main.memory_fts where rowid = ?", (row["pk"],)
        ).fetchone()
        if indexed is not None and indexed[0] != words:
            changed.append((words, row["pk"]))
    connection.executemany("update main.memory_fts set words = ? where rowid = ?", changed)
    bookkeeping.note(
        connection, bookkeeping.RENEWED, fetched[-1][0] if len(fetched) == limit else waiting.stop - 1
    )


def note_renewed(connection: Connection) -> None:
    """Note that all words were indexed anew."""
    _make_indexes(connection)
    waiting = outdated(connection)
    if waiting:
        bookkeeping.note(connection, bookkeeping.RENEWED, waiting.stop - 1)
