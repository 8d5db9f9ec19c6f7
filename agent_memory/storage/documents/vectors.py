"""Vectors in a store of documents: search, embedding spaces, samples, and what a write does to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.storage.base import EmbeddingSpace, unique
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.hooks import READ_AT_ONCE
from agent_memory.storage.documents.manifest import Manifest, check_vector, check_vectors
from agent_memory.storage.documents.pending import PendingTexts
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.sample import Sample
from agent_memory.storage.documents.store import EVERYTHING
from agent_memory.storage.documents.write_batch import Segments, WriteBatch, apply_vectors
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.storage.retrieval import VectorCandidates, VectorRequest
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


class VectorDocuments(PendingTexts):
    """A store of documents that keeps their vectors beside them."""

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self._sampled: dict[tuple[int, int, int], list[Vector]] = {}

    async def _open(self) -> str:
        self._sampled = {}
        return await super()._open()

    # --- writing -------------------------------------------------------------------------------------------

    async def _embed(
        self, write_batch: WriteBatch, new_vectors: Mapping[TextHash, Segments], space: EmbeddingSpace | None
    ) -> None:
        """Give documents the vectors that come with the write, or that another document of the same text has."""
        if space is not None:
            check_vectors(space, new_vectors)
        if not write_batch.manifest.spaces:
            return
        hashes = {*new_vectors, *(item.embedding_hash for _, item in write_batch.changed.values())}
        duplicates: list[Document] = []
        for part in batched(sorted(hashes), READ_AT_ONCE):
            query = Query(where=EVERYTHING, now=clock.now(), embedding_hashes=tuple(part))
            duplicates += [item async for item in self._admitted(query)]
        known: dict[int, dict[TextHash, Segments]] = {}
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
        apply_vectors(write_batch, new_vectors, space, duplicates, known)
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

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        from agent_memory.storage.retrieval import VectorCandidates

        manifest = await self._manifest()
        space = manifest.current()
        nearest = await self._nearest_in(space, request.vector, request.where, request.limit)
        sample = await self._sample_vectors(request.sample) if request.sample else ()
        # Of many that a filter admits it is not known how many they are; they are no more than all.
        most = manifest.vectors.get(space.id, 0) if space is not None else 0
        compared = most if len(nearest) >= request.limit else len(nearest)
        return VectorCandidates(dict(nearest), sample, compared)

    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        return await self._nearest_in((await self._manifest()).current(), vector, where, limit)

    async def _nearest_in(
        self, space: EmbeddingSpace | None, vector: Vector, where: Where, limit: int
    ) -> list[tuple[str, float]]:
        """Retrieve the nearest memories in a space, nearest first."""
        if space is None or (where.ids is not None and not where.ids):
            return []
        check_vector(space, vector)
        query = Query(where=where, now=clock.now())
        wanted = limit
        while True:
            nearest = await self._nearest(space, vector, query, wanted)
            best: dict[str, float] = {}
            for memory_id, cosine in nearest.candidates:
                best[memory_id] = max(cosine, best.get(memory_id, -2.0))
            if nearest.exact:
                if len(best) >= limit or nearest.complete:
                    return sorted(best.items(), key=lambda pair: -pair[1])[:limit]
                wanted *= 4
                continue
            admitted = await self._first_admitted(best, query, space, limit)
            if len(admitted) >= limit or nearest.complete:
                return admitted[:limit]
            wanted *= 4

    async def _first_admitted(
        self, best: Mapping[str, float], query: Query, space: EmbeddingSpace, limit: int
    ) -> list[tuple[str, float]]:
        """Look at the nearest, in order, until so many are admitted; ties by the order in which they were stored."""
        ranked = sorted(best, key=lambda item: -best[item])
        admitted: list[Document] = []
        for part in batched(ranked, max(50, 2 * limit)):
            if len(admitted) >= limit and best[part[0]] < best[admitted[limit - 1].id]:
                break
            documents = (await self._read(part)).values()
            admitted += [
                document for document in documents if query.admits(document) and space.id in document.embedded
            ]
            admitted.sort(key=lambda item: (-best[item.id], item.sequence))
        return [(result.id, best[result.id]) for result in admitted]

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[Vector]]:
        manifest = await self._manifest()
        if space is None and manifest.current() is None:
            return {}
        chosen = manifest.known(space)
        result: dict[str, list[Vector]] = {}
        for part in batched(ids, READ_AT_ONCE):
            embedded = [item for item in (await self._read(part)).values() if chosen.id in item.embedded]
            if embedded:
                read_vectors = await self._read_vectors(chosen.id, embedded)
                result.update({memory_id: list(segments) for memory_id, segments in read_vectors.items()})
        return result

    async def _sample_vectors(self, limit: int) -> list[Vector]:
        return await self._sample_of(await self._manifest(), limit)

    async def _sample_of(self, manifest: Manifest, limit: int) -> list[Vector]:
        """Return the sample of the current space by a manifest that is known already."""
        space = manifest.current()
        counted = 0 if space is None else manifest.vectors.get(space.id, 0)
        if space is None or not counted or limit < 1:
            return []
        key = (space.id, counted.bit_length(), limit)
        if key not in self._sampled:
            sample = Sample.from_json(await self._load_meta(f"sample-{space.id}"))
            sequences = sample.shown(counted, limit)
            vectors = await self._vectors(unique(memory_id for memory_id, _ in sequences), space)
            self._sampled = {
                key: [
                    vectors[item][segment]
                    for item, segment in sequences
                    if segment < len(vectors.get(item, ()))
                ]
            }
        return self._sampled[key]

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def _spaces(self) -> list[EmbeddingSpace]:
        return sorted((await self._manifest()).spaces, key=lambda space: (not space.current, space.id))

    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        def change(manifest: Manifest) -> tuple[Manifest, EmbeddingSpace]:
            if manifest.alike(space) is None:
                manifest = manifest.with_space(space)
            added = manifest.alike(space)
            assert added is not None
            return manifest, added

        added = await self._change_manifest(change)
        if any(item.template_version != added.template_version for item in await self._spaces()):
            await self._rebuild()  # the texts to embed are others now
        return added

    async def _switch_space(self, space: EmbeddingSpace) -> None:
        await self._change_manifest(lambda manifest: (manifest.switched(space), None))

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _integrity_errors(self, manifest: Manifest, documents: Sequence[Document]) -> list[str]:
        errors = await super()._integrity_errors(manifest, documents)
        for space in manifest.spaces:
            embedded = [document for document in documents if space.id in document.embedded]
            for part in batched(embedded, 200):
                vectors = await self._read_vectors(space.id, part)
                errors += [
                    f"memory {item.id}: its vectors in space {space.id} are not those it should have"
                    for item in part
                    if len(vectors.get(item.id, ())) != item.embedded[space.id]
                    or any(len(segment) != 4 * space.dimension for segment in vectors[item.id])
                ]
        return errors
