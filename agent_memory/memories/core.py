"""What the six memory types share: one store, one index, one way to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from agent_memory.errors import ConflictError, MemoryNotFoundError
from agent_memory.recall.semantic_index import Progress, SemanticIndex
from agent_memory.records import MemoryRecord, Status
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.changes import Add, Change, Operation, Remove, Replace, Written
from agent_memory.text.templates import embedded_text

if TYPE_CHECKING:
    from agent_memory.recall.search import Searcher

ATTEMPTS = 20
"""How often a change is made anew on what somebody else wrote meanwhile, before ConflictError goes up."""


class Core:
    """One agent's memory, below its six faces."""

    def __init__(self, store: Store, index: SemanticIndex, settings: Settings) -> None:
        self.store = store
        self.index = index
        self.settings = settings

    @cached_property
    def searcher(self) -> Searcher:
        """Searches the store; imported with all that ranks when it is first used."""
        from agent_memory.recall.search import Searcher

        return Searcher(self.store, self.index, self.settings)

    def operation(self, verb: str, *, undoes: str | None = None) -> Operation:
        """Begin an operation in the name of the configured actor and session."""
        return Operation(verb=verb, actor=self.settings.actor, session=self.settings.session, undoes=undoes)

    async def write(
        self,
        verb: str,
        changes: Sequence[Change],
        *,
        embed: Sequence[MemoryRecord] | None = None,
        vectors: Mapping[bytes, list[bytes]] | None = None,
        undoes: str | None = None,
        progress: Progress | None = None,
    ) -> list[Written]:
        """Write changes as one operation, embedded in the same transaction where that is wanted and possible.

        `embed` says which records have a text that is new; None means those that are added. `vectors` holds
        those that are at hand already, by hash of the embedded text.
        """
        given = dict(vectors or {})
        if self.settings.embed_on_write:
            new = [change.record for change in changes if isinstance(change, Add)] if embed is None else embed
            given |= await self.index.vectors_of(new, progress, known=given)
        return await self.store.commit(self.operation(verb, undoes=undoes), changes, given)

    async def change(
        self, verb: str, record: MemoryRecord, edit: Callable[[MemoryRecord], MemoryRecord]
    ) -> MemoryRecord:
        """Store what `edit` makes of a memory; if somebody changed it meanwhile, of what they made of it.

        Raises:
            MemoryNotFoundError: it was taken away meanwhile.
            ConflictError: others were faster twenty times.
        """
        for attempt in range(ATTEMPTS):
            after = edit(record)
            new = [after] if embedded_text(after) != embedded_text(record) else []
            try:
                return (await self.write(verb, [Replace(after, verb)], embed=new))[0].record
            except ConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                fresh = (await self.store.get([record.id])).get(record.id)
                if fresh is None:
                    raise MemoryNotFoundError(record.id) from None
                record = fresh
        raise AssertionError("unreachable")

    async def put_away(
        self, verb: str, records: Sequence[MemoryRecord], *, purge: bool = False, shred: bool = False
    ) -> list[Written]:
        """Archive, purge or shred memories in one operation."""
        changes: list[Change]
        if purge or shred:
            changes = [Remove(record, erase=shred) for record in records]
        else:
            changes = [
                Replace(replace(record, status=Status.ARCHIVED), "archive")
                for record in records
                if record.status is not Status.ARCHIVED
            ]
        written = await self.store.commit(self.operation(verb), changes)
        if shred and written:
            await self.store.scrub()
        return written
