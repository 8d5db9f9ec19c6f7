"""Storing a few new memories in one round trip: the server itself looks whether anything like them is known.

Others who write for the agent wait only while the server works, and not while an answer is on its way and a client
decides. So the client does not know the agent's counters. The first statement behind the lock keeps them in settings
of the transaction if all memories are new; the others read them there, and do nothing where there are none. Then the
memories are stored in more round trips (`writing`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg import DataError, errors

from agent_memory import clock
from agent_memory.records import MemoryType
from agent_memory.storage import moved, planning
from agent_memory.storage.changes import Add, Operation, Plan, Written
from agent_memory.storage.planning.facts import placed_anew
from agent_memory.storage.postgres import rows
from agent_memory.storage.postgres.batch import Statement, Value, array, byte_array, run
from agent_memory.storage.postgres.copying import MANY
from agent_memory.storage.postgres.deciding import Frame, Request, queue
from agent_memory.storage.postgres.hnsw import State, table_name
from agent_memory.storage.postgres.reading import Scope
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
_JOURNAL: Final = {
    "change_id": "text",
    "parent_id": "text",
    "operation": "text",
    "memory_id": "text",
    "verb": "text",
    "before": "text",
    "after": "text",
    "at": "timestamptz",
}
_VECTOR: Final = {"text_hash": "bytea", "piece": "int4", "vector": "vector"}
_PLACE, _HLC, _SPACE, _VECTORS = "agentmem.place", "agentmem.hlc", "agentmem.space", "agentmem.vectors"
"""Settings of the transaction: the last place, `hlc` and number of a vector, and the space of the vectors."""
_ARE_NEW: Final = f"current_setting('{_PLACE}', true) <> ''"


def can_be_tried(connection: Connection, request: Request) -> bool:
    """Return whether a request adds a few memories whose outcome depends only on whether they are known."""
    return (
        connection.info.encoding == "utf-8"
        and 0 < len(request.changes) < MANY
        and len(request.vectors) < MANY
        and all(
            isinstance(change, Add)
            and change.record.key is None
            and not change.brought_back
            and not placed_anew(change)
            for change in request.changes
        )
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
    plan = planning.plan(operation, request.changes, planning.State(), scope.id, request.needs.digests)
    texts = {embedding_hash(embedded_text(record)) for record in plan.inserts}
    if plan.replaces or plan.removes or plan.keep_one_version or not texts >= request.vectors.keys():
        return None
    statements = [_opening(scope, frame), *_statements(scope, plan, request)]
    written[:] = plan.written
    try:
        *_, stored = await run(connection, statements)
    except (errors.UniqueViolation, errors.UndefinedTable):
        # The same operation, of an earlier attempt whose answer was lost; or the index was just dropped.
        return None
    if not stored:
        written.clear()
        return None
    return list(plan.written)


def _opening(scope: Scope, frame: Frame) -> Statement:
    """Make the statement that sets what the others need, and then waits for the lock."""
    # Plans for any value, where they are kept: making one for these values takes longer than carrying it out.
    settings = frame.settings or "select set_config('plan_cache_mode', 'force_generic_plan', true)"
    return Statement(f"{settings}, {queue(scope).removeprefix('select ')}".encode())


def _statements(scope: Scope, plan: Plan, request: Request) -> Iterator[Statement]:
    sql, operation, totals = _texts(scope.number), plan.operation, Totals()
    yield _first(sql, scope, plan, request)
    values = (getattr(operation, name) for name in _OPERATION)
    yield Statement(sql.operation, list(map(_value, values)))
    for number, record in enumerate(plan.inserts, 1):
        words = request.words_of(record)
        totals.add(words)
        memory, own = rows.memory_row(scope.number, number, record, words), rows.own_row(0, number, record)
        yield _row(sql.memory, memory[1:])
        yield _row(sql.own[record.memory_type], own[1:])
        if record.tags:
            yield Statement(sql.tags, (_value(number), _value(array(record.tags))))
    if totals.terms:
        counts = array(map(str, totals.terms.values()))
        yield Statement(sql.terms, (_value(array(totals.terms)), _value(counts)))
    for number, entry in enumerate(plan.journal, 1):
        values = (getattr(entry, _FIELDS.get(name, name)) for name in _JOURNAL)
        yield _row(sql.journal, (number, *values))
    number = 0
    for digest, segments in request.vectors.items():
        for piece, vector in enumerate(segments):
            number, packed = number + 1, _vector(vector)
            yield _row(sql.vector, (number, digest, piece, packed))
            if scope.index_space is not None:
                yield _row(_indexed(scope, scope.index_space), (number, packed))
    counted = (len(plan.inserts), totals.documents, totals.length, len(plan.journal))
    yield Statement(sql.counters, list(map(_value, counted)))


_FIELDS: Final = {"operation": "operation_id"}
"""Of a journal entry, where the column has another name."""


def _first(sql: _Texts, scope: Scope, plan: Plan, request: Request) -> Statement:
    """Make the statement that looks whether anything is known, and keeps the counters if not."""
    values = [
        *(_value(plan.journal[0].hlc - 1), _value(array(record.id for record in plan.inserts))),
        *(_value(byte_array(request.needs.hashes)), _value(clock.now())),
    ]
    if not request.vectors:
        return Statement(sql.first, values)
    dimensions = {str(len(vector) // 4) for segments in request.vectors.values() for vector in segments}
    space = request.space
    of_space = (None,) * 3 if space is None else (space.id, space.fingerprint, space.template_version)
    of_vectors = (array(dimensions), byte_array(request.vectors), *of_space, scope.index_space)
    return Statement(sql.first_with_vectors, [*values, *map(_value, of_vectors)])


# --- the statements --------------------------------------------------------------------------------------------


class _Texts(NamedTuple):
    """The statements about one agent."""

    first: bytes
    first_with_vectors: bytes
    operation: bytes
    memory: bytes
    own: Mapping[MemoryType, bytes]
    tags: bytes
    terms: bytes
    journal: bytes
    vector: bytes
    counters: bytes


@lru_cache(maxsize=64)
def _texts(agent: int) -> _Texts:
    kept = (
        f"select set_config('{_PLACE}', a.last_place::text, true),"
        f" set_config('{_HLC}', greatest(a.last_hlc, $1::int8)::text, true)"
    )
    kept_of_vectors = (
        f", set_config('{_SPACE}', s.id::text, true), set_config('{_VECTORS}',"
        f" (select coalesce(max(number), 0) from embedding where agent = {agent} and space = s.id)::text, true)"
    )
    new = (
        f" where a.number = {agent}"
        f" and not exists (select 1 from memory where agent = {agent} and id = any($2::text[]))"
        f" and not exists (select 1 from memory where agent = {agent} and status = 'active'"
        " and content_hash = any($3::bytea[]) and (expires_at is null or expires_at > $4::timestamptz))"
        f" and not exists (select 1 from setting where agent = {agent} and name = '{moved.SETTING}')"
    )
    of_text = f"agent = {agent} and space = s.id and text_hash = any($6::bytea[])"
    vectors_are_new = (
        " and s.dimension = all($5::int4[]) and case when $7::int4 is null then s.current"
        " else s.id = $7::int4 and s.fingerprint = $8::text and s.recipe = $9::int4 end"
        f" and not exists (select 1 from embedding where {of_text})"
        f" and not exists (select 1 from embedding_attempt where {of_text})"
        " and case when $10::int4 is null then a.hnsw_space is null"
        f" else a.hnsw_space = $10::int4 and s.id = $10::int4 and a.hnsw_state <> '{State.COPYING}' end"
    )
    place, memory = f"current_setting('{_PLACE}')::int8", dict(list(rows.MEMORY.items())[2:])
    return _Texts(
        first=f"{kept} from agent as a{new}".encode(),
        first_with_vectors=(
            f"{kept}{kept_of_vectors} from agent as a join embedding_space as s on s.agent = {agent}"
            f"{new}{vectors_are_new}"
        ).encode(),
        operation=(
            f"insert into operation (agent, seq, {', '.join(_OPERATION)}) select {agent},"
            f" (select coalesce(max(seq), 0) + 1 from operation where agent = {agent}),"
            f" {_parameters(_OPERATION, 1)} where {_ARE_NEW}"
        ).encode(),
        memory=_insert(agent, "memory", "place", place, memory),
        own={
            kind: _insert(agent, kind.value, "memory", place, dict(list(columns.items())[2:]))
            for kind, columns in rows.OWN.items()
        },
        tags=(
            f"insert into memory_tag (agent, memory, tag) select {agent}, {place} + $1::int8, tag"
            f" from unnest($2::text[]) as tag where {_ARE_NEW}"
        ).encode(),
        terms=(
            f"insert into term (agent, stem, documents) select {agent}, stem, documents"
            f" from unnest($1::text[], $2::int8[]) as new (stem, documents) where {_ARE_NEW}"
            " on conflict (agent, stem) do update set documents = term.documents + excluded.documents"
        ).encode(),
        journal=_insert(agent, "journal", "hlc", f"current_setting('{_HLC}')::int8", _JOURNAL),
        vector=(
            "insert into embedding (agent, space, number, text_hash, piece, vector)"
            f" select {agent}, current_setting('{_SPACE}')::int4, current_setting('{_VECTORS}')::int8 + $1::int8,"
            f" {_parameters(_VECTOR, 2)} where {_ARE_NEW}"
        ).encode(),
        counters=(
            "update agent set version = version + 1, last_place = last_place + $1::int8,"
            " documents = documents + $2::int8, words = words + $3::int8,"
            f" last_hlc = current_setting('{_HLC}')::int8 + $4::int8 where number = {agent} and {_ARE_NEW}"
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
