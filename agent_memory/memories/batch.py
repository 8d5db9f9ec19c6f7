"""Collecting writes, to commit them as one transaction and one operation."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.recall.semantic_index import Embedded
from agent_memory.records import MemoryRecord
from agent_memory.storage.changes import Add, Change, Erase, Import, Remove, Replace, Tombstone, Written
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.memories.core import Core

_open: ContextVar[tuple[Batch, ...]] = ContextVar("agent_memory.batches", default=())
"""The batches that this task, or this thread, is in."""


def open_batch(core: Core) -> Batch | None:
    """Return the batch of a memory that this task is in, if it is in one."""
    return next((batch for batch in _open.get() if batch.core is core), None)


class Batch:
    """Writes that are collected and committed together.

    `written` lists what came of them, once they are committed: for each change its id, and whether it was added or
    was known already.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.written: list[Written] = []
        self._changes: list[Change] = []
        self._embed: dict[str, MemoryRecord] = {}
        self._vectors: Embedded | None = None
        self._positions: dict[str, int] = {}
        """By id of a memory, the change that replaces or removes it."""
        self._shreds = False

    # --- entering and leaving ------------------------------------------------------------------------------

    def enter(self) -> None:
        """Collect the writes of this task, or this thread, from now on.

        Raises:
            ValidationError: it is in a batch of this memory already.
        """
        if open_batch(self.core) is not None:
            raise ValidationError("a batch of this memory is open already", hint="end it before the next one")
        if self._changes or self.written:
            raise ValidationError("this batch was used already", hint="call batch() for a new one")
        _open.set((*_open.get(), self))

    def leave(self) -> None:
        """Collect no more."""
        _open.set(tuple(batch for batch in _open.get() if batch is not self))

    async def commit(self) -> None:
        """Write what was collected, as one operation."""
        if not self._changes:
            return
        self.written = await self.core.write(
            Verb.BATCH,
            self._changes,
            embed=[self.latest(record) for record in self._embed.values()],
            embedded=self._vectors,
        )
        if self._shreds:
            await self.core.store.secure_vacuum()

    async def __aenter__(self) -> Self:
        await self.core.open()
        self.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        if kind is None:
            await self.commit()

    # --- collecting ----------------------------------------------------------------------------------------

    def latest(self, record: MemoryRecord) -> MemoryRecord:
        """Return a memory as this batch will leave it.

        Raises:
            MemoryNotFoundError: this batch removes it.
        """
        position = self._positions.get(record.id)
        if position is None:
            return record
        change = self._changes[position]
        if not isinstance(change, Replace):
            raise MemoryNotFoundError(record.id)
        return change.record

    def collect(
        self,
        changes: Sequence[Change],
        *,
        embed: Sequence[MemoryRecord] = (),
        vectors: Embedded | None = None,
        shreds: bool = False,
    ) -> list[Written]:
        """Collect changes, and return what they will do if none of the memories is known already."""
        for change in changes:
            if isinstance(change, Replace | Remove):
                self._replace(change)
            else:
                self._changes.append(change)
        self._embed |= {record.id: record for record in embed}
        self._shreds |= shreds
        if vectors is not None and (self._vectors is None or self._vectors.space.id == vectors.space.id):
            before = self._vectors.vectors if self._vectors is not None else {}
            self._vectors = vectors._replace(vectors={**before, **vectors.vectors})
        return [_expected(change) for change in changes if not isinstance(change, Tombstone)]

    def _replace(self, change: Replace | Remove) -> None:
        position = self._positions.setdefault(change.record.id, len(self._changes))
        if position == len(self._changes):
            self._changes.append(change)
        else:
            self._changes[position] = change
        if isinstance(change, Remove):
            self._embed.pop(change.record.id, None)


def _expected(change: Add | Replace | Remove | Erase | Import) -> Written:
    record = change.record
    if isinstance(change, Add | Import):
        return Written(record.id, "added", record)
    return Written(record.id, "updated" if isinstance(change, Replace) else "removed", record)
