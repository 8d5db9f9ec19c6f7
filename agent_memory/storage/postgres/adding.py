"""Storing a few new memories in one round trip: the server itself looks whether anything like them is known.

Others who write for the agent wait only while the server works, and not while an answer is on its way and a client
decides. So the client does not know the agent's counters. The first statement behind the lock keeps them in settings
of the transaction if all memories are new; the others read them there, and do nothing where there are none. Then the
memories are stored in more round trips (`writing`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg import DataError, errors

from agent_memory import clock
from agent_memory.records import ConversationRecord, MemoryRecord, MemoryType
from agent_memory.storage import moved, planning
from agent_memory.storage.changes import Add, Operation, Plan, Written
from agent_memory.storage.planning.facts import placed_anew
from agent_memory.storage.postgres import rows
from agent_memory.storage.postgres.batch import Statement, Value, array, byte_array, run
from agent_memory.storage.postgres.copying import MANY
from agent_memory.storage.postgres.deciding import Frame, Request, queue
from agent_memory.storage.postgres.hnsw import State, table_name
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import Totals
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import embedded_text, embedding_hash

_OPERATION: Final = {
    "id": "text",
    "verb": "text",
    "actor": "text",
    "session": "text",
    "started_at": "timestamptz",
    "undoes": "text",
}
_VECTOR: Final = {"text_hash": "bytea", "piece": "int4", "vector": "vector"}
_PLACE, _HLC, _POSITION = "agentmem.place", "agentmem.hlc", "agentmem.position"
_SPACE, _VECTORS = "agentmem.space", "agentmem.vectors"
"""Settings of the transaction: the last place, `hlc`, position in the conversation and number of a vector, and the
space of the vectors."""
_UNPLACED: Final = 2**52
"""Messages whose position the client does not know have one above this for the time being."""
_ARE_NEW: Final = f"current_setting('{_PLACE}', true) <> ''"


def can_be_tried(connection: Connection, request: Request) -> bool:
    """Return whether a request adds a few memories, of which it matters whether they are known, and nothing else.

    Messages of one conversation may be among them, each of which gets the next position.
    """
    return (
        connection.info.encoding == "utf-8"
        and 0 < len(request.changes) < MANY
        and len(request.vectors) < MANY
        and all(
            isinstance(change, Add)
            and change.record.key is None
            and not change.brought_back
            and not (placed_anew(change) and getattr(change.record, "position", None) is not None)
            for change in request.changes
        )
        and len(request.needs.conversations) <= 1
        and all(request.vectors.values())
        and not any(len(vector) % 4 for segments in request.vectors.values() for vector in segments)
    )


async def add(
    connection: Connection,
    scope: Scope,
    operation: Operation,
    request: Request,
    frame: Frame,
    written: list[Written],
) -> list[Written] | None:
    """Store memories if all of them are new.

    Args:
        connection: a connection outside any transaction.
        scope: the agent.
        operation: what is done.
        request: what it adds: see `can_be_tried`.
        frame: what the transaction begins with.
        written: gets what this returns before anything is sent.

    Returns:
        For each change, what became of it; None if nothing was written, since something like them is known.
    """
    unplaced = _UNPLACED + int.from_bytes(os.urandom(6), "little")
    state = planning.State(last_position=dict.fromkeys(request.needs.conversations, unplaced))
    plan = planning.plan(operation, request.changes, state, scope.id, request.needs.digests)
    texts = {embedding_hash(embedded_text(record)) for record in plan.inserts}
    if plan.replaces or plan.removes or plan.keep_one_version or not texts >= request.vectors.keys():
        return None
    statements = [_opening(scope, frame), *_statements(scope, plan, request, unplaced)]
    written[:] = plan.written
    try:
        stored = await run(connection, statements)
    except (errors.UniqueViolation, errors.UndefinedTable):
        # The same operation, of an earlier attempt whose answer was lost; or the index was just dropped.
        return None
    if not stored:
        written.clear()
        return None
    last = int(stored[0] or 0)
    return _with_positions(plan.written, lambda _, position: last + position - unplaced)


async def placed(connection: Connection, scope: Scope, written: Sequence[Written]) -> list[Written]:
    """Read the positions that messages were stored with, where the answer that told them was lost."""
    ids = [item.id for item in written if _position(item.record)]
    query = (
        f"select m.id, c.position from memory as m join conversation as c on c.agent = {scope.number}"
        f" and c.memory = m.place where m.agent = {scope.number} and m.id = any(%s)"
    )
    positions = dict(await fetch(connection, query, [ids])) if ids else {}
    return _with_positions(written, lambda memory_id, _: positions.get(memory_id))


def _with_positions(written: Sequence[Written], position: Callable[[str, int], int | None]) -> list[Written]:
    result = []
    for item in written:
        record, unplaced = item.record, _position(item.record)
        if isinstance(record, ConversationRecord) and unplaced:
            item = replace(item, record=replace(record, position=position(item.id, unplaced)))
        result.append(item)
    return result


def _position(record: MemoryRecord) -> int:
    """Return the position that a message has for the time being, 0 for any other memory."""
    position = record.position if isinstance(record, ConversationRecord) else None
    return position if position is not None and position > _UNPLACED else 0


def _opening(scope: Scope, frame: Frame) -> Statement:
    """Make the statement that sets what the others need, and then waits for the lock."""
    # Plans for any value, where they are kept: making one for these values takes longer than carrying it out.
    settings = frame.settings or "select set_config('plan_cache_mode', 'force_generic_plan', true)"
    return Statement(f"{settings}, {queue(scope).removeprefix('select ')}".encode())


def _statements(scope: Scope, plan: Plan, request: Request, unplaced: int) -> Iterator[Statement]:
    sql, operation, totals = _texts(scope.number), plan.operation, Totals()
    yield _first(scope, plan, request)
    values = (getattr(operation, name) for name in _OPERATION)
    yield Statement(sql.operation, list(map(_value, values)))
    for number, record in enumerate(plan.inserts, 1):
        words = request.words_of(record)
        totals.add(words)
        yield _row(sql.memory, rows.memory_row(scope.number, number, record, words)[1:])
        own = rows.own_row(0, number, record)[1:]
        if position := _position(record):
            yield _row(sql.message, [position - unplaced if value == position else value for value in own])
        else:
            yield _row(sql.own[record.memory_type], own)
        if record.tags:
            yield Statement(sql.tags, (_value(number), _value(array(record.tags))))
    if totals.terms:
        counts = array(map(str, totals.terms.values()))
        yield Statement(sql.terms, (_value(array(totals.terms)), _value(counts)))
    yield from _journal(sql, plan, unplaced)
    number = 0
    for digest, segments in request.vectors.items():
        for piece, vector in enumerate(segments):
            number, packed = number + 1, _vector(vector)
            yield _row(sql.vector, (number, digest, piece, packed))
            if scope.index_space is not None:
                yield _row(_indexed(scope, scope.index_space), (number, packed))
    counted = (len(plan.inserts), totals.documents, totals.length, len(plan.journal))
    yield Statement(sql.counters, list(map(_value, counted)))


def _journal(sql: _Texts, plan: Plan, unplaced: int) -> Iterator[Statement]:
    """Make the statements for the journal; the server writes a message's position into the text of its version."""
    positions = {record.id: _position(record) for record in plan.inserts}
    for number, entry in enumerate(plan.journal, 1):
        values = [
            *(number, entry.change_id, entry.parent_id, entry.operation_id, entry.memory_id),
            *(str(entry.verb), entry.before, entry.after, entry.at),
        ]
        position = positions[entry.memory_id]
        if not position:
            yield _row(sql.journal, values)
        else:
            values[7], rest = str(entry.after).split(f'"position":{position}')
            yield _row(sql.journal_of_message, [*values, position - unplaced, rest])


