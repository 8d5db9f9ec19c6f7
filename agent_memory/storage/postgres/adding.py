"""Storing a few new memories in one round trip: the server itself looks whether anything like them is known.

Others who write for the agent wait only while the server works, and not while an answer is on its way and a client
decides. One message holds all of these statements, one transaction:

1. The opening takes the agent's lock.
2. The check looks whether anything of the batch is known. If so, all behind it do nothing, and the memories are
   stored in more round trips (`writing`).
3. The operation, the memories, their words, the journal and the vectors are stored.
4. The agent's counters are counted on; the answer says whether anything was stored, and where a conversation ended.

What the client cannot know, such as the number of the agent's last memory, stays in the server (`add_statements`). So
the client plans with distances: the first memory is number 1. A message gets a position from the plan that no stored
one has, `first` + 0, `first` + 1 ...; the server stores the distance from `first` beyond the conversation's last one.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from psycopg import errors

from agent_memory import clock
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.storage import planning
from agent_memory.storage.changes import Add, Operation, Plan, Written
from agent_memory.storage.planning.facts import placed_anew
from agent_memory.storage.postgres import add_statements, rows
from agent_memory.storage.postgres.add_statements import OPERATION, Inserts
from agent_memory.storage.postgres.batch import Statement, array, byte_array, run
from agent_memory.storage.postgres.copying import MANY
from agent_memory.storage.postgres.deciding import Frame, Request, queue
from agent_memory.storage.postgres.hnsw import table_name
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import Totals, Words
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import embedded_text, embedding_hash

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_NOT_FINAL: Final = 2**52
"""Positions above this one are those that a plan gives to messages; the server stores others."""


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
    first = _NOT_FINAL + int.from_bytes(os.urandom(6), "little")
    state = planning.State(last_position=dict.fromkeys(request.needs.conversations, first))
    plan = planning.plan(operation, request.changes, state, scope.id, request.needs.digests)
    texts = {embedding_hash(embedded_text(record)) for record in plan.inserts}
    if plan.replaces or plan.removes or plan.keep_one_version or not texts >= request.vectors.keys():
        return None
    statements = [opening(scope, frame), *_statements(scope, plan, request, first)]
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
    return _with_positions(plan.written, lambda _, planned: last + planned - first)


async def placed(connection: Connection, scope: Scope, written: Sequence[Written]) -> list[Written]:
    """Read the positions that messages were stored with, where the answer that told them was lost."""
    ids = [item.id for item in written if _planned_position(item.record)]
    query = (
        f"select m.id, c.position from memory as m join conversation as c on c.agent = {scope.number}"
        f" and c.memory = m.place where m.agent = {scope.number} and m.id = any(%s)"
    )
    positions = dict(await fetch(connection, query, [ids])) if ids else {}
    return _with_positions(written, lambda memory_id, _: positions.get(memory_id))


def _with_positions(written: Sequence[Written], final: Callable[[str, int], int | None]) -> list[Written]:
    """Return what was written, each message with the position that `final` makes of its id and the planned one."""
    result = []
    for item in written:
        record, planned = item.record, _planned_position(item.record)
        if isinstance(record, ConversationRecord) and planned:
            item = replace(item, record=replace(record, position=final(item.id, planned)))
        result.append(item)
    return result


def _planned_position(record: MemoryRecord) -> int:
    """Return the position that the plan gave to a message, 0 for any other memory."""
    position = record.position if isinstance(record, ConversationRecord) else None
    return position if position is not None and position > _NOT_FINAL else 0


# --- the statements of one message -----------------------------------------------------------------------------


def _statements(scope: Scope, plan: Plan, request: Request, first: int) -> Iterator[Statement]:
    """Make all statements behind the opening.

    Args:
        scope: the agent.
        plan: what is stored.
        request: what was asked for.
        first: the position that the plan counts messages from.

    Yields:
        The statements, in the order in which they are sent.
    """
    inserts, totals = add_statements.inserts(scope.number), Totals()
    yield _check(scope, plan, request)
    yield inserts.operation.statement({name: getattr(plan.operation, name) for name in OPERATION})
    for number, record in enumerate(plan.inserts, 1):
        words = request.words_of(record)
        totals.add(words)
        yield from _memory(scope, number, record, words, first)
    if totals.terms:
        counts = array(map(str, totals.terms.values()))
        yield inserts.terms.statement({"stems": array(totals.terms), "documents": counts})
    yield from _journal(inserts, plan, first)
    yield from _vectors(inserts, scope, request)
    yield inserts.counters.statement(
        {
            "memories": len(plan.inserts),
            "documents": totals.documents,
            "words": totals.length,
            "changes": len(plan.journal),
        }
    )


def opening(scope: Scope, frame: Frame) -> Statement:
    """Make the statement that sets what the others need, and then waits for the lock."""
    # Plans for any value, where they are kept: making one for these values takes longer than carrying it out.
    settings = frame.settings or "select set_config('plan_cache_mode', 'force_generic_plan', true)"
    return Statement(f"{settings}, {queue(scope).removeprefix('select ')}".encode())


def _check(scope: Scope, plan: Plan, request: Request) -> Statement:
    """Make the statement that looks whether anything is known, and keeps the counters if not."""
    conversation = next(iter(request.needs.conversations), None)
    values: dict[str, Any] = {
        "hlc": plan.journal[0].hlc - 1,
        "ids": array(record.id for record in plan.inserts),
        "content_hashes": byte_array(request.needs.hashes),
        "now": clock.now(),
        "conversation": conversation,
    }
    if request.vectors:
        space = request.space
        values |= {
            "dimensions": array(
                {str(len(vector) // 4) for segments in request.vectors.values() for vector in segments}
            ),
            "text_hashes": byte_array(request.vectors),
            "space": None if space is None else space.id,
            "fingerprint": None if space is None else space.fingerprint,
            "template_version": None if space is None else space.template_version,
            "index_space": scope.index_space,
        }
    messages = conversation is not None
    check = add_statements.check(scope.number, vectors=bool(request.vectors), messages=messages)
    return check.statement(values)


def _memory(scope: Scope, number: int, record: MemoryRecord, words: Words, first: int) -> Iterator[Statement]:
    """Make the statements for the rows of one memory, whose distance from the last memory is `number`."""
    inserts = add_statements.inserts(scope.number)
    row = rows.memory_row(scope.number, number, record, words)
    yield inserts.memory.statement(dict(zip(rows.MEMORY, row, strict=True)))
    columns = rows.OWN[record.memory_type]
    own = dict(zip(columns, rows.own_row(scope.number, number, record), strict=True))
    if planned := _planned_position(record):
        yield inserts.message.statement({**own, "position": planned - first})
    else:
        yield inserts.own[record.memory_type].statement(own)
    if record.tags:
        yield inserts.tags.statement({"memory": number, "tags": array(record.tags)})


def _journal(inserts: Inserts, plan: Plan, first: int) -> Iterator[Statement]:
    """Make the statements for the journal; the server writes a message's position into the text of its version."""
    planned_positions = {record.id: _planned_position(record) for record in plan.inserts}
    for number, entry in enumerate(plan.journal, 1):
        row: dict[str, Any] = {
            "hlc": number,
            "change_id": entry.change_id,
            "parent_id": entry.parent_id,
            "operation": entry.operation_id,
            "memory_id": entry.memory_id,
            "verb": str(entry.verb),
            "before": entry.before,
            "after": entry.after,
            "at": entry.at,
        }
        if planned := planned_positions[entry.memory_id]:
            begin, end = str(entry.after).split(f'"position":{planned}')
            row |= {"after_begin": begin, "position": planned - first, "after_end": end}
            yield inserts.journal_of_message.statement(row)
        else:
            yield inserts.journal.statement(row)


def _vectors(inserts: Inserts, scope: Scope, request: Request) -> Iterator[Statement]:
    """Make the statements for the vectors, which go into the table of the HNSW index too where there is one."""
    number = 0
    for digest, segments in request.vectors.items():
        for piece, vector in enumerate(segments):
            number += 1
            row = {"number": number, "text_hash": digest, "piece": piece, "vector": _sent_form(vector)}
            yield inserts.vector.statement(row)
            if scope.index_space is not None:
                indexed = add_statements.indexed_vector(table_name(scope, scope.index_space))
                yield indexed.statement(row)


def _sent_form(vector: Vector) -> bytes:
    """Return a vector as the server takes it in binary form: how many numbers, then each in big endian."""
    count = len(vector) // 4
    return struct.pack(f">HH{count}f", count, 0, *struct.unpack(f"<{count}f", vector))
