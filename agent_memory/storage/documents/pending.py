"""What a document store has still to embed, and what it remembers of texts that are not embedded whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents.attempts import Attempts, name_of, vectors_of
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.manifest import Manifest, check_vector
from agent_memory.storage.documents.nearest import VectorHooks
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.store import EVERYTHING
from agent_memory.storage.documents.write_batch import WriteBatch, begin
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


class PendingTexts(VectorHooks):
    """The part of `VectorDocuments` that knows what is pending."""

    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        documents = sorted(
            await self._owing(space, failed),
            key=lambda item: (item.record.created_at, item.sequence),
            reverse=True,
        )
        return [result.record for result in documents[:limit]]

    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        return len(await self._owing(space, failed))

    async def _owing(self, space: EmbeddingSpace | None, failed: bool | None) -> list[Document]:
        manifest = await self._manifest()
        space = space or manifest.current()
        kept = Attempts(0) if space is None or failed is None else await self._attempts_in(manifest, space.id)
        if failed and not kept.kept:
            return []
        query = Query(where=Where(), now=clock.now(), pending_in=None if space is None else space.id)
        documents = [item async for item in self._admitted(query)]
        if failed is None:
            return documents
        return [result for result in documents if kept.failed(result.embedding_hash) == failed]

    async def _put_vectors(self, space: EmbeddingSpace, vectors: Mapping[TextHash, Sequence[Vector]]) -> None:
        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space)
            await self._embed(write_batch, vectors, target)
            await self._forget_attempts(write_batch)
            return write_batch, None

        await self._written(prepare)

    # --- texts that are not embedded whole -----------------------------------------------------------------

    async def _attempts_in(self, manifest: Manifest, space_id: int) -> Attempts:
        if not manifest.attempts.get(space_id):
            return Attempts(space_id)
        return Attempts.from_json(space_id, await self._load_meta(name_of(space_id)))

    async def _attempts(
        self, space: EmbeddingSpace, digests: Collection[TextHash]
    ) -> dict[TextHash, Attempt]:
        kept = (await self._attempts_in(await self._manifest(), space.id)).kept
        return {digest: kept[digest].attempt for digest in digests if digest in kept}

    async def _kept_segments(self, space: EmbeddingSpace, digest: TextHash) -> list[Vector]:
        attempts = await self._attempts_in(await self._manifest(), space.id)
        if digest not in attempts.kept:
            return []
        segments: list[Vector] = []
        for name in attempts.parts(digest):
            segments += vectors_of(await self._load_meta(name), space.dimension)
        return segments if len(segments) == attempts.kept[digest].attempt.kept else []

    async def _keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[TextHash, Attempt],
        vectors: Mapping[TextHash, Sequence[Vector]],
    ) -> None:
        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            target = write_batch.before.known(space)
            for segments in vectors.values():
                for segment in segments:
                    check_vector(target, segment)
            kept_attempts = await self._attempts_in(write_batch.before, target.id)
            # What was erased while it was embedded leaves nothing.
            query = Query(where=EVERYTHING, now=clock.now(), embedding_hashes=tuple(attempts))
            present = {item.embedding_hash async for item in self._admitted(query)} if attempts else set()
            wanted = {digest: attempt for digest, attempt in attempts.items() if digest in present}
            _note_attempts(write_batch, *kept_attempts.with_more(wanted, vectors))
            return write_batch, None

        await self._written(prepare)

    async def _forget_attempts(self, write_batch: WriteBatch) -> None:
        """Forget the attempts at texts that are embedded by now, and at those that went or were replaced.

        Where another memory has such a text, its embedding begins anew.
        """
        for space_id, count in write_batch.before.attempts.items():
            gone = write_batch.unneeded() | write_batch.embedded(space_id) if count else set()
            attempts = await self._attempts_in(write_batch.before, space_id) if gone else Attempts(space_id)
            if not gone.isdisjoint(attempts.kept):
                _note_attempts(write_batch, *attempts.without(gone))


def _note_attempts(write_batch: WriteBatch, attempts: Attempts, beside: Mapping[str, str | None]) -> None:
    """Note attempts to be kept, and the texts that come and go with them."""
    write_batch.metas |= {**beside, attempts.name: attempts.to_json()}
    counts = {**write_batch.manifest.attempts, attempts.space_id: len(attempts.kept)}
    write_batch.manifest = replace(write_batch.manifest, attempts=counts)
