"""What a document store has still to embed, and what it remembers of texts that are not embedded whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents.attempts import Attempts, name_of, vectors_of
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.hooks import DocumentHooks, Segments
from agent_memory.storage.documents.manifest import Manifest, check_vector, check_vectors
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.write_batch import WriteBatch, begin
from agent_memory.storage.where import Where

T = TypeVar("T")
_EVERYTHING = Where(statuses=(), expired=None)


class PendingTexts(DocumentHooks):
    """The part of `DocumentStore` that knows what is pending."""

    @abstractmethod
    async def _manifest(self) -> Manifest:
        """Read the manifest."""

    @abstractmethod
    def _admitted(self, query: Query) -> AsyncIterator[Document]:
        """Iterate over the documents that a query admits."""

    @abstractmethod
    async def _written(self, prepare: Callable[[], Awaitable[tuple[WriteBatch, T]]]) -> T:
        """Plan a write and write it, until nobody was faster."""

    @abstractmethod
    async def _embed(
        self, write_batch: WriteBatch, given: Mapping[bytes, Segments], space: EmbeddingSpace | None
    ) -> None:
        """Give documents the vectors that come with the write."""

    async def pending(
        self, limit: int, space: EmbeddingSpace | None = None, *, failed: bool | None = None
    ) -> list[MemoryRecord]:
        found = sorted(
            await self._owing(space, failed),
            key=lambda item: (item.record.created_at, item.sequence),
            reverse=True,
        )
        return [result.record for result in found[:limit]]

    async def pending_count(self, space: EmbeddingSpace | None = None, *, failed: bool | None = None) -> int:
        return len(await self._owing(space, failed))

    async def _owing(self, space: EmbeddingSpace | None, failed: bool | None) -> list[Document]:
        self.check_usable()
        manifest = await self._manifest()
        space = space or manifest.current()
        kept = Attempts(0) if space is None or failed is None else await self._attempts(manifest, space.id)
        if failed and not kept.kept:
            return []
        query = Query(where=Where(), now=clock.now(), pending_in=None if space is None else space.id)
        found = [item async for item in self._admitted(query)]
        if failed is None:
            return found
        return [result for result in found if kept.failed(result.embedding_hash) == failed]

    async def put_vectors(self, space: EmbeddingSpace, vectors: Mapping[bytes, Sequence[bytes]]) -> None:
        self.check_usable()

        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space)
            check_vectors(target, vectors)
            await self._embed(write_batch, vectors, target)
            await self._forget_attempts(write_batch)
            return write_batch, None

        await self._written(prepare)

    # --- texts that are not embedded whole -----------------------------------------------------------------

    async def _attempts(self, manifest: Manifest, space_id: int) -> Attempts:
        if not manifest.attempts.get(space_id):
            return Attempts(space_id)
        return Attempts.from_json(space_id, await self._load_meta(name_of(space_id)))

    async def attempts(self, space: EmbeddingSpace, digests: Collection[bytes]) -> dict[bytes, Attempt]:
        self.check_usable()
        kept = (await self._attempts(await self._manifest(), space.id)).kept
        return {digest: kept[digest].attempt for digest in digests if digest in kept}

    async def kept_segments(self, space: EmbeddingSpace, digest: bytes) -> list[bytes]:
        self.check_usable()
        found = await self._attempts(await self._manifest(), space.id)
        if digest not in found.kept:
            return []
        segments: list[bytes] = []
        for name in found.parts(digest):
            segments += vectors_of(await self._load_meta(name), space.dimension)
        return segments if len(segments) == found.kept[digest].attempt.kept else []

    async def keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[bytes, Attempt],
        vectors: Mapping[bytes, Sequence[bytes]] | None = None,
    ) -> None:
        self.check_usable()

        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space)
            for segments in (vectors or {}).values():
                for segment in segments:
                    check_vector(target, segment)
            found = await self._attempts(write_batch.before, target.id)
            # What was erased while it was embedded leaves nothing.
            query = Query(where=_EVERYTHING, now=clock.now(), embedding_hashes=tuple(attempts))
            held = {item.embedding_hash async for item in self._admitted(query)} if attempts else set()
            wanted = {digest: attempt for digest, attempt in attempts.items() if digest in held}
            _note_attempts(write_batch, *found.with_more(wanted, vectors or {}))
            return write_batch, None

        await self._written(prepare)

    async def _forget_attempts(self, write_batch: WriteBatch) -> None:
        """Forget the attempts at texts that are embedded by now, and at those that went or were replaced.

        Where another memory has such a text, its embedding begins anew.
        """
        for space_id, count in write_batch.before.attempts.items():
            gone = write_batch.unneeded() | write_batch.embedded(space_id) if count else set()
            found = await self._attempts(write_batch.before, space_id) if gone else Attempts(space_id)
            if not gone.isdisjoint(found.kept):
                _note_attempts(write_batch, *found.without(gone))


def _note_attempts(write_batch: WriteBatch, attempts: Attempts, beside: Mapping[str, str | None]) -> None:
    """Note attempts to be kept, and the texts that come and go with them."""
    write_batch.metas |= {**beside, attempts.name: attempts.to_json()}
    counts = {**write_batch.manifest.attempts, attempts.space_id: len(attempts.kept)}
    write_batch.manifest = replace(write_batch.manifest, attempts=counts)
