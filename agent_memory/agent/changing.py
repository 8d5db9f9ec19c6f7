"""Changing memories of any type: update, pin, forget, restore, undo; and what was changed before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from agent_memory.agent.types import MemoryTypes
from agent_memory.errors import ValidationError
from agent_memory.memories.base import Listing
from agent_memory.memories.changes import Changes
from agent_memory.memories.filters import Filters, build_where
from agent_memory.memories.given import NOT_GIVEN, Omitted
from agent_memory.memories.operations import forgetting, single, undoing
from agent_memory.memories.operations.forgetting import ForgetPlan
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.base import journal_store
from agent_memory.storage.where import Where
from agent_memory.verbs import Verb


class Changing(MemoryTypes):
    """What changes memories of any type."""

    async def update(
        self,
        /,
        id: str,
        content: str | Omitted = NOT_GIVEN,
        *,
        revision: str | None = None,
        **changes: Unpack[Changes],
    ) -> MemoryRecord:
        """Store a new version of a memory; what is not given stays as it is.

        None takes a `key`, a `source`, a `ttl` or an `occurred_at` away; for anything else it is an error.

        Args:
            id: its id, a unique prefix of it, or its key.
            content: its new text.
            revision: the `revision` of the record that the change is based on; the memory is only changed if that is
                still its present version. None: whatever its present version is.
            changes: what else to change (`agent_memory.Changes`): `importance`, `tags`, `add_tags`, `remove_tags`,
                `metadata` (a value of None takes the name away), `key`, `source`, `session`, `ttl` (from now; a
                short-term memory that was stored without one lives for the default time again), `occurred_at`, and
                the type's own fields, such as `outcome="success"`.

        Returns:
            The new version.

        Raises:
            MemoryNotFoundError: there is none.
            AmbiguousIdError: several memories begin so.
            ConflictError: it has another revision by now.
            ValidationError: something cannot be stored, or cannot be taken away.
        """
        return await single.update(self._core, id, content=content, revision=revision, **changes)

    async def plan_forget(
        self,
        id: str | Sequence[str] | None = None,
        *,
        expired: bool = False,
        purge: bool = False,
        shred: bool = False,
        **filters: Unpack[Filters],
    ) -> ForgetPlan:
        """Look up what forgetting would do, to show it to whoever decides; `forget` carries the plan out.

        Args:
            id: as in `forget`; or None, and `filters` say which memories.
            expired: as in `forget_where`.
            purge: as in `forget`.
            shred: as in `forget`.
            filters: as in `forget_where`.

        Returns:
            The plan: its `records`, and what is to be done with them.

        Raises:
            MemoryNotFoundError: there is none of that name.
            AmbiguousIdError: several memories begin so.
            ValidationError: both ids and filters are given, or none of them.
        """
        if id is not None:
            if filters or expired:
                raise ValidationError("give ids or a filter, not both", hint="leave one of them out")
            return await forgetting.plan_named(self._core, id, purge=purge, shred=shred)
        if not filters and not expired:
            raise ValidationError("there is no id and no filter", hint="clear_all() archives everything")
        where = _sparing_pinned(expired, filters)
        return await forgetting.plan_where(self._core, Verb.FORGET, where, purge=purge, shred=shred)

    async def forget(
        self,
        id: str | Sequence[str] | ForgetPlan,
        *,
        purge: bool = False,
        shred: bool = False,
        dry_run: bool = False,
    ) -> Listing[MemoryRecord]:
        """Archive memories: at once invisible to every read, and restorable.

        Args:
            id: one id, key or unique prefix, or several; the id of a document stands for all of its chunks. Or a
                plan of `plan_forget`, which is carried out as it was made: what has come to fit it since stays.
            purge: take the rows away; the last version stays in history, and `undo` brings it back.
            shred: leave nothing of them, in history either. Cannot be undone.
            dry_run: only say which they would be.

        Returns:
            The memories as they were.

        Raises:
            MemoryNotFoundError: there is none of that name; nothing was forgotten then.
            AmbiguousIdError: several memories begin so; nothing was forgotten then.
            ValidationError: `purge`, `shred` or `dry_run` is given beside a plan.
        """
        if not isinstance(id, ForgetPlan):
            return await forgetting.forget(self._core, id, purge=purge, shred=shred, dry_run=dry_run)
        if purge or shred or dry_run:
            raise ValidationError("the plan says what is to be done", hint="give these to plan_forget")
        return await forgetting.carry_out(self._core, id)

    async def forget_where(
        self,
        *,
        expired: bool = False,
        purge: bool = False,
        shred: bool = False,
        dry_run: bool = False,
        **filters: Unpack[Filters],
    ) -> Listing[MemoryRecord]:
        """Archive every memory that fits; pinned ones stay, unless `pinned=True` asks for them alone.

        Args:
            expired: only what has expired, instead of what is live.
            purge: as in `forget`.
            shred: as in `forget`.
            dry_run: as in `forget`.
            filters: which memories, as in `search`; `agent_memory.Filters` lists them.

        Returns:
            The memories as they were.

        Raises:
            ValidationError: a filter cannot be read; nothing was archived then.
        """
        where = _sparing_pinned(expired, filters)
        return await forgetting.forget_where(self._core, where, purge=purge, shred=shred, dry_run=dry_run)

    async def restore(self, id: str) -> MemoryRecord:
        """Restore an archived or purged memory as it was.

        Returns:
            The memory, active again.

        Raises:
            MemoryNotFoundError: nothing with this id was put away.
            ValidationError: another memory has its key by now.
        """
        return await forgetting.restore(self._core, id)

    async def history(self, id: str) -> Listing[Version]:
        """List a memory's versions, oldest first, also of one that was purged.

        Returns:
            The versions, oldest first.

        Raises:
            MemoryNotFoundError: there never was one.
            CapabilityError: the backend keeps no history.
        """
        return await single.history(self._core, id)

    async def pin(self, id: str) -> MemoryRecord:
        """Mark a memory as one that always counts: part of every brief, and never decaying.

        The id of a document stands for all of its chunks; the first one is returned.

        Returns:
            The memory as it is now.
        """
        return (await self.pin_many([id]))[0]

    async def unpin(self, id: str) -> MemoryRecord:
        """Remove the mark of `pin`."""
        return (await self.unpin_many([id]))[0]

    async def pin_many(self, ids: Sequence[str]) -> Listing[MemoryRecord]:
        """Pin what several ids or names mean, in one operation.

        Args:
            ids: as in `get_named`.

        Returns:
            The memories, pinned.

        Raises:
            MemoryNotFoundError: one of the ids means nothing; nothing was changed.
        """
        return await single.set_pinned(self._core, ids, True)

    async def unpin_many(self, ids: Sequence[str]) -> Listing[MemoryRecord]:
        """Unpin what several ids or names mean, in one operation; as `pin_many`."""
        return await single.set_pinned(self._core, ids, False)

    async def undo(
        self, count: int | Sequence[OperationRecord] = 1, *, dry_run: bool = False
    ) -> Listing[OperationRecord]:
        """Take back the latest operations that were not taken back yet, newest first.

        Imports are passed over, and so is what only set values of working memory that were set anew since.

        Args:
            count: how many; or the operations themselves, as a dry run or `log` returned them, newest first.
            dry_run: only say which they would be.

        Returns:
            The operations that were taken back.

        Raises:
            ValidationError: the count is 0, or something cannot be brought back.
            ConflictError: a memory was changed since by an operation that stays.
            CapabilityError: the backend keeps no history.
        """
        return await undoing.undo(self._core, count, dry_run=dry_run)

    async def log(self, limit: int = 20) -> Listing[OperationRecord]:
        """List the latest operations that changed something, newest first."""
        return await journal_store(self._core.store).operations(limit)

    async def clear_all(self, *, purge: bool = False, shred: bool = False) -> dict[str, int]:
        """Put away everything, pinned memories too, and return how many per type."""
        return await forgetting.clear_all(self._core, purge=purge, shred=shred)


def _sparing_pinned(expired: bool, filters: Filters) -> Where:
    """Build the filter of what is forgotten: pinned memories stay, unless they are asked for."""
    if filters.get("pinned") is None:
        filters["pinned"] = False
    return build_where(expired=expired, **filters)
