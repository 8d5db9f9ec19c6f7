"""The ability to keep a history of every change."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.base.ordering import unique
from agent_memory.storage.base.store import Store
from agent_memory.storage.changes import Erase, Operation
from agent_memory.storage.where import Where
from agent_memory.text.names import is_storable
from agent_memory.verbs import Verb


class JournalStore(Store):
    """A store with a journal: history, undo and the log of operations."""

    async def history(self, memory_id: str) -> list[Version]:
        """List a memory's versions.

        Args:
            memory_id: a whole id; the memory may be deleted.

        Returns:
            The versions, oldest first.
        """
        self.check_usable()
        return await self._versions(memory_id=memory_id) if is_storable(memory_id) else []

    async def changes_of(self, operation_id: str) -> list[Version]:
        """List what one operation changed.

        Args:
            operation_id: a whole id.

        Returns:
            The versions that it made, in order.
        """
        self.check_usable()
        return await self._versions(operation_id=operation_id) if is_storable(operation_id) else []

    async def histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        """List the versions of many memories, each as `history` does.

        Args:
            ids: whole ids.

        Returns:
            The versions by id; memories without any are left out.
        """
        self.check_usable()
        ids = [memory_id for memory_id in unique(ids) if is_storable(memory_id)]
        return await self._histories(ids) if ids else {}

    async def tombstoned(self) -> list[str]:
        """List the ids of memories that the journal knows and that are not there, shredded ones included, sorted."""
        self.check_usable()
        return sorted(await self._tombstoned())

    async def purged(self) -> list[MemoryRecord]:
        """List the last versions of memories that were deleted and whose text is still in the journal."""
        self.check_usable()
        return await self._purged()

    async def operations(self, limit: int = 20) -> list[OperationRecord]:
        """List operations that changed something, newest first.

        Args:
            limit: how many at most.

        Returns:
            The operations.
        """
        self.check_usable()
        return await self._operations(limit)

    async def journal_end(self) -> int:
        """Return where the journal ends at present, for `changed_since`."""
        self.check_usable()
        return await self._journal_end()

    async def changed_since(self, position: int) -> tuple[list[str], int]:
        """List the memories that were changed, added or taken out behind a position of the journal.

        Nothing is left out that was committed after `journal_end` had returned the position. What is called changed
        may be as it was.

        Args:
            position: what `journal_end` returned, or this method before.

        Returns:
            The ids, in the order in which they were first changed, and the position to go on from.
        """
        self.check_usable()
        return await self._changed_since(position)

    @abstractmethod
    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        """List the versions of one memory, or those that one operation made."""

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        """Read them one by one, where the backend has no better way."""
        histories = {memory_id: await self._versions(memory_id=memory_id) for memory_id in ids}
        return {memory_id: versions for memory_id, versions in histories.items() if versions}

    @abstractmethod
    async def _tombstoned(self) -> list[str]:
        """Return the ids in the journal that no memory has, in any order; also where only the text is erased."""

    @abstractmethod
    async def _purged(self) -> list[MemoryRecord]:
        """List the last versions of deleted memories whose text is still there."""

    @abstractmethod
    async def _operations(self, limit: int) -> list[OperationRecord]:
        """List operations that changed something, newest first."""

    async def _journal_end(self) -> int:
        """Return where the journal ends: here nowhere, as all memories are always looked at."""
        return 0

    async def _changed_since(self, position: int) -> tuple[list[str], int]:
        """List what may have changed: here all there is."""
        ids = [record.id async for page in self.scan(Where(statuses=(), expired=None)) for record in page]
        return [*ids, *await self._tombstoned()], position

    async def _drop(self) -> None:
        await super()._drop()
        if purged := await self._purged():
            await self.commit(Operation(verb=Verb.DROP), [Erase(record) for record in purged])
            await self._secure_vacuum()
