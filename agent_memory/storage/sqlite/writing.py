"""Writing a plan: rows, words, vectors and journal in one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import ConflictError, ValidationError
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage import planning
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.changes import Change, Operation, Plan, Written
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import attempts, checked, driver, history, index, rows, vectors
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.reading import OF_MEMORIES
from agent_memory.storage.sqlite.spaces import Space, current_space, known_space
from agent_memory.storage.sqlite.vectors import MOST_VALUES
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import TextHash, indexed_text

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

Vectors: TypeAlias = "Mapping[TextHash, Sequence[Vector]]"


def commit(
    connection: Connection,
    operation: Operation,
    changes: Sequence[Change],
    new_vectors: Vectors,
    space: EmbeddingSpace | None,
    agent_id: str,
) -> tuple[list[Written], bool]:
    """Decide what the changes mean and write it. Call it inside a write transaction.

    Returns:
        For each change what became of it, and whether vectors were deleted.
    """
    needs = planning.needs(changes)
    state = load_state(connection, needs, agent_id)
    plan = planning.plan(operation, changes, state, agent_id, needs.digests)
    known = None if space is None or not new_vectors else known_space(connection, space)
    store_vectors(connection, known, new_vectors)
    touched = apply(connection, plan) if not plan.empty else set()
    index.mark_texts(connection, touched)
    if plan.removes or plan.replaces:
        attempts.forget_unused(connection, touched)
    deleted = forget(connection, plan, new_vectors)
    if new_vectors or touched or plan.keep_one_version or plan.erase_history:
        index.catch_up(connection)
    return list(plan.written), deleted


# --- what decides ----------------------------------------------------------------------------------------------


def load_state(connection: Connection, needs: planning.Needs, agent_id: str) -> planning.State:
    """Read the facts that decide the outcome."""
    state = planning.State()
    wanted: set[str] = set(needs.ids)
    now = clock.to_text(clock.now())
    for part in batched(driver.blobs(needs.hashes), MOST_VALUES):
        query = (
            "select content_hash, id from memory where status = 'active'"
            f" and content_hash in ({', '.join('?' * len(part))}) and (expires_at is null or expires_at > ?)"
        )
        for digest, memory_id in connection.execute(query, (*part, now)):
            state.by_hash.setdefault(digest, memory_id)
            wanted.add(memory_id)
    for memory_type, key in needs.keys:
        fetched = connection.execute(
            "select id from memory where type = ? and key = ? and status = 'active'", (memory_type.value, key)
        ).fetchone()
        if fetched is not None:
            state.by_key[MemoryType(memory_type), key] = fetched[0]
            wanted.add(fetched[0])
    for conversation in needs.conversations:
        fetched = connection.execute(
            "select max(position) from conversation where conversation_id = ? and typeof(position) = 'integer'",
            (conversation,),
        ).fetchone()
        if fetched[0] is not None:
            state.last_position[conversation] = fetched[0]
    if wanted:
        query = f"{rows.SELECT} where memory.id in (select value from json_each(?))"
        fetched = connection.execute(query, (json.dumps(list(wanted)),))
        damaged = Damaged()
        readable = rows.records(connection, fetched, agent_id, damaged)
        state.records = {record.id: record for record in readable}
        planning.leave_out(state, damaged)
    last = connection.execute(
        "select hlc from journal where typeof(hlc) = 'integer' order by seq desc limit 1"
    ).fetchone()
    state.last_hlc = last[0] if last else 0
    return state


# --- vectors ---------------------------------------------------------------------------------------------------


def put(connection: Connection, space: Space | None, new_vectors: Vectors) -> None:
    """Store vectors in a space, the current one for None, and bring the index in step.

    A text that no memory has any more was erased while it was embedded, and leaves nothing.
    """
    gone = set(vectors.unused(connection, new_vectors))
    store_vectors(
        connection, space, {digest: new_vectors[digest] for digest in new_vectors if digest not in gone}
    )
    index.catch_up(connection)


def put_vectors(connection: Connection, space: EmbeddingSpace, vectors: Vectors) -> None:
    """Store the vectors of texts in a space that is known."""
    put(connection, known_space(connection, space), vectors)


def store_vectors(connection: Connection, space: Space | None, new_vectors: Vectors) -> None:
    """Store vectors and tell the memories that were waiting for them.

    Raises:
        ValidationError: there is no space, or a vector does not fit it.
    """
    if not new_vectors:
        return
    current = current_space(connection)
    space = space or current
    if space is None:
        raise ValidationError(
            "vectors were given, but the store has no embedding space", hint="add a space first"
        )
    before = vectors.last_key(connection)
    new = vectors.store(connection, space, new_vectors)
    attempts.settled(connection, space, new_vectors)
    if new and space == current:
        connection.execute(
            "update memory set embedded_in = ? where embedded_in is null"
            " and embedded_hash in (select text_hash from embedding where id > ?)",
            (space.id, before),
        )


def forget(connection: Connection, plan: Plan, digests: Collection[TextHash] = ()) -> bool:
    """Take out of the journal what has to be forgotten, and the vectors that nobody has any more.

    Of those given, a known memory may say the same in other words.

    Returns:
        Whether there were such vectors.
    """
    hashes = list(digests)
    for memory_id in plan.keep_one_version:
        hashes += _keep_newest_version(connection, memory_id)
    for memory_id in plan.erase_history:
        hashes += _erase_history(connection, memory_id)
    for memory_id in plan.erase_history:
        _erase_sessions(connection, memory_id)
    return vectors.delete(connection, vectors.unused(connection, hashes))


# --- what is written -------------------------------------------------------------------------------------------


def apply(connection: Connection, plan: Plan) -> set[TextHash]:
    """Write every row of a plan.

    Returns:
        The hashes of those embedded texts whose place in the vector index may have changed.
    """
    space = current_space(connection)
    inserts = [rows.base_row(record) for record in plan.inserts]
    replaces = [rows.base_row(after) for _, after in plan.replaces]
    hashes = {row.embedded_hash for row in (*inserts, *replaces)}
    embedded = dict.fromkeys(vectors.known_hashes(connection, space, hashes), space.id if space else None)
    touched = _remove(connection, [record.id for record in plan.removes])
    touched += _replace(connection, plan.replaces, replaces, embedded)
    _insert(connection, plan.inserts, inserts, embedded)
    _count_accesses(connection, plan)
    _log(connection, plan)
    return {*touched, *(row.embedded_hash for row in inserts if row.embedded_hash in embedded)}


def insert(connection: Connection, records: Sequence[MemoryRecord]) -> None:
    """Write memories that are not there, without an entry in the journal; none of them counts as embedded."""
    _insert(connection, records, [rows.base_row(record) for record in records], {})


def _insert(
    connection: Connection,
    inserts: Sequence[MemoryRecord],
    base_rows: Sequence[rows.BaseRow],
    embedded: Mapping[TextHash, int | None],
) -> None:
    if not inserts:
        return
    first = int(connection.execute("select coalesce(max(pk), 0) + 1 from memory").fetchone()[0])
    memories: list[Any] = []
    own: dict[MemoryType, list[Any]] = {}
    words: list[tuple[int, str]] = []
    tags: list[tuple[int, str]] = []
    for sequence, (record, row) in enumerate(zip(inserts, base_rows, strict=True), first):
        memories.append(
            (sequence, *row.values(), rows.base_checksum(row, record.tags), embedded.get(row.embedded_hash))
        )
        own.setdefault(record.memory_type, []).append(_own(sequence, record))
        words.append((sequence, analysed_text(indexed_text(record))))
        if record.tags:
            tags += [(sequence, tag) for tag in record.tags]
    try:
        driver.insert_many(connection, "insert into memory", rows.MEMORY, memories)
    except driver.Error as error:
        known = [
            item
            for item, position in _sequences(connection, [one.id for one in inserts]).items()
            if position[0] < first
        ]
        if known:
            raise ConflictError(known[0]) from error
        raise
    _write_own(connection, own)
    connection.executemany("insert into memory_tag (memory, tag) values (?, ?)", tags)
    connection.executemany("insert into main.memory_fts (rowid, words) values (?, ?)", words)


def _count_accesses(connection: Connection, plan: Plan) -> None:
    """Take over how often memories were accessed elsewhere."""
    if plan.usage:
        connection.executemany(
            "insert into usage (memory, accessed_at, access_count) select pk, ?, ? from memory where id = ?",
            [(clock.to_text(at), count, memory_id) for memory_id, (at, count) in plan.usage.items()],
        )
        ids = json.dumps(list(plan.usage))
        checked.seal(connection, "usage", OF_MEMORIES, (ids,))


def _replace(
    connection: Connection,
    replaces: Sequence[tuple[MemoryRecord, MemoryRecord]],
    base_rows: Sequence[rows.BaseRow],
    embedded: Mapping[TextHash, int | None],
) -> list[TextHash]:
    """Write what changed between two versions, and return the hashes whose place in the index may have."""
    if not replaces:
        return []
    sequences = _sequences(connection, [after.id for _, after in replaces])
    memories: list[Any] = []
    own: dict[MemoryType, list[Any]] = {}
    words: list[Any] = []
    tagged: list[tuple[int, Sequence[str]]] = []
    freed: list[tuple[int]] = []
    touched: list[TextHash] = []
    for (before, after), row in zip(replaces, base_rows, strict=True):
        sequence, old_hash = sequences[after.id]
        new_hash = row.embedded_hash
        memories.append(
            (*row.values(), rows.base_checksum(row, after.tags), embedded.get(new_hash), sequence)
        )
        if before.memory_type is not after.memory_type:
            connection.execute(f"delete from {before.memory_type} where memory = ?", (sequence,))
            own.setdefault(after.memory_type, []).append(_own(sequence, after))
        elif rows.own_row(before) != rows.own_row(after):
            own.setdefault(after.memory_type, []).append(_own(sequence, after))
        if (text := indexed_text(after)) != indexed_text(before):
            words.append((analysed_text(text), sequence))
        if before.tags != after.tags:
            tagged.append((sequence, after.tags))
        if before.key is not None and (before.key != after.key or after.status is not Status.ACTIVE):
            freed.append((sequence,))
        if old_hash != new_hash or before.status is not after.status:
            touched += old_hash, new_hash
    # A key may pass from one memory to another within one operation: it is given up first.
    connection.executemany("update memory set key = null where pk = ?", freed)
    connection.executemany(rows.UPDATE_MEMORY, memories)
    _write_own(connection, own)
    connection.executemany("delete from memory_tag where memory = ?", [(sequence,) for sequence, _ in tagged])
    connection.executemany(
        "insert into memory_tag (memory, tag) values (?, ?)",
        [(sequence, tag) for sequence, tags in tagged for tag in tags],
    )
    connection.executemany("update main.memory_fts set words = ? where rowid = ?", words)
    return touched


def _remove(connection: Connection, ids: Sequence[str]) -> list[TextHash]:
    if not ids:
        return []
    sequences = _sequences(connection, ids)
    keys = json.dumps([sequence for sequence, _ in sequences.values()])
    gone = "in (select value from json_each(?))"
    connection.execute(f"delete from main.memory_fts where rowid {gone}", (keys,))
    for table in ("memory_tag", "usage", *(kind.value for kind in MemoryType)):
        connection.execute(f"delete from {table} where memory {gone}", (keys,))
    connection.execute(f"delete from memory where pk {gone}", (keys,))
    return [digest for _, digest in sequences.values()]


def _sequences(connection: Connection, ids: Collection[str]) -> dict[str, tuple[int, TextHash]]:
    """Return the key and the hash of the embedded text of memories, by id."""
    query = "select id, pk, embedded_hash from memory where id in (select value from json_each(?))"
    return {row[0]: (row[1], row[2]) for row in connection.execute(query, (json.dumps(list(ids)),))}


def _own(sequence: int, record: MemoryRecord) -> list[Any]:
    row = rows.own_row(record)
    return [sequence, *row, rows.own_checksum(record.memory_type, row)]


def _write_own(connection: Connection, own: Mapping[MemoryType, list[Any]]) -> None:
    for kind, values in own.items():
        driver.insert_many(connection, f"insert or replace into {kind}", rows.OWN[kind], values)


# --- the journal -----------------------------------------------------------------------------------------------


def _log(connection: Connection, plan: Plan) -> None:
    operation = plan.operation
    row = (
        operation.id,
        operation.verb,
        operation.actor,
        operation.session,
        clock.to_text(operation.started_at),
        operation.undoes,
    )
    seq = connection.execute(
        "insert into operation (id, verb, actor, session, started_at, undoes, checksum) values (?, ?, ?, ?, ?, ?, ?)",
        (*row, rows.checksum(row)),
    ).lastrowid
    entries = [rows.journal_row(entry, seq) for entry in plan.journal]
    checked = [(*row, rows.journal_checksum(row)) for row in entries]
    driver.insert_many(connection, "insert into journal", (*rows.JOURNAL, "checksum"), checked)


def _keep_newest_version(connection: Connection, memory_id: str) -> list[TextHash]:
    """Delete all but the newest entry of a memory; return the hashes of the texts that went."""
    query = f"select seq, before, after from journal where {rows.OF_MEMORY} order by seq"
    *older, newest = connection.execute(query, {"id": memory_id}).fetchall()
    connection.executemany("delete from journal where seq = ?", [row[:1] for row in older])
    return list(_hashes_in(older, memory_id) - _hashes_in([newest], memory_id))


def _erase_history(connection: Connection, memory_id: str) -> list[TextHash]:
    """Take a memory's text out of the journal, keeping that something happened; return its texts' hashes."""
    columns = ", ".join(rows.JOURNAL)
    cursor = connection.execute(
        f"select seq, {columns} from journal where {rows.OF_MEMORY}", {"id": memory_id}
    ).fetchall()
    connection.executemany(
        "update journal set before = null, after = null, checksum = ? where seq = ?",
        [(rows.journal_checksum((*row[1:-2], None, None)), row[0]) for row in cursor],
    )
    return list(_hashes_in(cursor, memory_id))


def _erase_sessions(connection: Connection, memory_id: str) -> None:
    """Take the session out of the operations of which no text is left: its name may be part of what is erased."""
    silent = (
        f"session is not null and seq in (select operation from journal where {rows.OF_MEMORY}) and not exists"
        " (select 1 from journal as other where other.operation = operation.seq"
        " and (other.before is not null or other.after is not null))"
    )
    operations = connection.execute(f"select seq from operation where {silent}", {"id": memory_id}).fetchall()
    for (seq,) in operations:
        connection.execute("update operation set session = null where seq = ?", (seq,))
        checked.seal(connection, "operation", "seq = ?", (seq,))


def _hashes_in(entries: Iterable[Sequence[Any]], memory_id: str) -> set[TextHash]:
    """Return the hashes of the texts embedded for the versions in journal entries, their last two columns."""
    hashes = set()
    for row in entries:
        for text in row[-2:]:
            if text is not None:
                with suppress(*history.UNREADABLE):  # what is damaged has no text, and so no vectors
                    hashes.add(rows.embedded_hash_of(text, memory_id))
    return hashes
