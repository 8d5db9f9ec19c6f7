"""What all memory types share: one store, one index, one way to write."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakSet

from agent_memory import clock
from agent_memory.errors import BackendError, ClosedError, ConflictError, MemoryNotFoundError, ValidationError
from agent_memory.memories.batch import open_batch
from agent_memory.memories.conflicts import retried
from agent_memory.recall.pending import Progress
from agent_memory.recall.semantic_index import NOT_AT_HAND, Embedded, SemanticIndex
from agent_memory.records import MemoryRecord, Status
from agent_memory.settings import Settings
from agent_memory.storage.base import Store, journal_store
from agent_memory.storage.changes import Add, Change, Erase, Operation, Remove, Replace, Written
from agent_memory.storage.where import Where
from agent_memory.text.templates import embedded_text
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    import asyncio

    from agent_memory.recall.searcher import Searcher


AT_ONCE = 64_000
"""Bytes of text that are embedded before they are stored, and in the same transaction: some seconds of the default
model."""


class Chosen(NamedTuple):
    """Memories that something is to be done with."""

    present: Sequence[MemoryRecord]
    purged: Sequence[MemoryRecord] = ()
    """Last versions of memories that were purged before, whose history is to be erased too."""


Choose = Callable[[], Awaitable[Chosen]]
"""Looks up which memories something is to be done with."""


class Core:
    """One agent's memory, below its six faces: opened when it is asked to, and closed once, for good."""

    def __init__(self, store: Store, index: SemanticIndex, settings: Settings) -> None:
        self._store = store
        self._index = index
        self.settings = settings
        self._opened = self._closed = False
        self._process = os.getpid()
        _cores.add(self)

    # --- life ----------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether it is open, in this process."""
        return self._opened and self._process == os.getpid()

    @property
    def opened(self) -> bool:
        """Whether it has been opened, here or in the process that this one was forked from."""
        return self._opened

    async def open(self) -> bool:
        """Open the store and choose the embedder; does nothing the second time. Raises as `AgentMemory.open`.

        Returns:
            Whether this call opened it.
        """
        self._check_process()
        async with self._turning:
            self.check_not_closed()
            if self._opened:
                return False
            await self._store.open()
            try:
                await self._index.open()
            except BaseException:
                await self._store.close()
                raise
            self._opened = True
            return True

    async def close(self) -> None:
        """Release the store and the embedder, behind an opening that is under way. Idempotent."""
        self._closed = True
        if self._process != os.getpid():
            return  # connections and threads are the parent's
        async with self._turning:
            if self._opened:
                self._opened = False
                self.__dict__.pop(
                    "_searcher", None
                )  # with a model of its own, where results were ordered anew
                await self._index.close()
                await self._store.close()

    def _check_process(self) -> None:
        """Raise if it was opened before a fork; if it was only made before, it is this process's own now."""
        if self._process == os.getpid():
            return
        if self._opened:
            raise BackendError.forked("this memory")
        self._process = os.getpid()
        self.__dict__.pop("_turning", None)  # somebody in the parent may have held it

    def check_not_closed(self) -> None:
        """Raise ClosedError after `close`: every use of the memory passes here."""
        if self._closed:
            raise ClosedError()

    @cached_property
    def _turning(self) -> asyncio.Lock:
        import asyncio  # here, since importing this package is all that some programs do

        return asyncio.Lock()

    # --- what it consists of -------------------------------------------------------------------------------

    @property
    def store(self) -> Store:
        """The store that keeps it."""
        self.check_not_closed()
        return self._store

    @property
    def index(self) -> SemanticIndex:
        """Keeps its vectors in step."""
        self.check_not_closed()
        return self._index

    @property
    def searcher(self) -> Searcher:
        """Searches the store; imported with all that ranks when it is first used."""
        self.check_not_closed()
        return self._searcher

    @cached_property
    def _searcher(self) -> Searcher:
        from agent_memory.recall.searcher import Searcher

        return Searcher(self._store, self._index, self.settings)

    # --- writing -------------------------------------------------------------------------------------------

    def operation(self, verb: Verb, *, undoes: str | None = None) -> Operation:
        """Begin an operation in the name of the configured actor and session."""
        return Operation(verb=verb, actor=self.settings.actor, session=self.settings.session, undoes=undoes)

    async def write(
        self,
        verb: Verb,
        changes: Sequence[Change],
        *,
        embed: Sequence[MemoryRecord] | None = None,
        embedded: Embedded | None = None,
        undoes: str | None = None,
        progress: Progress | None = None,
    ) -> list[Written]:
        """Write changes as one operation, embedded in the same transaction where that is wanted and possible.

        `embed` says which records have a text that is new; None means those that are added. `embedded` holds the
        vectors that are at hand already. What takes long to embed is stored first and embedded afterwards, so that
        what is interrupted loses no text, and no vector that is made.

        Returns:
            What came of each change.

        Raises:
            ValidationError: a batch is open, and the operation undoes another.
        """
        if (batch := open_batch(self)) is not None:
            if undoes is not None:
                raise ValidationError("a batch cannot undo", hint="call undo before or after it")
            new = [change.record for change in changes if isinstance(change, Add)] if embed is None else embed
            return batch.collect(changes, embed=new, vectors=embedded)
        vectors = dict(embedded.vectors) if embedded is not None else {}
        space = embedded.space if embedded is not None else None
        made: Embedded | None = None
        later: Sequence[MemoryRecord] = ()
        if self.settings.embed_on_write:
            new = [change.record for change in changes if isinstance(change, Add)] if embed is None else embed
            at_once, later = _at_once(new)
            made = await self.index.vectors_of(at_once, None if later else progress, known=vectors)
            # Another process may have changed the embedder between the two; what is left out stays pending.
            if made is not None and (space is None or space.id == made.space.id):
                space = made.space
                vectors |= made.vectors
        written = await self.store.commit(self.operation(verb, undoes=undoes), changes, vectors, space)
        if made is not None:
            await self.index.note_failures(made)
        if later:
            with suppress(*NOT_AT_HAND, BackendError):  # it is stored, and the embedding is pending
                await self.index.embed(later, progress, known=vectors)
        return written

    async def change(
        self, verb: Verb, record: MemoryRecord, edit: Callable[[MemoryRecord], MemoryRecord]
    ) -> MemoryRecord:
        """Store what `edit` makes of a memory; if somebody changed it meanwhile, of what they made of it.

        Returns:
            The memory as it is stored now.

        Raises:
            MemoryNotFoundError: it was taken away or put away meanwhile.
            ConflictError: others were faster twenty times.
        """
        return (await self.change_all(verb, [record], edit))[0]

    async def change_all(
        self, verb: Verb, records: Sequence[MemoryRecord], edit: Callable[[MemoryRecord], MemoryRecord]
    ) -> list[MemoryRecord]:
        """Do the same as `change` to several memories, in one operation."""
        if (batch := open_batch(self)) is not None:
            records = [batch.latest(record) for record in records]

        async def replace_all() -> list[MemoryRecord]:
            nonlocal records
            changed = [edit(record) for record in records]
            new = [
                after
                for before, after in zip(records, changed, strict=True)
                if embedded_text(after) != embedded_text(before)
            ]
            try:
                written = await self.write(verb, [Replace(after, verb) for after in changed], embed=new)
            except ConflictError:
                records = await self._read_again(records)
                raise
            return [item.record for item in written]

        return await retried(replace_all)

    async def _read_again(self, records: Sequence[MemoryRecord]) -> list[MemoryRecord]:
        present = await self.store.get([record.id for record in records])
        for record in records:
            if record.id not in present or present[record.id].status is not record.status:
                raise MemoryNotFoundError(record.id)
        return [present[record.id] for record in records]

    async def archive(
        self, verb: Verb, choose: Choose, *, purge: bool = False, shred: bool = False
    ) -> list[MemoryRecord]:
        """Archive, purge or shred memories in one operation, and return them as they were.

        What somebody changed meanwhile is looked up again.

        Returns:
            The memories as they were.

        Raises:
            ConflictError: others were faster twenty times.
        """

        async def archive_chosen() -> list[MemoryRecord]:
            present, purged = await choose()
            present = self._latest(present)
            changes: list[Change]
            if purge or shred:
                changes = [Remove(record, erase=shred) for record in present]
            else:
                changes = [
                    Replace(replace(record, status=Status.ARCHIVED), Verb.ARCHIVE)
                    for record in present
                    if record.status is not Status.ARCHIVED
                ]
            changes += [Erase(record) for record in purged]
            if (batch := open_batch(self)) is not None:
                batch.collect(changes, shreds=shred)
                return [*present, *purged]
            written = await self.store.commit(self.operation(verb), changes)
            if shred and written:
                await self.store.secure_vacuum()
            return [*present, *purged]

        return await retried(archive_chosen)

    def _latest(self, records: Iterable[MemoryRecord]) -> list[MemoryRecord]:
        batch = open_batch(self)
        return [record if batch is None else batch.latest(record) for record in records]

    def check_no_batch(self, verb: str) -> None:
        """Raise ValidationError within a batch, for what cannot be part of one."""
        if open_batch(self) is not None:
            raise ValidationError(f"a batch cannot {verb}", hint=f"{verb} before or after it")

    async def purged(self, where: Where) -> list[MemoryRecord]:
        """List the last versions of purged memories that a filter fits, whatever their status was."""
        moment = clock.now()
        anyhow = replace(where, statuses=(), expired=None)
        return [
            record for record in await journal_store(self.store).purged() if anyhow.matches(record, moment)
        ]


_cores: WeakSet[Core] = WeakSet()


def _after_fork_in_child() -> None:
    """Hold for good what the parent opened: its threads do not exist here, and giving it back waits for them."""
    opened = [core for core in _cores if core.opened]
    if opened:
        from agent_memory.embeddings.threads import abandon

        for core in opened:
            abandon(core)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _at_once(records: Sequence[MemoryRecord]) -> tuple[Sequence[MemoryRecord], Sequence[MemoryRecord]]:
    """Part records into those that are embedded before they are stored, and the longer rest."""
    room, now, later = AT_ONCE, list[MemoryRecord](), list[MemoryRecord]()
    for record in records:
        room -= len(record.content.encode("utf-8", "replace"))
        (now if room >= 0 else later).append(record)
    return now, later
