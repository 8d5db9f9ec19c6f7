"""Storing a few new memories in one round trip: the server itself looks whether anything like them is known.

Others who write for the agent wait only while the server works, and not while an answer is on its way and a client
decides. So the client does not know the agent's counters: each statement reads them from the agent's row, which the
last one moves on. The first statement makes the operation's row if all memories are new. Without that row the others
do nothing, and the memories are stored in more round trips (`writing`).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_MEMORY: Final = dict(list(rows.MEMORY.items())[2:])
_OWN: Final = {kind: dict(list(columns.items())[2:]) for kind, columns in rows.OWN.items()}
_WRITTEN_OUT: Final = ("jsonb", "tsvector")
"""Types whose values are texts in JSON."""


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
    statements = [*_opening(scope, frame), *_statements(scope, plan, request)]
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


def _opening(scope: Scope, frame: Frame) -> Iterator[Statement]:
    if frame.settings:
        yield Statement(frame.settings.encode())
    # Plans for any value: making one for these values would take longer than carrying it out.
    yield Statement(b"select set_config('plan_cache_mode', 'force_generic_plan', true)")
    yield Statement(queue(scope).encode())


def _statements(scope: Scope, plan: Plan, request: Request) -> Iterator[Statement]:
    sql, operation = _texts(scope.number), plan.operation
    name, before, totals = operation.id.encode(), _number(plan.journal[0].hlc - 1), Totals()
    memories: list[Sequence[Any]] = []
    own: dict[MemoryType, list[Sequence[Any]]] = {}
    tags: list[Sequence[Any]] = []
    for number, record in enumerate(plan.inserts, 1):
        words = request.words_of(record)
        totals.add(words)
        memories.append([number, *rows.memory_row(scope.number, 0, record, words)[2:]])
        own.setdefault(record.memory_type, []).append([number, *rows.own_row(0, 0, record)[2:]])
        tags += [(number, tag) for tag in record.tags]
    yield _first(sql, scope, plan, request)
    yield Statement(sql.memory, (name, _json(["k", *_MEMORY], memories)))
    for kind, values in own.items():
        yield Statement(sql.own[kind], (name, _json(["k", *_OWN[kind]], values)))
    if tags:
        yield Statement(sql.tags, (name, _json(["k", "tag"], tags)))
    if totals.terms:
        yield Statement(sql.terms, (name, _json(["stem", "documents"], list(totals.terms.items()))))
    entries = [
        (
            *(number, entry.change_id, entry.parent_id, entry.operation_id, entry.memory_id),
            *(entry.verb, entry.before, entry.after, entry.at),
        )
        for number, entry in enumerate(plan.journal, 1)
    ]
    yield Statement(sql.journal, (name, _json(["k", *_JOURNAL], entries), before))
    for digest, segments in request.vectors.items():
        for piece, vector in enumerate(segments):
            yield Statement(
                sql.vector,
                (name, digest, _number(piece), _vector(vector), *_space(request)),
                (0, 1, 0, 1, 0, 0, 0),
            )
    if request.vectors:
        texts = _text(byte_array(request.vectors))
        yield Statement(sql.attempts, (name, texts, *_space(request)))
        if scope.index_space is not None:
            copied = _copied(scope, scope.index_space)
            yield Statement(copied, (name, texts))
    steps = map(_number, (len(memories), totals.documents, totals.length, len(entries)))
    yield Statement(sql.counters, (name, before, *steps))


def _first(sql: _Texts, scope: Scope, plan: Plan, request: Request) -> Statement:
    """Make the statement that looks whether anything is known, and makes the operation's row."""
    operation, needs = plan.operation, request.needs
    values: list[Value] = [
        *map(_text, (operation.id, operation.verb, operation.actor, operation.session)),
        *map(_text, (operation.started_at.isoformat(), operation.undoes)),
        *map(_text, (array(record.id for record in plan.inserts), byte_array(needs.hashes))),
        _text(clock.now().isoformat()),
    ]
    if not request.vectors:
        return Statement(sql.operation, values)
    dimensions = {str(len(vector) // 4) for segments in request.vectors.values() for vector in segments}
    of_vectors = map(_text, (array(dimensions), byte_array(request.vectors)))
    indexed = None if scope.index_space is None else _number(scope.index_space)
    return Statement(sql.operation_with_vectors, [*values, *of_vectors, *_space(request), indexed])


def _space(request: Request) -> tuple[Value, Value, Value]:
    """Return what names the space of the vectors: nothing does for the current one."""
    space = request.space
    if space is None:
        return None, None, None
    return _number(space.id), space.fingerprint.encode(), _number(space.template_version)


# --- the statements --------------------------------------------------------------------------------------------


class _Texts(NamedTuple):
    """The statements about one agent; `$1` of each is the operation."""

    operation: bytes
    operation_with_vectors: bytes
    memory: bytes
    own: Mapping[MemoryType, bytes]
    tags: bytes
    terms: bytes
    journal: bytes
    vector: bytes
    attempts: bytes
    counters: bytes


@lru_cache(maxsize=64)
def _texts(agent: int) -> _Texts:
    begun = f"operation as o on o.agent = {agent} and o.id = $1::text"
    insert_operation = (
        "insert into operation (agent, seq, id, verb, actor, session, started_at, undoes)"
        f" select a.number, (select coalesce(max(seq), 0) + 1 from operation where agent = {agent}),"
        " $1::text, $2::text, $3::text, $4::text, $5::timestamptz, $6::text"
        f" from agent as a where a.number = {agent}"
        f" and not exists (select 1 from memory where agent = {agent} and id = any($7::text[]))"
        f" and not exists (select 1 from memory where agent = {agent} and status = 'active'"
        " and content_hash = any($8::bytea[]) and (expires_at is null or expires_at > $9::timestamptz))"
        f" and not exists (select 1 from setting where agent = {agent} and name = '{moved.SETTING}')"
    )
    place = "a.last_place + r.k"
    return _Texts(
        operation=insert_operation.encode(),
        operation_with_vectors=(
            f"{insert_operation} and exists (select 1 from embedding_space as s where {_is_space(agent, 12)}"
            " and s.dimension = all($10::int4[]) and not exists (select 1 from embedding as e"
            f" where e.agent = {agent} and e.space = s.id and e.text_hash = any($11::bytea[]))"
            " and case when $15::int4 is null then a.hnsw_space is null"
            f" else a.hnsw_space = $15::int4 and s.id = $15::int4 and a.hnsw_state <> '{State.COPYING}' end)"
        ).encode(),
        memory=_insert(agent, "memory", "place", place, _MEMORY),
        own={kind: _insert(agent, kind.value, "memory", place, columns) for kind, columns in _OWN.items()},
        tags=_insert(agent, "memory_tag", "memory", place, {"tag": "text"}),
        terms=(
            "insert into term (agent, stem, documents) select o.agent, r.stem, r.documents"
            " from json_to_recordset($2::json) as r (stem text, documents int8)"
            f" join {begun} on conflict (agent, stem) do update set documents = term.documents + excluded.documents"
        ).encode(),
        journal=_insert(agent, "journal", "hlc", "greatest(a.last_hlc, $3::int8) + r.k", _JOURNAL),
        vector=(
            "insert into embedding (agent, space, text_hash, piece, number, vector)"
            " select s.agent, s.id, $2::bytea, $3::int4, (select coalesce(max(e.number), 0) + 1 from embedding as e"
            f" where e.agent = {agent} and e.space = s.id), $4::vector from embedding_space as s join {begun}"
            f" where {_is_space(agent, 5)}"
        ).encode(),
        attempts=(
            f"delete from embedding_attempt where agent = {agent} and text_hash = any($2::bytea[])"
            f" and space = (select s.id from embedding_space as s join {begun} where {_is_space(agent, 3)})"
        ).encode(),
        counters=(
            "update agent set version = version + 1, last_place = last_place + $3::int8,"
            " documents = documents + $4::int8, words = words + $5::int8,"
            f" last_hlc = greatest(last_hlc, $2::int8) + $6::int8 where number = {agent}"
            f" and exists (select 1 from operation where agent = {agent} and id = $1::text)"
        ).encode(),
    )


def _insert(agent: int, table: str, numbered: str, number: str, columns: Mapping[str, str]) -> bytes:
    read = ", ".join(f"r.{name}{f'::{kind}' * (kind in _WRITTEN_OUT)}" for name, kind in columns.items())
    shape = ", ".join(f"{name} {'text' if kind in _WRITTEN_OUT else kind}" for name, kind in columns.items())
    return (
        f"insert into {table} (agent, {numbered}, {', '.join(columns)}) select a.number, {number}, {read}"
        f" from agent as a join operation as o on o.agent = {agent} and o.id = $1::text"
        f" cross join json_to_recordset($2::json) as r (k int8, {shape}) where a.number = {agent}"
    ).encode()


def _copied(scope: Scope, space_id: int) -> bytes:
    """Write the statement that copies the new vectors of some texts into the table of the HNSW index."""
    return (
        f"insert into {table_name(scope, space_id)} (number, vector) select e.number, e.vector"
        f" from embedding as e join operation as o on o.agent = {scope.number} and o.id = $1::text"
        f" where e.agent = {scope.number} and e.space = {space_id} and e.text_hash = any($2::bytea[])"
        " on conflict (number) do update set vector = excluded.vector"
    ).encode()


def _is_space(agent: int, first: int) -> str:
    """Write the condition that a row of `embedding_space as s` is what three values from `$first` on name."""
    named = f"s.id = ${first}::int4 and s.fingerprint = ${first + 1}::text and s.recipe = ${first + 2}::int4"
    return f"s.agent = {agent} and case when ${first}::int4 is null then s.current else {named} end"


# --- values ----------------------------------------------------------------------------------------------------


def _json(names: Sequence[str], values: Iterable[Sequence[Any]]) -> bytes:
    objects = [dict(zip(names, row, strict=True)) for row in values]
    return json.dumps(objects, ensure_ascii=False, default=_as_text).encode()


def _as_text(value: bytes | datetime) -> str:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value.isoformat()


def _text(value: str | None) -> Value:
    if value is not None and "\0" in value:
        raise DataError("a text holds a NUL")  # the client library would end it there
    return None if value is None else value.encode()


def _number(value: int) -> bytes:
    return str(value).encode()


def _vector(vector: bytes) -> bytes:
    """Return float32 as the server takes a vector in binary form."""
    count = len(vector) // 4
    return struct.pack(f">HH{count}f", count, 0, *struct.unpack(f"<{count}f", vector))
