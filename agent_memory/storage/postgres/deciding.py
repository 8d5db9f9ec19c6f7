"""What decides the outcome of a write, read in one round trip: the agent's lock is taken, and then looked around."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from anyio import CancelScope

from agent_memory import clock
from agent_memory.records import MemoryRecord, MemoryType
from agent_memory.storage import moved, planning
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.changes import Add, Change, Operation
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import hnsw, vectors
from agent_memory.storage.postgres.failures import AgentGoneError
from agent_memory.storage.postgres.hnsw import NO_INDEX, Hnsw
from agent_memory.storage.postgres.reading import Scope, fetch, fetch_all, records
from agent_memory.storage.postgres.rows import Words, words_of
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import ContentHash, TextHash, indexed_text

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_QUEUES: Final = 0x61676D71
"""Of advisory locks, the kind that writers of one agent wait for: any number that nobody else takes."""
Rows = Sequence[Sequence[Any]]


class Agent(NamedTuple):
    """The agent's row, locked: whoever holds it is the only one who writes."""

    last_sequence: int
    last_hlc: int
    hnsw: Hnsw = NO_INDEX
    """Its table with an HNSW index, which writers keep up."""


class Frame(NamedTuple):
    """The statements that begin and end the transaction of a write."""

    begin: str = ""
    end: str = ""
    settings: str = ""
    """The statement that sets what a transaction needs where the session has not, begun without `begin`."""


WITHIN: Final = Frame()
"""Of a write that is part of a greater transaction."""


class Request(NamedTuple):
    """What is to be written."""

    needs: planning.Needs
    changes: Sequence[Change]
    vectors: Mapping[TextHash, Sequence[Vector]]
    space: EmbeddingSpace | None
    """Of the vectors; None is the current one."""
    words: Mapping[str, Words]
    """What the full-text index keeps of a text: worked out before others have to wait for this write."""

    def words_of(self, record: MemoryRecord) -> Words:
        """Return what the full-text index keeps of a memory."""
        return self.words.get(indexed_text(record)) or words_of(record)

    @classmethod
    def of(
        cls,
        changes: Sequence[Change],
        vectors: Mapping[TextHash, Sequence[Vector]] | None = None,
        space: EmbeddingSpace | None = None,
    ) -> Request:
        """Make the request for some changes."""
        added = [change.record for change in changes if isinstance(change, Add)]
        words = {indexed_text(record): words_of(record) for record in added}
        return cls(planning.needs(changes), changes, vectors or {}, space, words)


@dataclass(slots=True)
class Facts:
    """What the database holds that a write depends on."""

    agent: Agent
    state: planning.State
    done: bool = False
    """Whether the operation was committed already."""
    concerned: set[str] = field(default_factory=set)
    """Ids of memories that say the same as those to add."""
    taken: set[str] = field(default_factory=set)
    """Of the ids of memories to add, those that there are."""
    space: EmbeddingSpace | None = None
    """Of the vectors, as the database has it; None where no vectors are to be stored."""
    embedded: Collection[TextHash] = ()
    """Of the texts that have vectors now, those that had some before."""
    last_vector: int = 0
    """The number of the last vector in the space."""


def queue(scope: Scope) -> str:
    """Write the statement that waits until nobody else writes for this agent.

    The agent's row alone would be lock enough. But of many who wait for a row, each follows every version that
    another one makes of it, and is woken for each. Those who wait for the lock before it are let in one by one.

    Returns:
        The statement.
    """
    return f"select pg_advisory_xact_lock({_QUEUES}, {scope.number % 2**31})"


def _count_on(scope: Scope) -> Sql:
    """Write the statement that takes the row of the agent, whose lock this is to earlier versions too."""
    count = f"update agent set version = version + 1 where number = {scope.number}"
    return f"{count} returning last_place, last_hlc, {hnsw.columns(scope)}", []


def _agent_of(rows: Rows) -> Agent:
    if not rows:
        raise AgentGoneError
    last_sequence, last_hlc, *index = rows[0]
    return Agent(last_sequence, last_hlc, Hnsw(*index))


async def lock(connection: Connection, scope: Scope) -> Agent:
    """Wait until nobody else writes for this agent, and return the agent's counters."""
    await connection.execute(queue(scope), prepare=False)
    return _agent_of(await fetch(connection, *_count_on(scope)))


async def lock_unless_moved(connection: Connection, scope: Scope) -> Agent:
    """Do the same for a write that is refused once the agent was moved to another store."""
    await connection.execute(queue(scope), prepare=False)
    with CancelScope(shield=True):
        counted, mark = await fetch_all(connection, [_count_on(scope), _mark(scope)])
    if mark:
        moved.check(mark[0][0])
    return _agent_of(counted)


def _mark(scope: Scope) -> Sql:
    """Write the query for the mark of an agent that was moved. It has to be read behind the lock."""
    return f"select value from setting where agent = {scope.number} and name = '{moved.SETTING}'", []


