"""Writing a plan: rows, words, vectors and journal in one transaction, under the agent's own lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from anyio import CancelScope

from agent_memory.errors import ConflictError
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage import planning
from agent_memory.storage.changes import Operation, Plan, Written
from agent_memory.storage.postgres import adding, attempts, hnsw, rows, vectors
from agent_memory.storage.postgres.copying import MANY, insert
from agent_memory.storage.postgres.deciding import (
    WITHIN,
    Agent,
    Facts,
    Frame,
    Request,
    read_facts,
)
from agent_memory.storage.postgres.hnsw import Hnsw
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import Totals, Words, words_of
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash


async def commit(
    connection: Connection,
    scope: Scope,
    operation: Operation,
    request: Request,
    frame: Frame = WITHIN,
    written: list[Written] | None = None,
) -> list[Written]:
    """Decide what the changes mean and write it.

    A few new memories take one round trip: see `adding`. For anything else others who write for this agent wait from
    the first round trip to the last, of which there are at least three.

    Args:
        connection: a connection; outside any transaction, if the frame begins one.
        scope: the agent.
        operation: what is done.
        request: what it changes.
        frame: the statements that begin and end the transaction.
        written: gets what this returns before anything is sent that may commit it. What is in it is the result of an
            earlier attempt at the same operation, of which nobody knows whether it was committed.

    Returns:
        For each change, what became of it.
    """
    if frame.end and written is not None and not written and adding.can_be_tried(connection, request):
        added = await adding.add(connection, scope, operation, request, frame, written)
        if added is not None:
            return added
    known = await read_facts(connection, frame.begin, scope, operation, request)
    if written and known.done:
        stored = await adding.placed(connection, scope, written)
        await connection.execute("rollback", prepare=False)
        return stored
    plan = planning.plan(operation, request.changes, known.state, scope.id, request.needs.digests)
    _check_free(plan, known.taken)
    if written is not None:
        written[:] = plan.written
    adds_few = len(plan.inserts) < MANY and len(request.vectors) < MANY and not _looks_again(plan)
    with CancelScope(shield=adds_few):
        async with connection.pipeline() if adds_few else nullcontext():
            await _carry_out(connection, scope, plan, known, request)
            if frame.end:
                await connection.execute(frame.end, prepare=False)
    return list(plan.written)


async def _carry_out(
    connection: Connection,
    scope: Scope,
    plan: Plan,
    known: Facts,
    request: Request,
) -> None:
    new_vectors = request.vectors
    if known.space is not None:
        await vectors.insert_new(
            connection,
            scope,
            known.space,
            new_vectors,
            known.embedded,
            known.last_vector,
            known.agent.hnsw,
        )
    if not plan.empty:
        await _apply(connection, scope, plan, known.agent, request)
        if plan.removes or plan.replaces:
            await attempts.forget_unused(connection, scope)
        await _forget(connection, scope, plan, known.agent.hnsw)
    # A known memory may say the same in other words.
    added = {embedding_hash(embedded_text(record)) for record in plan.inserts} if new_vectors else set()
    unsure = dict.fromkeys(new_vectors.keys() - added)
    gone = unsure.keys() - (await vectors.wanted(connection, scope, unsure)).keys() if unsure else ()
    if gone:
        await _forget_vectors(connection, scope, gone, known.agent.hnsw)


def _looks_again(plan: Plan) -> bool:
    """Return whether carrying out a plan takes queries between its statements."""
    return bool(plan.removes or plan.replaces or plan.keep_one_version or plan.erase_history)


def _check_free(plan: Plan, taken: Collection[str]) -> None:
    removed = {record.id for record in plan.removes}
    for record in plan.inserts:
        if record.id in taken and record.id not in removed:
            raise ConflictError(record.id)


# --- what is written -------------------------------------------------------------------------------------------


async def _apply(connection: Connection, scope: Scope, plan: Plan, agent: Agent, request: Request) -> None:
    words = Totals()
    await _remove(connection, scope, plan.removes, words)
    await _replace(connection, scope, plan.replaces, words)
    await _insert(connection, scope, plan, agent.last_sequence, words, request)
    await _count_terms(connection, scope, words.terms)
    last = plan.journal[-1].hlc if plan.journal else agent.last_hlc
    await connection.execute(
        "update agent set last_place = last_place + %s, last_hlc = %s, documents = documents + %s, words = words + %s"
        f" where number = {scope.number}",
        (len(plan.inserts), last, words.documents, words.length),
    )
    await _log(connection, scope, plan)


async def _insert(
    connection: Connection, scope: Scope, plan: Plan, last_sequence: int, totals: Totals, request: Request
) -> None:
    if not plan.inserts:
        return
    agent = scope.number
    memories: list[Any] = []
    own: dict[MemoryType, list[Any]] = {}
    tags: list[Any] = []
    usage: list[Any] = []
    for sequence, record in enumerate(plan.inserts, last_sequence + 1):
        words = request.words_of(record)
        totals.add(words)
        memories.append(rows.memory_row(agent, sequence, record, words))
        own.setdefault(record.memory_type, []).append(rows.own_row(agent, sequence, record))
        tags += [(agent, sequence, tag) for tag in record.tags]
        if record.id in plan.usage:
            usage.append((agent, sequence, *plan.usage[record.id]))
    await insert(connection, "memory", rows.MEMORY, memories)
    for kind, values in own.items():
        await insert(connection, kind.value, rows.OWN[kind], values)
    await insert(connection, "memory_tag", {"agent": "int8", "memory": "int8", "tag": "text"}, tags)
    await insert(
        connection,
        "usage",
        {"agent": "int8", "memory": "int8", "accessed_at": "timestamptz", "access_count": "int8"},
        usage,
    )


async def _replace(
    connection: Connection,
    scope: Scope,
    replaces: Sequence[tuple[MemoryRecord, MemoryRecord]],
    totals: Totals,
) -> None:
    if not replaces:
        return
    agent = scope.number
    sequences = await _places(connection, scope, [after.id for _, after in replaces])
    indexed = await _indexed(connection, scope, list(sequences.values()))
    # A key may pass from one memory to another within one operation: it is given up first.
    freed = [
        sequences[after.id]
        for before, after in replaces
        if before.key is not None and (before.key != after.key or after.status is not Status.ACTIVE)
    ]
    if freed:
        await connection.execute(
            f"update memory set key = null where agent = {agent} and place = any(%s)", (freed,)
        )
    assigned = ", ".join(f"{name} = %s::{kind}" for name, kind in list(rows.MEMORY.items())[2:])
    async with connection.cursor() as cursor:
        values = []
        for _, after in replaces:
            words = words_of(after)
            totals.remove(indexed[sequences[after.id]])
            totals.add(words)
            row = rows.memory_row(agent, sequences[after.id], after, words)
            values.append((*row[2:], sequences[after.id]))
        await cursor.executemany(f"update memory set {assigned} where agent = {agent} and place = %s", values)
    await _replace_beside(connection, scope, replaces, sequences)


async def _replace_beside(
    connection: Connection,
    scope: Scope,
    replaces: Sequence[tuple[MemoryRecord, MemoryRecord]],
    sequences: Mapping[str, int],
) -> None:
    agent = scope.number
    own: dict[MemoryType, list[Any]] = {}
    stale: dict[MemoryType, list[int]] = {}
    tags: list[Any] = []
    tagged: list[int] = []
    for before, after in replaces:
        sequence = sequences[after.id]
        row = rows.own_row(agent, sequence, after)
        if before.memory_type is not after.memory_type or rows.own_row(agent, sequence, before) != row:
            stale.setdefault(before.memory_type, []).append(sequence)
            own.setdefault(after.memory_type, []).append(row)
        if before.tags != after.tags:
            tagged.append(sequence)
            tags += [(agent, sequence, tag) for tag in after.tags]
    for kind, gone in stale.items():
        await connection.execute(f"delete from {kind} where agent = {agent} and memory = any(%s)", (gone,))
    for kind, values in own.items():
        await insert(connection, kind.value, rows.OWN[kind], values)
    if tagged:
        await connection.execute(
            f"delete from memory_tag where agent = {agent} and memory = any(%s)", (tagged,)
        )
        await insert(connection, "memory_tag", {"agent": "int8", "memory": "int8", "tag": "text"}, tags)


async def _remove(
    connection: Connection, scope: Scope, removes: Sequence[MemoryRecord], totals: Totals
) -> None:
    if not removes:
        return
    sequences = await _places(connection, scope, [record.id for record in removes])
    for words in (await _indexed(connection, scope, list(sequences.values()))).values():
        totals.remove(words)
    await connection.execute(
        f"delete from memory where agent = {scope.number} and id = any(%s)",
        ([record.id for record in removes],),
    )


async def _places(connection: Connection, scope: Scope, ids: Sequence[str]) -> dict[str, int]:
    query = f"select id, place from memory where agent = {scope.number} and id = any(%s)"
    return dict(await fetch(connection, query, [list(ids)]))


async def _indexed(connection: Connection, scope: Scope, sequences: Sequence[int]) -> dict[int, Words]:
    """Return the words that memories are indexed by: an older analyser may have found others than the present one."""
    columns = "place, tsvector_to_array(lexemes), length"
    query = f"select {columns} from memory where agent = {scope.number} and place = any(%s)"
    fetched = await fetch(connection, query, [list(sequences)])
    return {sequence: rows.indexed_words(lexemes, length) for sequence, lexemes, length in fetched}


async def index_anew(connection: Connection, scope: Scope, records: Mapping[int, MemoryRecord]) -> None:
    """Index the words of memories, given by place, anew. Call it while holding the agent's lock."""
    totals = Totals()
    for words in (await _indexed(connection, scope, list(records))).values():
        totals.remove(words)
    values = []
    for sequence, record in records.items():
        words = words_of(record)
        totals.add(words)
        values.append((words.length, rows.tsvector(scope.number, words.stems), sequence))
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "update memory set length = %s, lexemes = %s::tsvector"
            f" where agent = {scope.number} and place = %s",
            values,
        )
    await _count_terms(connection, scope, totals.terms)
    await connection.execute(
        f"update agent set documents = documents + %s, words = words + %s where number = {scope.number}",
        (totals.documents, totals.length),
    )