def _first(scope: Scope, plan: Plan, request: Request) -> Statement:
    """Make the statement that looks whether anything is known, and keeps the counters if not."""
    conversation = next(iter(request.needs.conversations), None)
    values = [
        *(plan.journal[0].hlc - 1, array(record.id for record in plan.inserts)),
        *(byte_array(request.needs.hashes), clock.now(), conversation),
    ]
    if request.vectors:
        dimensions = {str(len(vector) // 4) for segments in request.vectors.values() for vector in segments}
        space = request.space
        of_space = (None,) * 3 if space is None else (space.id, space.fingerprint, space.template_version)
        values += [array(dimensions), byte_array(request.vectors), *of_space, scope.index_space]
    text = _first_text(scope.number, vectors=bool(request.vectors), messages=conversation is not None)
    return Statement(text, list(map(_value, values)))


# --- the statements --------------------------------------------------------------------------------------------


class _Texts(NamedTuple):
    """The statements about one agent, but the first."""

    operation: bytes
    memory: bytes
    own: Mapping[MemoryType, bytes]
    message: bytes
    tags: bytes
    terms: bytes
    journal: bytes
    journal_of_message: bytes
    vector: bytes
    counters: bytes


@lru_cache(maxsize=64)
def _first_text(agent: int, *, vectors: bool, messages: bool) -> bytes:
    kept = {_PLACE: "a.last_place", _HLC: "greatest(a.last_hlc, $1::int8)"}
    new = [
        f"a.number = {agent} and $5::text is {'not ' * messages}null",
        f"not exists (select 1 from memory where agent = {agent} and id = any($2::text[]))",
        f"not exists (select 1 from memory where agent = {agent} and status = 'active'"
        " and content_hash = any($3::bytea[]) and (expires_at is null or expires_at > $4::timestamptz))",
        f"not exists (select 1 from setting where agent = {agent} and name = '{moved.SETTING}')",
    ]
    if messages:
        kept[_POSITION] = (
            f"(select coalesce(max(position), -1) from conversation where agent = {agent}"
            " and conversation_id = $5::text and position is not null)"
        )
    if vectors:
        kept[_SPACE] = "s.id"
        kept[_VECTORS] = (
            f"(select coalesce(max(number), 0) from embedding where agent = {agent} and space = s.id)"
        )
        of_text = f"agent = {agent} and space = s.id and text_hash = any($7::bytea[])"
        new += [
            "s.dimension = all($6::int4[]) and case when $8::int4 is null then s.current"
            " else s.id = $8::int4 and s.fingerprint = $9::text and s.recipe = $10::int4 end",
            f"not exists (select 1 from embedding where {of_text})",
            f"not exists (select 1 from embedding_attempt where {of_text})",
            "case when $11::int4 is null then a.hnsw_space is null"
            f" else a.hnsw_space = $11::int4 and s.id = $11::int4 and a.hnsw_state <> '{State.COPYING}' end",
        ]
    settings = ", ".join(f"set_config('{name}', ({value})::text, true)" for name, value in kept.items())
    space = f" join embedding_space as s on s.agent = {agent}" if vectors else ""
    return f"select {settings} from agent as a{space} where {' and '.join(new)}".encode()


@lru_cache(maxsize=64)
def _texts(agent: int) -> _Texts:
    place, hlc, position = (f"current_setting('{name}')::int8" for name in (_PLACE, _HLC, _POSITION))
    own = {kind: dict(list(columns.items())[2:]) for kind, columns in rows.OWN.items()}
    of_message = own[MemoryType.CONVERSATION]
    at = list(of_message).index("position") + 2
    message = _insert(agent, "conversation", "memory", place, of_message)
    journal = _insert(agent, "journal", "hlc", hlc, dict(list(rows.JOURNAL.items())[2:]))
    after = f"$8::text || '\"position\":' || ({position} + $10::int8) || $11::text"
    return _Texts(
        operation=(
            f"insert into operation (agent, seq, {', '.join(_OPERATION)}) select {agent},"
            f" (select coalesce(max(seq), 0) + 1 from operation where agent = {agent}),"
            f" {_parameters(_OPERATION, 1)} where {_ARE_NEW}"
        ).encode(),
        memory=_insert(agent, "memory", "place", place, dict(list(rows.MEMORY.items())[2:])),
        own={kind: _insert(agent, kind.value, "memory", place, columns) for kind, columns in own.items()},
        message=message.replace(f"${at}::".encode(), f"{position} + ${at}::".encode()),
        tags=(
            f"insert into memory_tag (agent, memory, tag) select {agent}, {place} + $1::int8, tag"
            f" from unnest($2::text[]) as tag where {_ARE_NEW}"
        ).encode(),
        terms=(
            f"insert into term (agent, stem, documents) select {agent}, stem, documents"
            f" from unnest($1::text[], $2::int8[]) as new (stem, documents) where {_ARE_NEW}"
            " on conflict (agent, stem) do update set documents = term.documents + excluded.documents"
        ).encode(),
        journal=journal,
        journal_of_message=journal.replace(b"$8::text", after.encode()),
        vector=(
            "insert into embedding (agent, space, number, text_hash, piece, vector)"
            f" select {agent}, current_setting('{_SPACE}')::int4, current_setting('{_VECTORS}')::int8 + $1::int8,"
            f" {_parameters(_VECTOR, 2)} where {_ARE_NEW}"
        ).encode(),
        counters=(
            "update agent set version = version + 1, last_place = last_place + $1::int8,"
            " documents = documents + $2::int8, words = words + $3::int8, last_hlc ="
            f" {hlc} + $4::int8 where number = {agent} and {_ARE_NEW}"
            f" returning current_setting('{_POSITION}', true)"
        ).encode(),
    )


def _insert(agent: int, table: str, numbered: str, last: str, columns: Mapping[str, str]) -> bytes:
    """Write the statement for a row: its first value is how far its number is above the last one."""
    return (
        f"insert into {table} (agent, {numbered}, {', '.join(columns)})"
        f" select {agent}, {last} + $1::int8, {_parameters(columns, 2)} where {_ARE_NEW}"
    ).encode()


def _parameters(columns: Mapping[str, str], first: int) -> str:
    return ", ".join(f"${number}::{kind}" for number, kind in enumerate(columns.values(), first))


def _indexed(scope: Scope, space_id: int) -> bytes:
    """Write the statement that puts a new vector into the table of the HNSW index too."""
    return (
        f"insert into {table_name(scope, space_id)} (number, vector)"
        f" select current_setting('{_VECTORS}')::int8 + $1::int8, $2::vector where {_ARE_NEW}"
    ).encode()


# --- values ----------------------------------------------------------------------------------------------------


def _row(text: bytes, values: Sequence[Any]) -> Statement:
    return Statement(text, list(map(_value, values)), [int(isinstance(value, bytes)) for value in values])


def _value(value: Any) -> Value:
    """Return a value as the server reads it: bytes in binary form, anything else as text.

    Raises:
        DataError: a text holds a NUL.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        if "\0" in value:
            raise DataError("a text holds a NUL")  # the client library would end it there
        return value.encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


def _vector(vector: bytes) -> bytes:
    """Return float32 as the server takes a vector in binary form."""
    count = len(vector) // 4
    return struct.pack(f">HH{count}f", count, 0, *struct.unpack(f"<{count}f", vector))
