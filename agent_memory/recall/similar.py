"""Finding what is near a memory by vector."""

from __future__ import annotations

from agent_memory.recall import constants
from agent_memory.recall.candidate_scoring import sampled_distribution
from agent_memory.recall.pending_notices import PendingNotices
from agent_memory.recall.query import check_limit
from agent_memory.recall.relevance import relevance
from agent_memory.recall.scoring import Distribution, Parts
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.storage.base import Store, vector_store
from agent_memory.storage.retrieval import CandidateRequest, VectorRequest
from agent_memory.storage.where import Where
from agent_memory.text.own_vectors import apart
from agent_memory.text.templates import embedded_text


class SimilarSearch:
    """Finds neighbours in the vector space of one store."""

    def __init__(self, store: Store, index: SemanticIndex) -> None:
        self._store = store
        self._index = index
        self._pending = PendingNotices(store, index)

    async def near(
        self, record: MemoryRecord, where: Where, *, limit: int, min_similarity: float
    ) -> list[ScoredMemory]:
        """Find what is near a memory; the vectors of its segments are the queries. See `Searcher.near`."""
        check_limit(limit)
        await self._index.prepare()
        known = await self._store.candidates(CandidateRequest(where, 0, embeddings=True))
        self._index.check_space(known.space)
        await self._pending.embed_some(known, [])
        segments = (await vector_store(self._store).vectors([record.id])).get(record.id)
        if segments is None:
            segments = await self._index.opening(record)
        cosines: dict[str, float] = {}
        distributions: dict[str, Distribution] = {}
        background, compared = await self._index.background(), 0
        for segment in apart(embedded_text(record), segments).whole:
            answer = await vector_store(self._store).vector_candidates(
                VectorRequest(segment, where, limit + 1, sample=constants.SAMPLE)
            )
            distribution = sampled_distribution(segment, answer.sample, background)
            compared = max(len(answer.nearest) if answer.compared is None else answer.compared, compared)
            for memory_id, cosine in answer.nearest.items():
                if cosine > cosines.get(memory_id, -1.0):
                    cosines[memory_id], distributions[memory_id] = cosine, distribution
        cosines.pop(record.id, None)
        estimates = {
            memory_id: relevance(background.z(cosine), None, compared)
            for memory_id, cosine in cosines.items()
        }
        results = await self._scored(cosines, distributions, estimates, limit, min_similarity)
        await self._store.touch([result.memory.id for result in results])
        return results

    async def _scored(
        self,
        cosines: dict[str, float],
        distributions: dict[str, Distribution],
        estimates: dict[str, float],
        limit: int,
        min_similarity: float,
    ) -> list[ScoredMemory]:
        """Return the nearest memories with their scores, nearest first."""
        records = await self._store.get(list(cosines))
        results = []
        for memory_id, cosine in sorted(cosines.items(), key=lambda pair: -pair[1]):
            similarity = min(1.0, max(0.0, cosine))
            if memory_id not in records or similarity < min_similarity:
                continue
            part = Parts(keyword_weight=0.0, vector_weight=1.0)
            part.cosine, part.vector_z = cosine, distributions[memory_id].z(cosine)
            results.append(ScoredMemory(records[memory_id], part.score, estimates[memory_id], similarity))
        return results[:limit]
