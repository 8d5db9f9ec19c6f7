"""The store in this process's memory: dictionaries, and the contract in its plainest form.

Nothing outlives the store object. Every coroutine runs without waiting for anything, so that tasks cannot get
between its steps. What other backends push down into a query language is done here by `Where.matches`, word by
word and vector by vector: in doubt, this is what the contract means.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from agent_memory import clock, paths
from agent_memory.errors import ConflictError
from agent_memory.records import MemoryRecord, OperationRecord, Status, Version, copied
from agent_memory.storage import listing, moved, planning
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import (
    Capabilities,
    Durability,
    EmbeddingSpace,
    FullStore,
    Group,
    GroupBy,
    Order,
    StoreDescription,
    paged,
    unique,
)
from agent_memory.storage.changes import Change, Operation, Plan, Written
from agent_memory.storage.in_memory.journal import Journal
from agent_memory.storage.in_memory.rows import Indexes, Row, row_of
from agent_memory.storage.in_memory.vectors import VectorShelf
from agent_memory.storage.in_memory.words import WordIndex, stems_of
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash

if TYPE_CHECKING:
    from agent_memory.storage.retrieval import VectorCandidates, VectorRequest
    from agent_memory.vectors import Vector


class InMemoryStore(FullStore):
    """Keeps one agent's memories in this object; they are gone once it is closed."""

    name: ClassVar[str] = "memory"
    capabilities: ClassVar[Capabilities] = Capabilities(
        full_text=True,
        vectors=True,
        transactions=True,
        journal=True,
        usage=True,
        filters=True,
        ordering=True,
        counts=True,
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        if agent_id is not None:
            self.requested_agent = paths.check_agent_id(agent_id)
        self._forget_all()

    def _forget_all(self) -> None:
        self._rows: dict[str, Row] = {}  # in the order of their sequence numbers
        self._last_sequence = 0
        self._indexes = Indexes()
        self._usage: dict[str, tuple[datetime, int]] = {}
        self._words = WordIndex()
        self._vector_index = VectorShelf()
        self._journal = Journal()
        self._settings: dict[str, str] = {}
        self._writes = 0

    async def _open(self) -> str:
        return self.requested_agent or "default"

    async def _close(self) -> None:
        self._forget_all()

    async def _drop(self) -> None:
        self._forget_all()

    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[TextHash, Sequence[Vector]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        moved.check(self._settings.get(moved.SETTING), operation.verb)
        plan = planning.plan(operation, changes, self._facts(planning.needs(changes)), self.agent_id)
        removed = {record.id for record in plan.removes}
        for record in plan.inserts:
            if record.id in self._rows and record.id not in removed:
                raise ConflictError(record.id)
        if vectors:
            self._vector_index.put(space, vectors)
        if not plan.empty:
            self._apply(plan)
        self._vector_index.forget(self._unwanted(vectors))
        self._writes += 1
        return [replace(write, record=copied(write.record)) for write in plan.written]

    def _facts(self, needs: planning.Needs) -> planning.State:
        state = planning.State(last_hlc=self._journal.last_hlc)
        now = clock.now()
        wanted = set(needs.ids)
        for digest in needs.hashes:
            for memory_id in self._indexes.by_hash.get(digest, ()):
                record = self._rows[memory_id].record
                if record.status is Status.ACTIVE and not record.expired(now):
                    wanted.add(memory_id)
                    state.by_hash.setdefault(digest, memory_id)
        for memory_type, key in needs.keys:
            for memory_id in self._indexes.by_key.get(key, ()):
                record = self._rows[memory_id].record
                if record.status is Status.ACTIVE and record.memory_type is memory_type:
                    wanted.add(memory_id)
                    state.by_key[memory_type, key] = memory_id
        for conversation in needs.conversations:
            if positions := self._indexes.positions.get(conversation):
                state.last_position[conversation] = max(positions.values())
        state.records = {item: self._current(self._rows[item]) for item in wanted if item in self._rows}
        return state

    def _apply(self, plan: Plan) -> None:
        before = {
            self._rows[item.id].embedding_hash for item in (*plan.removes, *(old for old, _ in plan.replaces))
        }
        for record in plan.removes:
            self._unindex(self._rows.pop(record.id))
            self._usage.pop(record.id, None)
        for _, after in plan.replaces:
            sequence = self._rows[after.id].sequence
            self._unindex(self._rows[after.id])
            self._keep(row_of(sequence, after))
        for record in plan.inserts:
            self._last_sequence += 1
            self._keep(row_of(self._last_sequence, record))
        if tombstoned := self._vector_index.attempted(before):
            self._vector_index.give_up(tombstoned - {row.embedding_hash for row in self._rows.values()})
        self._usage.update(plan.usage)
        self._journal.append(plan)
        if plan.erase_history:
            erased = self._journal.erase(set(plan.erase_history))
            used = {row.embedding_hash for row in self._rows.values()}
            self._vector_index.forget({embedding_hash(embedded_text(item)) for item in erased} - used)

    def _unwanted(self, digests: Collection[TextHash]) -> set[TextHash]:
        """Return those of the texts that no memory has: they were erased while they were embedded."""
        return set(digests) - {row.embedding_hash for row in self._rows.values()} if digests else set()

    def _keep(self, row: Row) -> None:
        self._rows[row.record.id] = row
        self._indexes.add(row)
        self._words.add(row.record.id, stems_of(row.record))

    def _unindex(self, row: Row) -> None:
        self._indexes.remove(row)
        self._words.remove(row.record.id)

    async def _touch(self, ids: Sequence[str]) -> None:
        for memory_id in ids:
            if memory_id in self._rows:
                self._usage[memory_id] = (clock.now(), self._usage.get(memory_id, (None, 0))[1] + 1)

    async def _set_setting(self, name: str, value: str | None) -> None:
        moved.check(self._settings.get(moved.SETTING))
        self._settings.pop(name, None)
        if value is not None:
            self._settings[name] = value
        self._writes += 1

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        if self._settings.get(moved.SETTING) != before:
            return False
        self._settings.pop(moved.SETTING, None)
        if after is not None:
            self._settings[moved.SETTING] = after
        self._writes += 1
        return True

    async def _setting(self, name: str) -> str | None:
        return self._settings.get(name)

    # --- reading -------------------------------------------------------------------------------------------

    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        return {
            memory_id: self._copied(self._rows[memory_id]) for memory_id in ids if memory_id in self._rows
        }

    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        by, descending = order
        rows = sorted(
            self._matching(where), key=lambda row: (listing.sort_value(self._current(row), by), row.sequence)
        )
        if descending:
            rows.reverse()
        return [self._copied(row) for row in rows[offset : None if limit is None else offset + limit]]

    async def _count(self, where: Where) -> int:
        return sum(1 for _ in self._matching(where))

    async def _groups(self, where: Where, by: GroupBy) -> list[Group]:
        return listing.grouped((row.record for row in self._matching(where)), by)

    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        return paged(lambda after: self._page(where, after, batch))

    async def _page(self, where: Where, after: int, limit: int) -> tuple[list[MemoryRecord], int]:
        rows = heapq.nsmallest(
            limit,
            (row for row in self._matching(where) if row.sequence > after),
            key=lambda row: row.sequence,
        )
        return [self._copied(row) for row in rows], rows[-1].sequence if len(rows) == limit else 0

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return [row for row in self._rows if row.startswith(prefix)][:limit]

    async def _neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        sequence = listing.placed(self._record(message_id))
        if sequence is None:
            return []
        conversation_id, here = sequence
        now = clock.now()
        live = [pair for pair in self._messages(conversation_id) if listing.live(pair[1].record, now)]
        return [self._copied(row) for row in listing.around(here, live, before, after)]

    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        now = clock.now()
        result: dict[str, str] = {}
        for memory_id in message_ids:
            record = self._record(memory_id)
            sequence = listing.placed(record)
            if sequence is None or getattr(record, "kind", None) != "message":
                continue
            conversation_id, here = sequence
            other = listing.beside(
                here, self._messages(conversation_id), step, lambda row: _live_message(row.record, now)
            )
            if other is not None:
                result[memory_id] = other.record.id
        return result

    def _record(self, memory_id: str) -> MemoryRecord | None:
        row = self._rows.get(memory_id)
        return None if row is None else row.record

    def _messages(self, conversation_id: str) -> list[tuple[int, Row]]:
        """Return what has a position in a conversation, in its order."""
        positions = self._indexes.positions.get(conversation_id, {})
        placed = [(position, self._rows[item]) for item, position in positions.items()]
        return sorted(placed, key=lambda pair: (pair[0], pair[1].sequence))

    async def _version(self) -> int:
        return self._writes

    def _matching(self, where: Where) -> Iterator[Row]:
        now = clock.now()
        rows: Iterable[Row] = self._rows.values()
        if where.ids is not None:
            rows = [self._rows[memory_id] for memory_id in unique(where.ids) if memory_id in self._rows]
        elif where.keys:
            rows = [
                self._rows[item] for key in unique(where.keys) for item in self._indexes.by_key.get(key, ())
            ]
        return (row for row in rows if where.matches(row.record, now))

    def _current(self, row: Row) -> MemoryRecord:
        accessed_at, count = self._usage.get(row.record.id, (None, 0))
        return replace(row.record, accessed_at=accessed_at, access_count=count)

    def _copied(self, row: Row) -> MemoryRecord:
        """Return a memory as it may be given away: changing what is in it changes nothing here."""
        return copied(self._current(row))

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        holding = self._words.holding(terms)
        admitted = [row.record.id for row in self._matching(where) if row.record.id in holding]
        scores = self._words.scores(terms, admitted)
        return heapq.nsmallest(limit, scores.items(), key=lambda pair: -pair[1])

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        return self._words.scores(terms, ids)

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        return self._words.statistics(terms)

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        return self._words.beginning(prefix, limit)

    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        return self._nearest(vector, where, limit)[0]

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        from agent_memory.storage.retrieval import VectorCandidates

        nearest, compared = self._nearest(request.vector, request.where, request.limit)
        sample = self._vector_index.sample(request.sample) if request.sample else ()
        return VectorCandidates(dict(nearest), sample, compared)

    def _nearest(self, vector: Vector, where: Where, limit: int) -> tuple[list[tuple[str, float]], int]:
        """Return the nearest memories with their cosines, and how many vectors were compared."""
        segments = self._vector_index.segments(None)
        rows = [row for row in self._matching(where) if row.embedding_hash in segments]
        cosines = self._vector_index.nearest(vector, {row.embedding_hash for row in rows})
        compared = [(row.record.id, cosines[row.embedding_hash]) for row in rows]
        nearest = heapq.nsmallest(limit, compared, key=lambda pair: -pair[1])
        return nearest, sum(len(segments[row.embedding_hash]) for row in rows)

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[Vector]]:
        segments = self._vector_index.segments(space)
        rows = [self._rows[memory_id] for memory_id in ids if memory_id in self._rows]
        return {
            row.record.id: list(segments[row.embedding_hash])
            for row in rows
            if row.embedding_hash in segments
        }

    async def _sample_vectors(self, limit: int) -> list[Vector]:
        return self._vector_index.sample(limit)

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def _spaces(self) -> list[EmbeddingSpace]:
        return self._vector_index.spaces()

    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        moved.check(self._settings.get(moved.SETTING))
        self._writes += 1
        return self._vector_index.add_space(space)

    async def _switch_space(self, space: EmbeddingSpace) -> None:
        moved.check(self._settings.get(moved.SETTING))
        self._vector_index.switch(space)
        self._writes += 1

    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        rows = sorted(
            self._owing(space, failed), key=lambda row: (row.record.created_at, row.sequence), reverse=True
        )
        return [self._copied(row) for row in rows[:limit]]

    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        return sum(1 for _ in self._owing(space, failed))

    def _owing(self, space: EmbeddingSpace | None, failed: bool | None) -> Iterator[Row]:
        segments, begun = self._vector_index.segments(space), self._vector_index.begun(space)
        for row in self._matching(Where()):
            if row.embedding_hash in segments:
                continue
            if failed is None or failed == (_reason(begun, row.embedding_hash) is not None):
                yield row

    async def _put_vectors(self, space: EmbeddingSpace, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
        moved.check(self._settings.get(moved.SETTING))
        self._vector_index.put(space, vectors)
        self._vector_index.forget(self._unwanted(vectors))
        self._writes += 1

    async def _attempts(
        self, space: EmbeddingSpace, digests: Collection[TextHash]
    ) -> dict[TextHash, Attempt]:
        begun = self._vector_index.begun(space)
        return {digest: begun[digest][0] for digest in digests if digest in begun}

    async def _kept_segments(self, space: EmbeddingSpace, digest: TextHash) -> list[Vector]:
        begun = self._vector_index.begun(space)
        return list(begun[digest][1]) if digest in begun else []

    async def _keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[TextHash, Attempt],
        vectors: Mapping[TextHash, Sequence[Vector]],
    ) -> None:
        self._vector_index.begin(space, attempts, vectors)
        self._vector_index.give_up(self._unwanted(attempts))
        self._writes += 1

    # --- history -------------------------------------------------------------------------------------------

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        return list(self._journal.versions(memory_id, operation_id, self.agent_id))

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        return self._journal.histories(ids, self.agent_id)

    async def _tombstoned(self) -> list[str]:
        return self._journal.tombstoned(self._rows.keys())

    async def _purged(self) -> list[MemoryRecord]:
        return self._journal.purged(self._rows.keys(), self.agent_id)

    async def _operations(self, limit: int) -> list[OperationRecord]:
        return self._journal.operations(limit)

    async def _journal_end(self) -> int:
        return self._journal.last_hlc

    async def _changed_since(self, position: int) -> tuple[list[str], int]:
        return self._journal.changed_since(position), self._journal.last_hlc

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _describe(self) -> StoreDescription:
        return StoreDescription(backend=self.name, location="this process", agent_id=self.agent_id)

    async def _durability(self) -> Durability:
        return Durability(survives="nothing: memories end with the program")

    async def _check(self) -> list[str]:
        words = {memory_id: stems_of(row.record) for memory_id, row in self._rows.items()}
        integrity_errors = [
            *self._indexes.integrity_errors(self._rows),
            *self._words.integrity_errors(words),
            *self._vector_index.integrity_errors(),
        ]
        if strangers := self._usage.keys() - self._rows.keys():
            integrity_errors.append(f"accesses are counted of {len(strangers)} memories that are not there")
        return integrity_errors

    async def _rebuild(self) -> None:
        self._indexes, self._words = Indexes(), WordIndex()
        for row in list(self._rows.values()):
            self._keep(row_of(row.sequence, row.record))
        self._writes += 1

    async def _secure_vacuum(self) -> None:
        """Do nothing: there is no file."""


def _reason(begun: Mapping[TextHash, tuple[Attempt, list[Vector]]], digest: TextHash) -> str | None:
    return begun[digest][0].reason if digest in begun else None


def _live_message(record: MemoryRecord, moment: datetime) -> bool:
    return getattr(record, "kind", None) == "message" and listing.live(record, moment)