async def _count_terms(connection: Connection, scope: Scope, terms: Counter[str]) -> None:
    """Keep count of how many memories hold each stem."""
    changed = {item: count for item, count in terms.items() if count}
    if not changed:
        return
    await connection.execute(
        "insert into term (agent, stem, documents)"
        f" select {scope.number}, stem, documents from unnest(%s::text[], %s::bigint[]) as new (stem, documents)"
        " on conflict (agent, stem) do update set documents = term.documents + excluded.documents",
        (list(changed), list(changed.values())),
    )
    if any(count < 0 for count in changed.values()):
        gone = [item for item, count in changed.items() if count < 0]
        await connection.execute(
            f"delete from term where agent = {scope.number} and documents <= 0 and stem = any(%s)", (gone,)
        )


# --- the journal -----------------------------------------------------------------------------------------------


async def _log(connection: Connection, scope: Scope, plan: Plan) -> None:
    operation = plan.operation
    await connection.execute(
        "insert into operation (agent, seq, id, verb, actor, session, started_at, undoes)"
        f" select {scope.number}, 1 + coalesce((select seq from operation where agent = {scope.number}"
        " order by seq desc limit 1), 0), %s, %s, %s, %s, %s, %s",
        (
            operation.id,
            operation.verb,
            operation.actor,
            operation.session,
            operation.started_at,
            operation.undoes,
        ),
    )
    entries = [
        (
            *(scope.number, entry.hlc, entry.change_id, entry.parent_id, entry.operation_id, entry.memory_id),
            *(entry.verb, entry.before, entry.after, entry.at),
        )
        for entry in plan.journal
    ]
    await insert(connection, "journal", rows.JOURNAL, entries)


