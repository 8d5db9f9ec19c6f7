"""Writing a plan: rows, words, vectors and journal in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from agent_memory import clock
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage import planning
from agent_memory.storage.changes import Change, Operation, Plan, Written
from agent_memory.storage.sqlite import rows, vectors
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import indexed_text

T = TypeVar("T")


@contextmanager
def writing(connection: Connection) -> Iterator[None]:
    """Hold one explicit write transaction; a deferred one that reads first would fail at once in a crowd."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


def commit(
    connection: Connection,
    operation: Operation,
    changes: Sequence[Change],
    given: Mapping[bytes, Sequence[bytes]],
    agent_id: str,
) -> list[Written]:
    """Decide what the changes mean and write it, all or nothing."""
    with writing(connection):
        state = load_state(connection, planning.needs(changes), agent_id)
        plan = planning.plan(operation, changes, state, agent_id)
        if not plan.empty:
            apply(connection, plan, given)
    return list(plan.written)


def batched(values: Sequence[T], size: int = 900) -> Iterator[Sequence[T]]:
    """Cut a sequence into parts that one statement may have as values; old SQLite takes 999."""
    return (values[start : start + size] for start in range(0, len(values), size))


# --- what decides ----------------------------------------------------------------------------------------------


def load_state(connection: Connection, needs: planning.Needs, agent_id: str) -> planning.State:
    """Read the facts that decide the outcome."""
    state = planning.State()
    wanted: set[str] = set(needs.ids)
    if needs.hashes:
        now = clock.to_text(clock.now())
        for part in batched(list(needs.hashes)):
            query = (
                "select content_hash, id from memory where status = 'active'"
                f" and content_hash in ({', '.join('?' * len(part))}) and (expires_at is null or expires_at > ?)"
            )
            for digest, memory_id in connection.execute(query, (*part, now)):
                state.by_hash.setdefault(digest, memory_id)
                wanted.add(memory_id)
    for memory_type, key in needs.keys:
        found = connection.execute(
            "select id from memory where type = ? and key = ? and status = 'active'", (memory_type.value, key)
        ).fetchone()
        if found is not None:
            state.by_key[MemoryType(memory_type), key] = found[0]
            wanted.add(found[0])
    for conversation in needs.conversations:
        found = connection.execute(
            "select max(position) from conversation where conversation_id = ?", (conversation,)
        ).fetchone()
        if found[0] is not None:
            state.last_position[conversation] = found[0]
    if wanted:
        query = rows.SELECT + " where memory.id in (select value from json_each(?))"
        for record in rows.records(
            connection, connection.execute(query, (json.dumps(list(wanted)),)), agent_id
        ):
            state.records[record.id] = record
    last = connection.execute("select hlc from journal order by seq desc limit 1").fetchone()
    state.last_hlc = last[0] if last else 0
    return state


# --- what is written -------------------------------------------------------------------------------------------


def apply(connection: Connection, plan: Plan, given: Mapping[bytes, Sequence[bytes]]) -> None:
    """Write every row of a plan."""
    space = vectors.current_space(connection)
    known = vectors.Known(connection, space)
    if given and space is not None:
        vectors.store(connection, space.id, given)
        known.add(given)
    touched = _remove(connection, plan.removes)
    touched += _replace(connection, [after for _, after in plan.replaces], known)
    touched += _insert(connection, plan.inserts, known)
    _log(connection, plan)
    for memory_id in plan.erase_history:
        touched += _erase_history(connection, memory_id)
    vectors.settle(connection, space, [digest for digest in dict.fromkeys(touched) if known.space_of(digest)])
    if plan.erase_history:
        vectors.drop_unused(connection, touched)


def _insert(connection: Connection, inserts: Sequence[MemoryRecord], known: vectors.Known) -> list[bytes]:
    if not inserts:
        return []
    pk = (connection.execute("select max(pk) from memory").fetchone()[0] or 0) + 1
    spine: list[Any] = []
    own: dict[MemoryType, list[Any]] = {}
    words, tags, hashes = [], [], []
    for record in inserts:
        row = rows.spine_row(record)
        digest = row[_EMBEDDED_HASH]
        spine.append((pk, *row, rows.checksum(row), known.space_of(digest)))
        own.setdefault(record.memory_type, []).append(_own(pk, record))
        words.append((pk, analysed_text(indexed_text(record))))
        tags += [(pk, tag) for tag in record.tags]
        hashes.append(digest)
        pk += 1
    connection.executemany(rows.INSERT_MEMORY, spine)
    for kind, values in own.items():
        connection.executemany(rows.INSERT_OWN[kind], values)
    connection.executemany("insert into memory_tag (memory, tag) values (?, ?)", tags)
    connection.executemany("insert into memory_fts (rowid, words) values (?, ?)", words)
    return hashes


