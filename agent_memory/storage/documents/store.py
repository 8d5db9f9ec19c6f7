"""The core of the contract, made of the few things that a store of documents can do.

What a backend cannot push down is done here, in plain Python and alike everywhere: filters are applied after
fetching, lists are ordered in memory, and a write is planned under a lock of this process. So several processes may
read such a store at once; that several may write, a backend has to see to itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import anyio

from agent_memory import clock, paths
from agent_memory.batching import batched
from agent_memory.errors import ConflictError, StoreBusyError
from agent_memory.records import MemoryRecord, MemoryType
from agent_memory.storage import listing, moved, planning, renewal
from agent_memory.storage.base import (
    EmbeddingSpace,
    Group,
    GroupBy,
    Order,
    StoreDescription,
)
from agent_memory.storage.changes import SHORTEST_PREFIX, Change, Operation, Written
from agent_memory.storage.damage import Damaged
from agent_memory.storage.documents.checking import integrity_errors
from agent_memory.storage.documents.document import Document, document_of
from agent_memory.storage.documents.hooks import READ_AT_ONCE, DocumentHooks
from agent_memory.storage.documents.manifest import Manifest
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.write_batch import (
    Segments,
    WriteBatch,
    WriteConflict,
    apply_plan,
    begin,
)
from agent_memory.storage.where import Condition, Where
from agent_memory.text.analysis import ANALYSER
from agent_memory.text.names import normal_value

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

T = TypeVar("T")
ATTEMPTS: Final = 200
"""How often a write is planned anew on what others wrote meanwhile."""
EVERYTHING = Where(statuses=(), expired=None)


class Documents(DocumentHooks):
    """A store over something that keeps documents by id and may narrow them down by a query.

    What it knows of vectors is that a write may come with some: `VectorDocuments` keeps them.
    """

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.requested_agent = paths.check_agent_id(agent_id or "default")
        self._lock = anyio.Lock()

    async def _open(self) -> str:
        await self._connect()
        return str(self.requested_agent)

    async def _bring_up_to_date(self) -> None:
        """Renew the memories that an earlier version stored, and note which words wait."""
        manifest = await self._manifest()
        if (manifest.form, manifest.analyser) == (renewal.FORM, ANALYSER):
            return
        if manifest.form != renewal.FORM:
            records = [item.record for item in await self._matching(EVERYTHING)]
            await self.commit(Operation(verb=renewal.RENEW), renewal.renewals(records, clock.now()))

        def change(manifest: Manifest) -> tuple[Manifest, None]:
            settings = {name: normal_value(text) for name, text in manifest.settings.items()}
            manifest = replace(manifest, form=renewal.FORM, settings=settings)
            return manifest if manifest.analyser == ANALYSER else manifest.outdated(), None

        await self._change_manifest(change, renewal.RENEW)

    async def _manifest(self) -> Manifest:
        text = await self._load_meta("head")
        if text is None:  # nothing that an earlier version wrote
            return Manifest(self.agent_id, form=renewal.FORM, analyser=ANALYSER)
        return Manifest.from_json(text)

    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[TextHash, Sequence[Vector]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        async def prepare() -> tuple[WriteBatch, list[Written]]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space) if vectors else None
            needs = planning.needs(changes)
            state, documents = await self._facts(needs, write_batch.before)
            plan = planning.plan(operation, changes, state, self.agent_id, needs.digests)
            removed = {record.id for record in plan.removes}
            taken = await self._present([item.id for item in plan.inserts if item.id not in removed])
            if taken:
                raise ConflictError(taken[0])
            if not plan.empty:
                apply_plan(write_batch, plan, documents)
            await self._embed(write_batch, vectors, target)
            await self._forget_attempts(write_batch)
            return write_batch, list(plan.written)

        return await self._written(prepare, operation.verb)

    async def _written(
        self, prepare: Callable[[], Awaitable[tuple[WriteBatch, T]]], verb: str | None = None
    ) -> T:
        """Plan a write and write it, until nobody was faster; whole, even if the caller is cancelled meanwhile.

        `verb` is what the operation does, if the write is one: some are done though the agent was moved.

        Returns:
            What was prepared beside the write.
        """  # noqa: DOC501
        with anyio.CancelScope(shield=True):
            for attempt in range(ATTEMPTS):
                async with self._lock:
                    write_batch, result = await prepare()
                    # Whoever sets the mark moves the version, so a write that does not see it is planned anew.
                    moved.check(write_batch.before.settings.get(moved.SETTING), verb)
                    try:
                        await self._write(write_batch)
                        return result
                    except WriteConflict:
                        pass
                await anyio.sleep(min(0.001 * attempt, 0.05))
        raise StoreBusyError(f"the {self.name} store")

    async def _facts(
        self, needs: planning.Needs, manifest: Manifest
    ) -> tuple[planning.State, dict[str, Document]]:
        """Read what decides the outcome of a write, and the documents of what it may change."""
        now = clock.now()
        state = planning.State(last_hlc=manifest.last_hlc)
        documents = await self._read(sorted(needs.ids)) if needs.ids else {}
        for hashes in batched(sorted(needs.hashes), READ_AT_ONCE):
            known = [
                item
                async for item in self._admitted(Query(where=Where(), now=now, content_hashes=tuple(hashes)))
            ]
            for document in sorted(known, key=lambda item: item.sequence):
                state.by_hash.setdefault(document.content_hash, document.id)
                documents[document.id] = document
        for part in batched(sorted(needs.keys), READ_AT_ONCE):
            where = Where(keys=tuple(dict.fromkeys(key for _, key in part)), expired=None)
            async for document in self._admitted(Query(where=where, now=now)):
                key = (MemoryType(document.record.memory_type), document.record.key or "")
                if key in needs.keys:
                    state.by_key[key] = document.id
                    documents[document.id] = document
        for conversation in needs.conversations:
            last = await self._last_position(conversation)
            if last is not None:
                state.last_position[conversation] = last
        state.records = {memory_id: document.record for memory_id, document in documents.items()}
        return state, documents

    async def _last_position(self, conversation_id: str) -> int | None:
        """Return the highest position in a conversation, archived messages included."""
        return max(
            (sequence for sequence, _ in await self._messages(conversation_id, EVERYTHING)), default=None
        )

    async def _present(self, ids: Sequence[str]) -> list[str]:
        """Return those of the ids that are taken."""
        return [item for part in batched(ids, READ_AT_ONCE) for item in await self._read(part)]

    async def _embed(
        self, write_batch: WriteBatch, new_vectors: Mapping[TextHash, Segments], space: EmbeddingSpace | None
    ) -> None:
        """Give documents the vectors that come with the write, or that another document of the same text has."""

    async def _forget_attempts(self, write_batch: WriteBatch) -> None:
        """Forget the attempts at texts that are embedded by now, and at those that were deleted or replaced."""

    async def _change_manifest(
        self, change: Callable[[Manifest], tuple[Manifest, T]], verb: str | None = None
    ) -> T:
        """Write what `change` makes of the manifest; it returns the new head and the result."""

        async def prepare() -> tuple[WriteBatch, T]:
            write_batch = begin(await self._manifest())
            write_batch.manifest, result = change(write_batch.manifest)
            return write_batch, result

        return await self._written(prepare, verb)

    async def _set_setting(self, name: str, value: str | None) -> None:
        await self._change_manifest(lambda manifest: (manifest.with_setting(name, value), None))

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        def change(manifest: Manifest) -> tuple[Manifest, bool]:
            if manifest.settings.get(moved.SETTING) != before:
                return manifest, False
            return manifest.with_setting(moved.SETTING, after), True

        return await self._change_manifest(change, renewal.RENEW)

    async def _setting(self, name: str) -> str | None:
        return (await self._manifest()).settings.get(name)

    # --- reading -------------------------------------------------------------------------------------------

    async def _admitted(self, query: Query) -> AsyncIterator[Document]:
        async for page in self._find(query):
            for document in page:
                if query.admits(document):
                    yield document

    async def _matching(self, where: Where) -> list[Document]:
        """Return all documents that a filter admits, in the order in which they were stored."""
        if where.ids is not None and not where.ids:
            return []
        documents = [item async for item in self._admitted(Query(where=where, now=clock.now()))]
        return sorted(documents, key=lambda item: item.sequence)

    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        documents = {
            item.id: item for part in batched(ids, READ_AT_ONCE) for item in (await self._read(part)).values()
        }
        return {memory_id: documents[memory_id].record for memory_id in ids if memory_id in documents}

    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        by, descending = order
        documents = await self._matching(where)
        documents.sort(
            key=lambda item: (listing.sort_value(item.record, by), item.sequence), reverse=descending
        )
        return [result.record for result in documents[offset : None if limit is None else offset + limit]]

    async def _count(self, where: Where) -> int:
        return len(await self._matching(where))

    async def _groups(self, where: Where, by: GroupBy) -> list[Group]:
        return listing.grouped((item.record for item in await self._matching(where)), by)

    async def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        # What is there is settled at once; each page is read when its turn comes, as others go on writing.
        ids = [item.id for item in await self._matching(where)]
        for part in batched(ids, batch):
            query = Query(where=where, now=clock.now())
            page = [item for item in (await self._read(part)).values() if query.admits(item)]
            yield [item.record for item in sorted(page, key=lambda item: item.sequence)]

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return [item.id for item in await self._matching(EVERYTHING) if item.id.startswith(prefix)][:limit]

    async def _messages(self, conversation_id: str, where: Where) -> list[tuple[int, MemoryRecord]]:
        """Return the messages and summaries of a conversation that have a position, in its order."""
        condition = Condition("conversation_id", "=", conversation_id)
        fitting = replace(where, types=(MemoryType.CONVERSATION,), fields=(condition,))
        records = [item.record for item in await self._matching(fitting)]
        messages = [
            (sequence[1], record) for record in records if (sequence := listing.placed(record)) is not None
        ]
        return sorted(messages, key=lambda pair: pair[0])

    async def _neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        sequence = listing.placed((await self._get([message_id])).get(message_id))
        if sequence is None:
            return []
        conversation_id, here = sequence
        return listing.around(here, await self._messages(conversation_id, Where()), before, after)

    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        result: dict[str, str] = {}
        conversations: dict[str, list[tuple[int, MemoryRecord]]] = {}
        for record in (await self._get(message_ids)).values():
            sequence = listing.placed(record)
            if sequence is None or not is_message(record):
                continue
            conversation_id, here = sequence
            if conversation_id not in conversations:
                conversations[conversation_id] = await self._messages(conversation_id, Where())
            other = listing.beside(here, conversations[conversation_id], step, is_message)
            if other is not None:
                result[record.id] = other.id
        return result

    async def _version(self) -> int:
        return (await self._manifest()).version

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _describe(self) -> StoreDescription:
        return StoreDescription(backend=self.name, location=self._location(), agent_id=self.agent_id)

    def _location(self) -> str:
        """Return where the documents are, for people; no password in it."""
        return str(self.settings.get("url") or self.settings.get("path") or "here")

    async def _check(self) -> list[str]:
        announced, self.damaged = self.damaged, Damaged()
        try:
            documents = await self._matching(EVERYTHING)
            errors = await self._integrity_errors(await self._manifest(), documents)
            return [*(f"{name}: {why}" for name, why in self.damaged.items()), *errors]
        finally:
            self.damaged = announced

    async def _damage(self, reference: str) -> tuple[str, str] | None:
        whole = f"memory {reference}"
        if whole not in self.damaged and len(reference) >= SHORTEST_PREFIX:
            whole = next((name for name in self.damaged if name.startswith(whole)), whole)
        return (whole, self.damaged[whole]) if whole in self.damaged else None

    async def _integrity_errors(self, manifest: Manifest, documents: Sequence[Document]) -> list[str]:
        """Return one line per fault; the documents are all there are."""
        return integrity_errors(manifest, documents)

    async def _rebuild(self) -> None:
        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            for item in await self._matching(EVERYTHING):
                write_batch.change(item, document_of(item.sequence, item.record, item.embedded))
            write_batch.manifest = replace(
                write_batch.manifest, renewed_up_to=write_batch.manifest.outdated_up_to
            )
            await self._forget_attempts(write_batch)  # at texts that are made by another template version now
            return write_batch, None

        await self._written(prepare, renewal.RENEW)

    async def _secure_vacuum(self) -> None:
        """Do nothing: what a service does with what was deleted is its own affair."""


def is_message(record: MemoryRecord) -> bool:
    """Return whether a memory is a message of a conversation, rather than a summary or anything else."""
    return getattr(record, "kind", None) == "message"