async def read_facts(
    connection: Connection, opening: str, scope: Scope, operation: Operation, request: Request
) -> Facts:
    """Begin a transaction, take the agent's lock and read what decides the outcome.

    Args:
        connection: a connection.
        opening: the statements that begin a transaction; empty inside one.
        scope: the agent.
        operation: what is done.
        request: what is to be written.

    Returns:
        The facts.

    Raises:
        ValidationError: the space of the vectors is not known, or there is none.
        StoreReadOnlyError: the agent was moved to another store.
    """
    done = f"select 'done' from operation where agent = {scope.number} and id = %s"
    mark, _ = _mark(scope)

    def note_done(facts: Facts, rows: Rows) -> None:
        facts.done = ("done",) in rows
        for (text,) in rows:
            if text != "done" and not facts.done:
                moved.check(text, operation.verb)

    parts = [
        ((f"{done} union all {mark}", [operation.id]), note_done),
        *_of_memories(scope, request),
        *_of_vectors(scope, request),
    ]
    # Waiting may be cancelled, so it is no part of the pipeline: that has to be read to its end.
    await connection.execute("; ".join(filter(None, [opening, queue(scope)])), prepare=False)
    with CancelScope(shield=True):
        first, *answers = await fetch_all(connection, [_count_on(scope), *(query for query, _ in parts)])
    agent = _agent_of(first)
    scope.index_space = None if agent.hnsw.state == hnsw.State.COPYING else agent.hnsw.space
    facts = Facts(agent, planning.State(last_hlc=agent.last_hlc))
    for (_, note), rows in zip(parts, answers, strict=True):
        note(facts, rows)
    wanted = {*request.needs.ids, *facts.concerned, *facts.state.by_key.values()}
    if wanted:
        condition = f"m.agent = {scope.number} and m.id = any(%s)"
        stored = await records(connection, scope, condition, [list(wanted)])
        facts.state.records = {record.id: record for record in stored}
        planning.leave_out(facts.state, scope.damaged)
    return facts


Part = tuple[Sql, Callable[[Facts, Rows], None]]
"""A query, and what notes its answer among the facts."""


def _of_memories(scope: Scope, request: Request) -> list[Part]:
    needs, active = request.needs, f"agent = {scope.number} and status = 'active'"
    parts: list[Part] = []
    if needs.hashes:
        query = (
            f"select content_hash, id from memory where {active} and content_hash = any(%s)"
            " and (expires_at is null or expires_at > %s) order by place"
        )
        parts.append(((query, [list(needs.hashes), clock.now()]), _note_hashes))
    if needs.keys:
        query = f"select type, key, id from memory where {active} and key = any(%s)"
        keys = needs.keys

        def note_keys(facts: Facts, rows: Rows) -> None:
            named = {(MemoryType(name), key): memory_id for name, key, memory_id in rows}
            facts.state.by_key = {key: memory_id for key, memory_id in named.items() if key in keys}

        parts.append(((query, [[key for _, key in keys]]), note_keys))
    if needs.conversations:
        query = (
            f"select conversation_id, max(position) from conversation where agent = {scope.number}"
            " and conversation_id = any(%s) and position is not null group by 1"
        )
        parts.append(((query, [list(needs.conversations)]), _note_positions))
    ids = [change.record.id for change in request.changes if isinstance(change, Add)]
    if ids:
        query = f"select id from memory where agent = {scope.number} and id = any(%s)"
        parts.append(((query, [ids]), _note_taken))
    return parts


def _note_hashes(facts: Facts, rows: Rows) -> None:
    for digest, memory_id in rows:
        facts.state.by_hash.setdefault(ContentHash(bytes(digest)), memory_id)
        facts.concerned.add(memory_id)


def _note_positions(facts: Facts, rows: Rows) -> None:
    facts.state.last_position = {row[0]: row[1] for row in rows}


def _note_taken(facts: Facts, rows: Rows) -> None:
    facts.taken = {row[0] for row in rows}


def _of_vectors(scope: Scope, request: Request) -> list[Part]:
    if not request.vectors:
        return []

    def note_space(facts: Facts, rows: Rows) -> None:
        facts.space = vectors.known_of(vectors.spaces_of(rows), request.space)

    space_id = f"(select id from embedding_space where agent = {scope.number} and current)"
    if request.space is not None:
        space_id = str(request.space.id)
    return [
        (vectors.spaces_query(scope), note_space),
        (vectors.embedded_query(scope, space_id, list(request.vectors)), _note_embedded),
        (vectors.last_query(scope, space_id), _note_last),
    ]


def _note_embedded(facts: Facts, rows: Rows) -> None:
    facts.embedded = {TextHash(bytes(row[0])) for row in rows}


def _note_last(facts: Facts, rows: Rows) -> None:
    facts.last_vector = int(rows[0][0])