async def _forget(connection: Connection, scope: Scope, plan: Plan, index: Hnsw) -> None:
    """Take out of the journal what has to be forgotten, and the vectors that nobody has any more."""
    hashes: set[TextHash] = set()
    agent = scope.number
    if plan.keep_one_version:
        kept = list(plan.keep_one_version)
        newest = (
            f"select max(hlc) from journal where agent = {agent} and memory_id = any(%s) group by memory_id"
        )
        older = f"agent = {agent} and memory_id = any(%s) and hlc not in ({newest})"
        hashes |= await _hashes(connection, older, [kept, kept])
        await connection.execute(f"delete from journal where {older}", (kept, kept))
        hashes -= await _hashes(connection, f"agent = {agent} and memory_id = any(%s)", [kept])
    if plan.erase_history:
        erased = f"agent = {agent} and memory_id = any(%s)"
        hashes |= await _hashes(connection, erased, [list(plan.erase_history)])
        await connection.execute(
            f"update journal set before = null, after = null where {erased}", (list(plan.erase_history),)
        )
        # The name of a session may be part of what is erased: it goes from operations of which no text is left.
        await connection.execute(
            f"update operation set session = null where agent = {agent} and session is not null"
            f" and id in (select operation from journal where {erased}) and not exists (select 1 from journal"
            f" as other where other.agent = {agent} and other.operation = operation.id"
            " and (other.before is not null or other.after is not null))",
            (list(plan.erase_history),),
        )
    if hashes:
        await _forget_vectors(connection, scope, hashes, index)


async def _forget_vectors(
    connection: Connection, scope: Scope, hashes: Collection[TextHash], index: Hnsw
) -> None:
    """Delete the vectors of those of the texts that no memory has."""
    agent = scope.number
    deleted = await fetch(
        connection,
        f"delete from embedding where agent = {agent} and text_hash = any(%s) and not exists"
        f" (select 1 from memory as m where m.agent = {agent} and m.embedded_hash = embedding.text_hash)"
        " returning space, number",
        [list(hashes)],
    )
    await hnsw.forget(connection, scope, index, deleted)


async def _hashes(connection: Connection, condition: str, values: Sequence[Any]) -> set[TextHash]:
    """Return the hashes of the texts embedded for the versions in journal entries."""
    from agent_memory.storage.postgres.history import version_of

    fetched = await fetch(connection, f"select before, after from journal where {condition}", values)
    texts = [text for row in fetched for text in row if text is not None]
    return {embedding_hash(embedded_text(version_of(text))) for text in texts}
