"""The core of the contract: writing, reading and upkeep of a store, whose life is `Lifecycle`.

Public methods check (open, writable, arguments) once and call one hook, whose name begins with an underscore. A
backend fills hooks only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from agent_memory import clock
from agent_memory.errors import (
    AmbiguousIdError,
    BackendError,
    CapabilityError,
    IntegrityError,
    MemoryNotFoundError,
    ValidationError,
)
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage import moved
from agent_memory.storage.base.description import Durability, Repair, StoreDescription
from agent_memory.storage.base.lifecycle import Lifecycle
from agent_memory.storage.base.ordering import (
    Group,
    GroupBy,
    Order,
    check_group,
    check_order,
    check_slice,
    unique,
)
from agent_memory.storage.base.spaces import EmbeddingSpace
from agent_memory.storage.changes import SHORTEST_PREFIX, Change, Operation, Remove, Written
from agent_memory.storage.moved import MoveMark
from agent_memory.storage.where import Where
from agent_memory.text.names import check_storable, is_storable, normal_name
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.storage.retrieval import (
        CandidateRequest,
        Candidates,
        ContextRequest,
        SearchContext,
        Selection,
    )
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


class Store(Lifecycle):
    """Where one agent's memories are kept."""

    # --- agents --------------------------------------------------------------------------------------------

    def sibling(self, agent_id: str) -> Store:
        """Return an unopened store of another agent on the same backend, with the same options."""
        return type(self)(agent_id, **self.settings)

    async def drop(self) -> None:
        """Delete everything that this agent keeps, its history included, and close. It cannot be undone."""
        await self._drop()
        await self.close()

    async def _drop(self) -> None:
        """Delete everything that this agent keeps: here, memory by memory."""
        async for page in self.scan(Where(statuses=(), expired=None)):
            current = (await self._get([record.id for record in page])).values()
            await self.commit(Operation(verb=Verb.DROP), [Remove(record, erase=True) for record in current])
        await self._secure_vacuum()

    # --- writing -------------------------------------------------------------------------------------------

    async def commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[TextHash, Sequence[Vector]] | None = None,
        space: EmbeddingSpace | None = None,
    ) -> list[Written]:
        """Write changes as one operation, all or nothing.

        Args:
            operation: what is done, and by whom.
            changes: what it changes; nothing is written for none.
            vectors: by hash of the embedded text (`text.templates.embedding_hash`), the unit vectors of its
                segments in `space`. They are kept also where the memory itself is known already. Texts without
                one in the current space are pending.
            space: the space of the vectors; None for the current one.

        Returns:
            For each change, what became of it.

        Raises:
            StoreBusyError: somebody else is writing and all retries are used up; nothing was written.
            ConflictError: a memory was changed since it was read, or the id of one to add is taken; nothing was
                written.
            ValidationError: a memory would take the key of another; nothing was written.
        """
        if not changes:
            self.check_usable()
            return []
        self.check_writable()
        written = await self._commit(operation, changes, vectors or {}, space)
        self.wrote = True
        return written

    async def touch(self, ids: Sequence[str]) -> None:
        """Count one access of each memory. Gives up at once, without an error, where it would have to wait.

        Args:
            ids: whole ids; absent ones are left out.
        """
        self.check_usable()
        if ids:
            await self._touch(unique(ids))

    async def set_setting(self, name: str, value: str | None) -> None:
        """Remember a value in the store, such as its default conversation.

        Args:
            name: the name of the setting.
            value: what to remember; None forgets it.

        Raises:
            ValidationError: the name is that of the mark that `set_moved` sets.
        """
        self.check_writable()
        if name == moved.SETTING:
            raise ValidationError(
                "the mark of an agent that was moved is not a setting", hint=Hint("{REOPEN} takes it back")
            )
        await self._set_setting(name, value)

    async def setting(self, name: str) -> str | None:
        """Return what `set_setting` remembered.

        Args:
            name: the name of the setting.

        Returns:
            The value, or None.
        """
        self.check_usable()
        return await self._setting(name)

    async def moved(self) -> MoveMark | None:
        """Return where this agent was moved to, or is being moved; None where this store is in use."""
        return moved.read(await self.setting(moved.SETTING))

    async def set_moved(self, mark: MoveMark | None, *, instead_of: MoveMark | None) -> None:
        """Refuse all writes from now on, of every process, since the agent is moved to another store.

        What was acknowledged before is found by the next read here; nothing is acknowledged afterwards. Counted
        accesses are no writes.

        Args:
            mark: where the agent goes; None takes writes again.
            instead_of: the mark that is there now.

        Raises:
            BackendError: another mark is there.
            CapabilityError: the backend cannot refuse the writes of other processes.
        """
        self.check_writable()
        before, after = (None if item is None else item.to_text() for item in (instead_of, mark))
        if not await self._set_moved(before, after):
            raise BackendError(
                "another migration of this agent is under way",
                hint=Hint("wait for it, or end it and {REOPEN}"),
            )

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        """Change the setting `moved.SETTING`, in one step, if it has the value `before`; return whether it had.

        A backend that fills this checks the setting with every write, by `moved.check`.
        """  # noqa: DOC501
        raise CapabilityError(self.name, "closing an agent that was moved")

    @abstractmethod
    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[TextHash, Sequence[Vector]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        """Load `planning.needs`, make the `planning.plan`, and write it, in one transaction."""

    @abstractmethod
    async def _touch(self, ids: Sequence[str]) -> None:
        """Count one access of each; there is at least one, none twice."""

    @abstractmethod
    async def _set_setting(self, name: str, value: str | None) -> None:
        """Remember a value, or forget it."""

    @abstractmethod
    async def _setting(self, name: str) -> str | None:
        """Return what was remembered."""

    # --- reading -------------------------------------------------------------------------------------------

    async def get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        """Fetch memories by whole ids, whatever their status, expired ones included.

        Args:
            ids: whole ids.

        Returns:
            The memories by id; absent ids are left out.
        """
        self.check_usable()
        ids = [memory_id for memory_id in unique(ids) if is_storable(memory_id)]
        return await self._get(ids) if ids else {}

    async def select(
        self, where: Where, order: Order | None = None, limit: int | None = None, offset: int = 0
    ) -> list[MemoryRecord]:
        """List memories.

        Args:
            where: which memories.
            order: in which order; None for the newest first.
            limit: how many at most; None for all.
            offset: how many to skip.

        Returns:
            The memories, in order.

        Raises:
            ValidationError: the order is unknown, or a bound is negative.
        """
        self.check_usable()
        order = check_order(order)
        check_slice(limit, offset)
        return await self._select(where, order, limit, offset)

    async def count(self, where: Where) -> int:
        """Count memories, exactly.

        Args:
            where: which memories.

        Returns:
            How many there are.
        """
        self.check_usable()
        return await self._count(where)

    async def groups(self, where: Where, by: GroupBy) -> list[Group]:
        """Count memories per value of one field.

        Args:
            where: which memories.
            by: the field; memories without it are left out.

        Returns:
            The groups, the largest first.

        Raises:
            ValidationError: memories cannot be grouped by it.
        """
        self.check_usable()
        return await self._groups(where, check_group(by))

    async def scan(self, where: Where, batch: int = 1000) -> AsyncIterator[list[MemoryRecord]]:
        """Iterate over all memories in the order they were stored, in batches, for export and rebuilding.

        Args:
            where: which memories.
            batch: how many memories at once at most.

        Yields:
            Batches of at least one memory.
        """
        self.check_usable()
        async for page in self._scan(where, batch):
            if page:
                yield page
            self.check_usable()  # somebody may have closed it meanwhile

    async def resolve(
        self,
        reference: str,
        *,
        what: str = "memory",
        statuses: Sequence[Status] = (),
        types: Sequence[MemoryType] = (),
        expired: bool = False,
    ) -> MemoryRecord:
        """Find the one memory that an id, a key or a unique prefix of an id means, in that order.

        Args:
            reference: an id, a key or a prefix.
            what: how an error calls what is looked for.
            statuses: only memories with one of these; empty for all.
            types: only memories of one of these; empty for all.
            expired: also those that have expired.

        Returns:
            The memory.

        Raises:
            MemoryNotFoundError: there is none, or it has expired.
            AmbiguousIdError: several begin so.
            IntegrityError: it is damaged.
            ValidationError: the reference is empty, or nothing can be called so.
        """  # noqa: DOC501
        self.check_usable()
        if not isinstance(reference, str) or not reference.strip():
            raise ValidationError(
                "the id is empty", hint="give an id, a key, or the first characters of an id"
            )
        check_storable("id", reference := normal_name(reference))
        moment = clock.now()

        def meant(record: MemoryRecord) -> bool:
            return (
                (not statuses or record.status in statuses)
                and (not types or record.memory_type in types)
                and (expired or not record.expired(moment))
            )

        exact = (await self._get([reference])).get(reference)
        if exact is not None and meant(exact):
            return exact
        where = Where(
            keys=(reference,),
            types=tuple(types),
            statuses=tuple(statuses),
            expired=None if expired else False,
        )
        keyed = await self._select(where, Order(), None, 0)
        matches = [record for record in keyed if record.status is Status.ACTIVE] or keyed
        if not matches and len(reference) >= SHORTEST_PREFIX:
            ids = await self._by_prefix(reference.lower(), 50)
            records = (await self._get(ids)).values() if ids else ()
            matches = sorted(filter(meant, records), key=lambda record: record.id)
        if len(matches) > 1:
            raise AmbiguousIdError(reference, [record.id for record in matches])
        if not matches:
            if (damage := await self._damage(reference)) is not None:
                raise IntegrityError.damaged(*damage)
            raise MemoryNotFoundError(reference, what=what)
        return matches[0]

    async def neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        """Return the active messages around one in its conversation, itself included.

        Args:
            message_id: the whole id of a message.
            before: how many messages before it.
            after: how many messages after it.

        Returns:
            The messages, oldest first; none if it is no message of a conversation.
        """
        self.check_usable()
        return await self._neighbours(message_id, before, after)

    async def adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        """Return, for each of these messages, the id of the active one before or after it.

        Args:
            message_ids: whole ids of messages.
            step: -1 for the one before, 1 for the one after.

        Returns:
            The ids of the others by id. Left out are those without one, and what is no message of a conversation.
        """
        self.check_usable()
        return await self._adjacent(unique(message_ids), step) if message_ids else {}

    async def version(self) -> int:
        """Return a number that moves with every write of anybody, for caches."""
        self.check_usable()
        return await self._version()

    @abstractmethod
    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        """Fetch memories by id; there is at least one id, none twice."""

    @abstractmethod
    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        """List memories in an order."""

    @abstractmethod
    async def _count(self, where: Where) -> int:
        """Count memories, exactly."""

    @abstractmethod
    async def _groups(self, where: Where, by: GroupBy) -> list[Group]:
        """Count memories per value of one field; the most first, equal ones by value."""

    @abstractmethod
    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        """Iterate over all memories in the order they were stored; `paged` helps."""

    async def _damage(self, reference: str) -> tuple[str, str] | None:
        """Return the name of a damaged memory that a reference means, and what is wrong with it."""
        return None

    @abstractmethod
    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        """List ids that begin so, whatever their status."""

    @abstractmethod
    async def _neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        """Return the active messages around one in its conversation, itself included, oldest first."""

    @abstractmethod
    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        """Return the id of the active message beside each; there is at least one id, none twice."""

    @abstractmethod
    async def _version(self) -> int:
        """Return a number that moves with every write of anybody."""

    # --- what one search asks ------------------------------------------------------------------------------

    async def candidates(self, request: CandidateRequest) -> Candidates:
        """Return candidates by keyword and by key, and what a search has to know about the store.

        Args:
            request: what the search asks for.

        Returns:
            The candidates.
        """
        self.check_usable()
        return await self._candidates(request)

    async def search_context(self, request: ContextRequest) -> SearchContext:
        """Return candidates as records, with all that scores them.

        Args:
            request: what the search asks for.

        Returns:
            The records and what scores them.
        """
        self.check_usable()
        return await self._search_context(request)

    async def select_each(self, selections: Sequence[Selection]) -> list[list[MemoryRecord]]:
        """List memories by several filters at once.

        Args:
            selections: what to list.

        Returns:
            The memories of each selection, in its order; one that fits several filters is in each of their lists.
        """
        self.check_usable()
        return await self._select_each(selections) if selections else []

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        """Answer it by the single methods; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.candidates(self, request)

    async def _search_context(self, request: ContextRequest) -> SearchContext:
        """Answer it by the single methods; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.search_context(self, request)

    async def _select_each(self, selections: Sequence[Selection]) -> list[list[MemoryRecord]]:
        """Answer them by the single methods; a database does so in one visit."""
        from agent_memory.storage import retrieval

        return await retrieval.select_each(self, selections)

    # --- upkeep --------------------------------------------------------------------------------------------

    async def describe(self) -> StoreDescription:
        """Describe what and where the store is, without reading much of it."""
        self.check_usable()
        return await self._describe()

    async def durability(self) -> Durability | None:
        """Return what the store's settings promise about an acknowledged write; None where that is not known."""
        self.check_usable()
        return await self._durability()

    async def check(self) -> list[str]:
        """Compare everything that must agree (rows, words, vectors, checksums).

        Returns:
            One line per fault.
        """
        self.check_usable()
        return await self._check()

    async def rebuild(self) -> None:
        """Make everything derived (words and vector index) anew from the rows and the stored vectors."""
        self.check_writable()
        await self._rebuild()

    async def repair(self) -> Repair:
        """Do what `rebuild` does.

        Returns:
            What is left, and what was mended.
        """
        before = await self.check()
        await self.rebuild()
        left = await self._check()
        return Repair(
            left, mended=(integrity_error for integrity_error in before if integrity_error not in set(left))
        )

    async def secure_vacuum(self) -> None:
        """Overwrite what was erased, so that no byte of it is left in the store's own files."""
        self.check_writable()
        await self._secure_vacuum()

    @abstractmethod
    async def _describe(self) -> StoreDescription:
        """Describe what and where the store is."""

    async def _durability(self) -> Durability | None:
        """Read the settings that say what an acknowledged write survives; None where nothing is known."""
        return None

    @abstractmethod
    async def _check(self) -> list[str]:
        """Compare everything that must agree; one line per fault."""

    @abstractmethod
    async def _rebuild(self) -> None:
        """Make everything derived anew."""

    @abstractmethod
    async def _secure_vacuum(self) -> None:
        """Overwrite what was erased."""


async def paged(
    read: Callable[[int], Awaitable[tuple[list[MemoryRecord], int]]],
) -> AsyncIterator[list[MemoryRecord]]:
    """Iterate over pages, for a `_scan` that goes on where the page before ended.

    Args:
        read: returns the memories behind a sequence number, and the number to go on from; 0 when that was all.

    Yields:
        The pages, some of them empty perhaps.
    """
    page, after = await read(0)
    yield page
    while after:
        page, after = await read(after)
        yield page