def _replace(connection: Connection, replaces: Sequence[MemoryRecord], known: vectors.Known) -> list[bytes]:
    if not replaces:
        return []
    keys: dict[str, int] = {}
    hashes: list[bytes] = []
    query = "select id, pk, embedded_hash from memory where id in (select value from json_each(?))"
    for memory_id, pk, digest in connection.execute(query, (json.dumps([record.id for record in replaces]),)):
        keys[memory_id] = pk
        hashes.append(digest)
    spine: list[Any] = []
    own: dict[MemoryType, list[Any]] = {}
    words, tags = [], []
    for record in replaces:
        pk = keys[record.id]
        row = rows.spine_row(record)
        digest = row[_EMBEDDED_HASH]
        spine.append((*row, rows.checksum(row), known.space_of(digest), pk))
        own.setdefault(record.memory_type, []).append(_own(pk, record))
        words.append((analysed_text(indexed_text(record)), pk))
        tags += [(pk, tag) for tag in record.tags]
        hashes.append(digest)
    # A key may pass from one memory to another within one operation: what gives it up goes first.
    spine.sort(key=lambda row: bool(row[_STATUS] == Status.ACTIVE.value))
    connection.executemany(rows.UPDATE_MEMORY, spine)
    for kind, values in own.items():
        connection.executemany(rows.INSERT_OWN[kind], values)
    connection.executemany("delete from memory_tag where memory = ?", [(pk,) for pk in keys.values()])
    connection.executemany("insert into memory_tag (memory, tag) values (?, ?)", tags)
    connection.executemany("update memory_fts set words = ? where rowid = ?", words)
    return hashes


def _remove(connection: Connection, removes: Sequence[MemoryRecord]) -> list[bytes]:
    if not removes:
        return []
    query = "select pk, embedded_hash from memory where id in (select value from json_each(?))"
    found = connection.execute(query, (json.dumps([record.id for record in removes]),)).fetchall()
    keys = json.dumps([pk for pk, _ in found])
    connection.execute("delete from memory_fts where rowid in (select value from json_each(?))", (keys,))
    connection.execute("delete from memory where pk in (select value from json_each(?))", (keys,))
    return [digest for _, digest in found]


_EMBEDDED_HASH = rows.SPINE.index("embedded_hash")
_STATUS = rows.SPINE.index("status")


def _own(pk: int, record: MemoryRecord) -> list[Any]:
    row = rows.own_row(record)
    return [pk, *row, rows.checksum(row)]


def _log(connection: Connection, plan: Plan) -> None:
    operation = plan.operation
    connection.execute(
        "insert into operation (id, verb, actor, session, started_at, undoes) values (?, ?, ?, ?, ?, ?)",
        (
            operation.id,
            operation.verb,
            operation.actor,
            operation.session,
            clock.to_text(operation.started_at),
            operation.undoes,
        ),
    )
    connection.executemany(
        f"insert into journal ({', '.join(rows.JOURNAL)}, checksum) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*row, rows.checksum(row)) for row in map(rows.journal_row, plan.journal)],
    )
    for memory_id in plan.keep_one_version:
        connection.execute(
            "delete from journal where memory_id = ?"
            " and seq < (select max(newest.seq) from journal as newest where newest.memory_id = ?)",
            (memory_id, memory_id),
        )


def _erase_history(connection: Connection, memory_id: str) -> list[bytes]:
    """Take a memory's text out of the journal, keeping that something happened; return its vectors' hashes."""
    found = connection.execute(
        f"select {', '.join(rows.JOURNAL)} from journal where memory_id = ?", (memory_id,)
    ).fetchall()
    hashes = [rows.embedded_hash_of(text) for row in found for text in row[-2:] if text is not None]
    connection.executemany(
        "update journal set before = null, after = null, checksum = ? where change_id = ?",
        [(rows.checksum((*row[:-2], None, None)), row[0]) for row in found],
    )
    return hashes
