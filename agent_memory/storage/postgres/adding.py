"""Storing a few new memories in one round trip: the server itself looks whether anything like them is known.

Others who write for the agent wait only while the server works, and not while an answer is on its way and a client
decides. One message holds two statements, one transaction:

1. The opening takes the agent's lock.
2. A function in the database (`add_function`) looks whether anything of the batch is known. If so, it does nothing,
   and the memories are stored in more round trips (`writing`). If not, it stores the operation, the memories, their
   words, the journal and the vectors, and tells where a conversation ended.

What the client cannot know, such as the number of the agent's last memory, stays in the server. So the client plans
with distances: the first memory is number 1. A message gets a position from the plan that no stored one has, `first`
+ 0, `first` + 1 ...; the server stores the distance from `first` beyond the conversation's last one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from psycopg import errors

from agent_memory import clock
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.storage import planning
from agent_memory.storage.changes import Add, Operation, Plan, Written
from agent_memory.storage.planning.facts import placed_anew
from agent_memory.storage.postgres import add_function, rows
from agent_memory.storage.postgres.add_function import OPERATION, as_json
from agent_memory.storage.postgres.batch import Statement, array, byte_array, run, vector_array
from agent_memory.storage.postgres.copying import MANY
from agent_memory.storage.postgres.deciding import Frame, Request, queue
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import Totals
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import embedded_text, embedding_hash

_NOT_FINAL: Final = 2**52
"""Positions above this one are those that a plan gives to messages; the server stores others."""


def can_be_tried(connection: Connection, request: Request) -> bool:
    """Return whether a request adds a few memories, of which it matters whether they are known, and nothing else.

    Messages of one conversation may be among them, each of which gets the next position.
    """
    return (
        connection.adds_by_function
        and connection.info.encoding == "utf-8"
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
    call = _call(connection, scope, plan, request, first)
    written[:] = plan.written
    try:
        (last_position,) = await run(connection, [opening(scope, frame), call])
    except (errors.UniqueViolation, errors.UndefinedTable, errors.UndefinedFunction):
        # The same operation, of an earlier attempt whose answer was lost; or the index was just dropped; or a newer
        # version of the program made the function anew.
        return None
    if last_position is None:
        written.clear()
        return None
    last = int(last_position)
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


# --- the two statements ----------------------------------------------------------------------------------------


def opening(scope: Scope, frame: Frame) -> Statement:
    """Make the statement that sets what the others need, and then waits for the lock."""
    # Plans for any value, where they are kept: making one for these values takes longer than carrying it out.
    settings = frame.settings or "select set_config('plan_cache_mode', 'force_generic_plan', true)"
    return Statement(f"{settings}, {queue(scope).removeprefix('select ')}".encode())


def _call(connection: Connection, scope: Scope, plan: Plan, request: Request, first: int) -> Statement:
    """Make the call of the function.

    Args:
        connection: the connection, which knows the number of the type `vector`.
        scope: the agent.
        plan: what is stored.
        request: what was asked for.
        first: the position that the plan counts messages from.

    Returns:
        The statement.
    """
    totals = Totals()
    memories, own_fields, tags = list[Any](), dict[str, list[Any]](), list[Any]()
    for number, record in enumerate(plan.inserts, 1):
        words = request.words_of(record)
        totals.add(words)
        memories.append(
            dict(zip(rows.MEMORY, rows.memory_row(scope.number, number, record, words), strict=True))
        )
        own = dict(zip(rows.OWN[record.memory_type], rows.own_row(scope.number, number, record), strict=True))
        if planned := _planned_position(record):
            own |= {"position": None, "distance": planned - first}
        own_fields.setdefault(record.memory_type.value, []).append(own)
        tags += [{"memory": number, "tag": tag} for tag in record.tags]
    conversation = next(iter(request.needs.conversations), None)
    values: dict[str, Any] = {
        "agent_number": scope.number,
        "new_operation": as_json({name: getattr(plan.operation, name) for name in OPERATION}),
        "memories": as_json(memories),
        "own_fields": as_json(own_fields),
        "tags": as_json(tags),
        "changes": as_json(list(_changes(plan, first))),
        "ids": array(record.id for record in plan.inserts),
        "content_hashes": byte_array(request.needs.hashes),
        "moment": clock.now(),
        "latest_hlc": plan.journal[0].hlc - 1,
        "in_conversation": conversation,
        "stems": array(totals.terms),
        "stem_documents": array(map(str, totals.terms.values())),
        "word_count": totals.length,
        "index_space": scope.index_space,
        **_vectors(connection, request),
    }
    return add_function.call(values)


def _changes(plan: Plan, first: int) -> Iterator[dict[str, Any]]:
    """Make the rows of the journal; the server writes a message's position into the text of its version."""
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
            "at": entry.at,
        }
        if planned := planned_positions[entry.memory_id]:
            begin, end = str(entry.after).split(f'"position":{planned}')
            yield row | {"begin": begin, "distance": planned - first, "end": end}
        else:
            yield row | {"after": entry.after}


def _vectors(connection: Connection, request: Request) -> dict[str, Any]:
    """Make the values about vectors, which go into the table of the HNSW index too where there is one."""
    if not request.vectors:
        return {}
    space = request.space
    texts, pieces, vectors = list[bytes](), list[str](), list[bytes]()
    for text_hash, segments in request.vectors.items():
        texts += [text_hash] * len(segments)
        pieces += map(str, range(len(segments)))
        vectors += segments
    return {
        "vectors": vector_array(connection, vectors),
        "vector_texts": byte_array(texts),
        "vector_pieces": array(pieces),
        "dimensions": array({str(len(vector) // 4) for vector in vectors}),
        "of_space": None if space is None else space.id,
        "of_fingerprint": None if space is None else space.fingerprint,
        "of_recipe": None if space is None else space.template_version,
    }
