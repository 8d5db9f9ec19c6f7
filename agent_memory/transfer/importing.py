"""Taking a stream over into a store, as it was decided, in batches that may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from agent_memory.batching import batched
from agent_memory.errors import ConflictError, ValidationError
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import EmbeddingSpace, Store, journal_store, vector_store
from agent_memory.storage.changes import Change, Erase, Import, Operation, Remove, Replace, Tombstone
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash
from agent_memory.transfer.deciding import Decision, tells
from agent_memory.transfer.stream import BATCH, Entry, Item, Stream
from agent_memory.transfer.tombstones import ends, note
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

Progress = Callable[[int, int], None]
"""Called with (done, total) as long work goes on."""
Step = Callable[[], AbstractAsyncContextManager[None]]
"""Makes what is held while a batch is moved: others may want to go first."""


class Importer:
    """Writes what was decided."""

    def __init__(
        self,
        store: Store,
        stream: Stream,
        decision: Decision,
        *,
        actor: str | None,
        session: str | None,
        step: Step = nullcontext,
        live: bool = False,
        pending: bool = True,
    ) -> None:
        """Keep what is to be done.

        Args:
            store: where to write.
            stream: where to read.
            decision: what `decide` made of both.
            actor: who writes, for the log.
            session: in which session, for the log.
            step: held while a batch is moved.
            live: others write what is read: a batch that contradicts itself for that is left out, see `skipped`.
            pending: whether memories that were here before are given the vectors that they lack.
        """
        self.skipped: list[str] = []
        """The memories that were left out."""
        self._step, self._live, self._pending = step, live, pending
        self._store = store
        self._stream = stream
        self._decision = decision
        self._actor = actor
        self._session = session
        self._space: EmbeddingSpace | None = None

    async def take(self, progress: Progress | None = None) -> None:
        """Write it all. Stopped at any moment and run again, it goes on where it was."""
        decision, head = self._decision, self._stream.head
        for name, value in head.settings.items():
            if await self._store.setting(name) is None:
                await self._store.set_setting(name, value)
        if decision.space == "new" and head.space is not None:
            self._space = await vector_store(self._store).add_space(head.space)
        elif decision.space == "same":
            self._space = await vector_store(self._store).current_space()
        # A key may have passed from one memory to another: what gives one up goes first.
        decision.newer.sort(key=lambda item: item.key is not None)
        entries = [*decision.removed, *decision.newer, *decision.new, *decision.tombstoned]
        removed, done = {entry.id for entry in decision.removed}, 0
        for batch in batched(entries, BATCH):
            async with self._step():
                await self._move(batch, removed)
            done += len(batch)
            if progress is not None:
                progress(done, len(entries))
        if self._pending and self._space is not None and head.parts.vectors:
            await self._embed_pending(self._space)

    async def _move(self, entries: Sequence[Entry], removed: Collection[str]) -> None:
        """Read and write one batch."""
        items = await self._stream.read(entries)
        if len(items) < len(entries):
            present = {item.id for item in items}
            self.skipped += [entry.id for entry in entries if entry.id not in present]
        try:
            await self._take_out([item for item in items if item.id in removed])
            if left := [item for item in items if item.id not in removed]:
                await self._write(left)
        except (ConflictError, ValidationError):
            if not self._live:
                raise
            self.skipped += [entry.id for entry in entries]

    async def _take_out(self, items: Sequence[Item]) -> None:
        """Take out what was taken out there; erase its history if that was erased there."""
        if not items:
            return
        ids = [item.id for item in items]
        present, known = await self._store.get(ids), await ends(self._store, ids)
        changes: list[Change] = []
        for item in items:
            forgotten = self._stream.head.parts.history and not tells(item.history)
            if item.id in present:
                changes.append(Remove(present[item.id], erase=forgotten))
            elif forgotten:
                text = next((one.before or one.after for one in known.get(item.id, ()) if tells([one])), None)
                changes += [] if text is None else [Erase(text)]
        await self._store.commit(self._operation, changes)
        if not self._store.capabilities.journal:
            await note(
                self._store, [Tombstone(item.id, [item.end]) for item in items if item.end is not None]
            )

    @property
    def _operation(self) -> Operation:
        return Operation(verb=Verb.IMPORT, actor=self._actor, session=self._session)

    async def _embed_pending(self, space: EmbeddingSpace) -> None:
        """Give memories that were here before the vectors that they lack."""
        count = await vector_store(self._store).pending_count(space)
        pending = (
            {record.id: record for record in await vector_store(self._store).pending(count, space)}
            if count
            else {}
        )
        entries = [entry for entry in self._stream.entries if entry.id in pending and not entry.tombstoned]
        for batch in batched(entries, BATCH):
            vectors = {
                embedding_hash(embedded_text(item.record)): item.vectors
                for item in await self._stream.read(batch)
                if item.vectors and item.record is not None and item.revision == pending[item.id].revision
            }
            if vectors:
                await vector_store(self._store).put_vectors(space, vectors)

    async def _write(self, items: Sequence[Item]) -> None:
        away = [entry.id for entry in items if entry.id not in self._decision.onto]
        known = await self._known([entry.id for entry in items if entry.id in self._decision.onto], away)
        changes: list[Change] = await self._made_way(items)
        buried: list[Tombstone] = []
        vectors: dict[TextHash, Sequence[Vector]] = {}
        for item in items:
            if item.record is None:
                assert item.end is not None
                buried.append(Tombstone(item.id, item.history or [item.end]))
                continue
            changes.append(self._take(item, item.record, known.get(item.id, ())))
            if item.vectors and self._space is not None:
                vectors[embedding_hash(embedded_text(item.record))] = item.vectors
        if self._store.capabilities.journal:
            changes += buried
        elif buried:
            await note(self._store, buried)
        await self._store.commit(self._operation, changes, vectors, self._space if vectors else None)

    async def _known(self, present: Sequence[str], absent: Sequence[str]) -> dict[str, list[Version]]:
        """Return the versions that the journal has of memories which are here, or were."""
        if not self._store.capabilities.journal:
            return {}
        decision = self._decision
        away = [item for item in absent if item in decision.conflicts or item in decision.returned]
        return {**await journal_store(self._store).histories(present), **await ends(self._store, away)}

    def _take(self, item: Item, record: MemoryRecord, known: Sequence[Version]) -> Import:
        there = {version.revision for version in known}
        history = [version for version in item.history if version.revision not in there]
        if known and (not history or history[-1].revision != record.revision):
            history = [_brought_back(record, known[-1])]
        return Import(
            record, history, onto=self._decision.onto.get(item.id), usage=self._stream.head.parts.usage
        )

    async def _made_way(self, items: Sequence[Item]) -> list[Change]:
        wanted = [other for item in items for other in self._decision.make_way.get(item.id, ())]
        if not wanted:
            return []
        records = await self._store.get(wanted)
        return [
            Replace(replace(result, status=Status.ARCHIVED), Verb.ARCHIVE)
            for result in records.values()
            if result.status is Status.ACTIVE
        ]


def _brought_back(record: MemoryRecord, last: Version) -> Version:
    """Describe how a memory comes back to a version that the journal has already."""
    return Version(
        memory_id=record.id,
        revision=record.revision,
        parent=last.revision,
        operation_id="",
        verb=Verb.RESTORE if last.after is None else Verb.IMPORT,
        at=record.updated_at,
        before=last.after,
        after=record,
    )
