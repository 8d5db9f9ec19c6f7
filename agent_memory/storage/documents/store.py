"""The whole contract, made of the few things that a store of documents can do.

What a backend cannot push down is done here, in plain Python and alike everywhere: filters are applied after
fetching, lists are ordered in memory, and a write is planned under a lock of this process. So several processes may
read such a store at once; that several may write, a backend has to see to itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeVar

import anyio

from agent_memory import clock, paths
from agent_memory.errors import ConflictError, StoreBusyError
from agent_memory.records import MemoryRecord, MemoryType
from agent_memory.storage import listing, planning, renewal
from agent_memory.storage.base import (
    EmbeddingSpace,
    Group,
    GroupBy,
    Order,
    StoreDescription,
    check_group,
    check_order,
    unique,
)
from agent_memory.storage.changes import Change, Operation, Written
from agent_memory.storage.documents.checking import integrity_errors
from agent_memory.storage.documents.document import Document, document_of
from agent_memory.storage.documents.hooks import Nearest, Segments
from agent_memory.storage.documents.manifest import Manifest, check_vector, check_vectors
from agent_memory.storage.documents.pending import PendingTexts
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.sample import Sample
from agent_memory.storage.documents.write_batch import (
    WriteBatch,
    WriteConflict,
    apply_plan,
    apply_vectors,
    begin,
)
from agent_memory.storage.where import Condition, Where
from agent_memory.text.analysis import ANALYSER
from agent_memory.text.names import normal_value

T = TypeVar("T")
ATTEMPTS: Final = 200
"""How often a write is planned anew on what others wrote meanwhile."""
_EVERYTHING = Where(statuses=(), expired=None)

__all__ = ["DocumentStore", "Nearest"]


class DocumentStore(PendingTexts):
    """A store over something that keeps documents by id and may narrow them down by a query."""

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.requested_agent = paths.check_agent_id(agent_id or "default")
        self._lock = anyio.Lock()
        self._sampled: dict[tuple[int, int, int], list[bytes]] = {}

    async def _open(self) -> str:
        self._sampled = {}
        await self._connect()
        return str(self.requested_agent)

    async def open(self) -> None:
        await super().open()
        try:
            await self._bring_up_to_date()
        except BaseException:
            await self.close()
            raise

    async def _bring_up_to_date(self) -> None:
        """Renew the memories that an earlier version stored, and note which words wait."""
        manifest = await self._manifest()
        if (manifest.form, manifest.analyser) == (renewal.FORM, ANALYSER):
            return
        if manifest.form != renewal.FORM:
            records = [item.record for item in await self._matching(_EVERYTHING)]
            await self.commit(Operation(verb=renewal.RENEW), renewal.renewals(records, clock.now()))

        def change(manifest: Manifest) -> tuple[Manifest, None]:
            settings = {name: normal_value(text) for name, text in manifest.settings.items()}
            manifest = replace(manifest, form=renewal.FORM, settings=settings)
            return manifest if manifest.analyser == ANALYSER else manifest.outdated(), None

        await self._change_manifest(change)

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
        vectors: Mapping[bytes, Sequence[bytes]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        async def prepare() -> tuple[WriteBatch, list[Written]]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space) if vectors else None
            if target is not None:
                check_vectors(target, vectors)
            needs = planning.needs(changes)
            state, held = await self._facts(needs, write_batch.before)
            plan = planning.plan(operation, changes, state, self.agent_id, needs.digests)
            removed = {record.id for record in plan.removes}
            taken = await self._present([item.id for item in plan.inserts if item.id not in removed])
            if taken:
                raise ConflictError(taken[0])
            if not plan.empty:
                apply_plan(write_batch, plan, held)
            await self._embed(write_batch, vectors, target)
            await self._forget_attempts(write_batch)
            return write_batch, list(plan.written)

        return await self._written(prepare)

    async def _written(self, prepare: Callable[[], Awaitable[tuple[WriteBatch, T]]]) -> T:
        """Plan a write and write it, until nobody was faster; whole, even if the caller is cancelled meanwhile."""
        with anyio.CancelScope(shield=True):
            for attempt in range(ATTEMPTS):
                async with self._lock:
                    write_batch, result = await prepare()
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
        held = await self._read(sorted(needs.ids)) if needs.ids else {}
        for part in _parts(sorted(needs.hashes)):
            known = [
                item async for item in self._admitted(Query(where=Where(), now=now, content_hashes=part))
            ]
            for document in sorted(known, key=lambda item: item.sequence):
                state.by_hash.setdefault(document.content_hash, document.id)
                held[document.id] = document
        for part in _parts(sorted(needs.keys)):
            where = Where(keys=tuple(dict.fromkeys(key for _, key in part)), expired=None)
            async for document in self._admitted(Query(where=where, now=now)):
                key = (MemoryType(document.record.memory_type), document.record.key or "")
                if key in needs.keys:
                    state.by_key[key] = document.id
                    held[document.id] = document
        for conversation in needs.conversations:
            last = await self._last_position(conversation)
            if last is not None:
                state.last_position[conversation] = last
        state.records = {memory_id: document.record for memory_id, document in held.items()}
        return state, held

    async def _last_position(self, conversation_id: str) -> int | None:
        """Return the highest position in a conversation, archived messages included."""
        return max(
            (sequence for sequence, _ in await self._messages(conversation_id, _EVERYTHING)), default=None
        )

    async def _present(self, ids: Sequence[str]) -> list[str]:
        """Return those of the ids that are taken."""
        return [item for part in _parts(ids) for item in await self._read(part)]

    async def _embed(
        self, write_batch: WriteBatch, given: Mapping[bytes, Segments], space: EmbeddingSpace | None
    ) -> None:
        """Give documents the vectors that come with the write, or that another document of the same text has."""
        if not write_batch.manifest.spaces:
            return
        hashes = {*given, *(item.embedding_hash for _, item in write_batch.changed.values())}
        duplicates: list[Document] = []
        for part in _parts(sorted(hashes)):
            query = Query(where=_EVERYTHING, now=clock.now(), embedding_hashes=part)
            duplicates += [item async for item in self._admitted(query)]
        known: dict[int, dict[bytes, Segments]] = {}
        for item in write_batch.manifest.spaces:
            sources = {
                duplicate.embedding_hash: duplicate
                for duplicate in duplicates
                if item.id in duplicate.embedded and duplicate.id not in write_batch.removed
            }
            missing = {
                document.embedding_hash
                for document in (*(after for _, after in write_batch.changed.values()), *duplicates)
                if item.id not in document.embedded
            }
            wanted = [duplicate for digest, duplicate in sources.items() if digest in missing]
            if wanted:
                segments = await self._read_vectors(item.id, wanted)
                known[item.id] = {duplicate.embedding_hash: segments[duplicate.id] for duplicate in wanted}
        apply_vectors(write_batch, given, space, duplicates, known)
        await self._count_vectors(write_batch)

    async def _count_vectors(self, write_batch: WriteBatch) -> None:
        """Count what is stored, and let some of it into the sample."""
        counts = dict(write_batch.manifest.vectors)
        for space_id, vectors in write_batch.vectors.items():
            counted = counts.get(space_id, 0)
            sequences = [
                (memory_id, segment)
                for memory_id, segments in vectors.items()
                for segment in range(len(segments))
            ]
            sample = Sample.from_json(await self._load_meta(f"sample-{space_id}"))
            more = sample.with_more(counted, sequences)
            if more != sample:
                write_batch.metas[f"sample-{space_id}"] = more.to_json()
            counts[space_id] = counted + len(sequences)
        write_batch.manifest = replace(write_batch.manifest, vectors=counts)

    async def _change_manifest(self, change: Callable[[Manifest], tuple[Manifest, T]]) -> T:
        """Write what `change` makes of the manifest; it returns the new head and the result."""

        async def prepare() -> tuple[WriteBatch, T]:
            write_batch = begin(await self._manifest())
            write_batch.manifest, result = change(write_batch.manifest)
            return write_batch, result

        return await self._written(prepare)

    async def touch(self, ids: Sequence[str]) -> None:
        self.check_usable()
        if not ids:
            return
        moment = clock.now()
        with anyio.CancelScope(shield=True):
            async with self._lock:
                found = await self._read(unique(ids))
                await self._save(
                    [
                        replace(
                            result,
                            record=replace(
                                result.record, accessed_at=moment, access_count=result.record.access_count + 1
                            ),
                        )
                        for result in found.values()
                    ]
                )

    async def set_setting(self, name: str, value: str | None) -> None:
        self.check_usable()

        def change(manifest: Manifest) -> tuple[Manifest, None]:
            settings = {item: text for item, text in manifest.settings.items() if item != name}
            return replace(manifest, settings=settings | ({} if value is None else {name: value})), None

        await self._change_manifest(change)

    async def setting(self, name: str) -> str | None:
        self.check_usable()
        return (await self._manifest()).settings.get(name)

    # --- reading -------------------------------------------------------------------------------------------

    async def _admitted(self, query: Query) -> AsyncIterator[Document]:
        async for page in self._find(query):
            for document in page:
                if query.admits(document):
                    yield document

    async def _matching(self, where: Where) -> list[Document]:
        """Return all documents that a filter admits, in the order in which they were stored."""
        self.check_usable()
        if where.ids is not None and not where.ids:
            return []
        found = [item async for item in self._admitted(Query(where=where, now=clock.now()))]
        return sorted(found, key=lambda item: item.sequence)

    async def get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        self.check_usable()
        found = dict.fromkeys(unique(ids))
        documents = {
            item.id: item for part in _parts(list(found)) for item in (await self._read(part)).values()
        }
        return {result: documents[result].record for result in found if result in documents}

    async def select(
        self, where: Where, order: Order | None = None, limit: int | None = None, offset: int = 0
    ) -> list[MemoryRecord]:
        by, descending = check_order(order)
        listing.check_slice(limit, offset)
        found = await self._matching(where)
        found.sort(key=lambda item: (listing.sort_value(item.record, by), item.sequence), reverse=descending)
        return [result.record for result in found[offset : None if limit is None else offset + limit]]

    async def count(self, where: Where) -> int:
        return len(await self._matching(where))

    async def groups(self, where: Where, by: GroupBy) -> list[Group]:
        check_group(by)
        return listing.grouped((item.record for item in await self._matching(where)), by)

    async def scan(self, where: Where, batch: int = 1000) -> AsyncIterator[list[MemoryRecord]]:
        # What is there is settled at once; each page is read when its turn comes, as others go on writing.
        ids = [item.id for item in await self._matching(where)]
        for part in _parts(ids, batch):
            found = (await self._read(part)).values()
            query = Query(where=where, now=clock.now())
            page = sorted(
                (result for result in found if query.admits(result)), key=lambda item: item.sequence
            )
            if page:
                yield [item.record for item in page]

    async def _scan(self, where: Where, after: int, limit: int) -> tuple[list[MemoryRecord], int]:
        found = [item for item in await self._matching(where) if item.sequence > after][:limit]
        return [result.record for result in found], found[-1].sequence if len(found) == limit else 0

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return [item.id for item in await self._matching(_EVERYTHING) if item.id.startswith(prefix)][:limit]

    async def _messages(self, conversation_id: str, where: Where) -> list[tuple[int, MemoryRecord]]:
        """Return the messages and summaries of a conversation that have a position, in its order."""
        condition = Condition("conversation_id", "=", conversation_id)
        fitting = replace(where, types=(MemoryType.CONVERSATION,), fields=(condition,))
        records = [item.record for item in await self._matching(fitting)]
        found = [
            (sequence[1], record) for record in records if (sequence := listing.placed(record)) is not None
        ]
        return sorted(found, key=lambda pair: pair[0])

    async def neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        sequence = listing.placed((await self.get([message_id])).get(message_id))
        if sequence is None:
            return []
        conversation_id, here = sequence
        return listing.around(here, await self._messages(conversation_id, Where()), before, after)

    async def adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        result: dict[str, str] = {}
        conversations: dict[str, list[tuple[int, MemoryRecord]]] = {}
        for record in (await self.get(message_ids)).values():
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

    async def version(self) -> int:
        self.check_usable()
        return (await self._manifest()).version

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        space = (await self._manifest()).current()
        if space is None or (where.ids is not None and not where.ids):
            return []
        check_vector(space, vector)
        query = Query(where=where, now=clock.now())
        wanted = limit
        while True:
            nearest = await self._nearest(space, vector, query, wanted)
            best: dict[str, float] = {}
            for memory_id, cosine in nearest.found:
                best[memory_id] = max(cosine, best.get(memory_id, -2.0))
            if nearest.exact:
                if len(best) >= limit or nearest.complete:
                    return sorted(best.items(), key=lambda pair: -pair[1])[:limit]
                wanted *= 4
                continue
            found = await self._first_admitted(best, query, space, limit)
            if len(found) >= limit or nearest.complete:
                return found[:limit]
            wanted *= 4

    async def _first_admitted(
        self, best: Mapping[str, float], query: Query, space: EmbeddingSpace, limit: int
    ) -> list[tuple[str, float]]:
        """Look at the nearest, in order, until so many are admitted; ties by the order in which they were stored."""
        ranked = sorted(best, key=lambda item: -best[item])
        found: list[Document] = []
        for part in _parts(ranked, max(50, 2 * limit)):
            if len(found) >= limit and best[part[0]] < best[found[limit - 1].id]:
                break
            documents = (await self._read(part)).values()
            found += [
                document for document in documents if query.admits(document) and space.id in document.embedded
            ]
            found.sort(key=lambda item: (-best[item.id], item.sequence))
        return [(result.id, best[result.id]) for result in found]

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        manifest = await self._manifest()
        if space is None and manifest.current() is None:
            return {}
        chosen = manifest.known(space)
        result: dict[str, list[bytes]] = {}
        for part in _parts(unique(ids)):
            held = [item for item in (await self._read(part)).values() if chosen.id in item.embedded]
            if held:
                found = await self._read_vectors(chosen.id, held)
                result.update({memory_id: list(segments) for memory_id, segments in found.items()})
        return result

    async def _sample_vectors(self, limit: int) -> list[bytes]:
        manifest = await self._manifest()
        space = manifest.current()
        counted = 0 if space is None else manifest.vectors.get(space.id, 0)
        if space is None or not counted or limit < 1:
            return []
        key = (space.id, counted.bit_length(), limit)
        if key not in self._sampled:
            sample = Sample.from_json(await self._load_meta(f"sample-{space.id}"))
            sequences = sample.shown(counted, limit)
            held = await self._vectors([memory_id for memory_id, _ in sequences], space)
            self._sampled = {
                key: [held[item][segment] for item, segment in sequences if segment < len(held.get(item, ()))]
            }
        return self._sampled[key]

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def spaces(self) -> list[EmbeddingSpace]:
        self.check_usable()
        return sorted((await self._manifest()).spaces, key=lambda space: (not space.current, space.id))

    async def add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        self.check_usable()
        known = (await self._manifest()).alike(space)
        if known is not None:
            return known

        def change(manifest: Manifest) -> tuple[Manifest, EmbeddingSpace]:
            if manifest.alike(space) is None:
                manifest = manifest.with_space(space)
            added = manifest.alike(space)
            assert added is not None
            return manifest, added

        added = await self._change_manifest(change)
        if any(item.template_version != added.template_version for item in await self.spaces()):
            await self.rebuild()  # the texts to embed are others now
        return added

    async def switch_space(self, space: EmbeddingSpace) -> None:
        self.check_usable()
        await self._change_manifest(lambda manifest: (manifest.switched(space), None))

    # --- upkeep --------------------------------------------------------------------------------------------

    async def describe(self) -> StoreDescription:
        self.check_usable()
        return StoreDescription(backend=self.name, location=self._location(), agent_id=self.agent_id)

    def _location(self) -> str:
        """Return where the documents are, for people; no password in it."""
        return str(self.settings.get("url") or self.settings.get("path") or "here")

    async def check(self) -> list[str]:
        documents = await self._matching(_EVERYTHING)
        manifest = await self._manifest()
        found = integrity_errors(manifest, documents)
        for space in manifest.spaces:
            held = [document for document in documents if space.id in document.embedded]
            for part in _parts(held, 200):
                vectors = await self._read_vectors(space.id, part)
                found += [
                    f"memory {item.id}: its vectors in space {space.id} are not those it should have"
                    for item in part
                    if len(vectors.get(item.id, ())) != item.embedded[space.id]
                    or any(len(segment) != 4 * space.dimension for segment in vectors[item.id])
                ]
        return found

    async def rebuild(self) -> None:
        self.check_usable()

        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            for item in await self._matching(_EVERYTHING):
                write_batch.change(item, document_of(item.sequence, item.record, item.embedded))
            write_batch.manifest = replace(
                write_batch.manifest, renewed_up_to=write_batch.manifest.outdated_up_to
            )
            await self._forget_attempts(write_batch)  # at texts that are made by another template version now
            return write_batch, None

        await self._written(prepare)

    async def secure_vacuum(self) -> None:
        self.check_usable()


def is_message(record: MemoryRecord) -> bool:
    """Return whether a memory is a message of a conversation, rather than a summary or anything else."""
    return getattr(record, "kind", None) == "message"


def _parts(values: Sequence[Any] | Iterable[Any], size: int = 500) -> list[tuple[Any, ...]]:
    held = tuple(values)
    return [held[start : start + size] for start in range(0, len(held), size)]
