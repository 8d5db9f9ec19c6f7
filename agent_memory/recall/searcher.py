"""Searching: let every retriever return candidates, score the union exactly, order by the sum."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from agent_memory.recall import constants
from agent_memory.recall.candidate_scoring import CandidateScorer
from agent_memory.recall.dialogue import answers, asks
from agent_memory.recall.found import Found
from agent_memory.recall.query import Mode, SearchRequest
from agent_memory.recall.reranking import Reranker
from agent_memory.recall.retrieval import Retrieved, Retriever
from agent_memory.recall.scoring import Parts
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.recall.similar import SimilarSearch
from agent_memory.records import MemoryRecord, ScoredMemory, copied
from agent_memory.settings import Settings
from agent_memory.storage.base import Store, keyword_store
from agent_memory.storage.retrieval import ContextRequest, SearchContext
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

logger = logging.getLogger("agent_memory")


class Searcher:
    """Searches one store."""

    def __init__(self, store: Store, index: SemanticIndex, settings: Settings) -> None:
        self._store = store
        self._retriever = Retriever(store, index)
        self._scorer = CandidateScorer(store, index, settings)
        self._reranker = Reranker(settings.rerank_config, index)
        self._similar = SimilarSearch(store, index)

    async def search(self, request: SearchRequest) -> Found:
        """Find memories by what a query says and means, best first.

        Returns:
            What was found, with what has to be said about it.

        Raises:
            ValidationError: the query is empty or the limit is not positive.
            ConfigurationError: the mode is unknown, or vectors are needed and there is no embedder.
            CapabilityError: `keyword` on a backend without full text.
            EmbeddingMismatchError: an embedder was named that differs from the store's.
        """
        request.check()
        self._retriever.check(request)
        notices: list[str] = []
        retrieved = await self._retriever.retrieve(request, notices)
        context = await self._context(request, retrieved)
        parts = self._scorer.score(retrieved, context)
        estimate = self._scorer.relevance_of(retrieved)
        ranking = _ranking(retrieved, parts)
        results = list(self._selected(request, retrieved, context.records, ranking, estimate))
        sums = {result.memory.id: parts[result.memory.id].total for result in results}
        if request.rerank:
            results, sums = await self._reranker.reranked(request, retrieved.query, results, sums, notices)
        if request.min_similarity is not None and retrieved.query.vector is None and ranking:
            notices.append(
                "no memory has a similarity to this query, so none reaches the least one asked for"
            )
        await self._note_use(request, retrieved, results)
        for notice in notices:
            logger.warning(notice)
        return Found(
            results,
            retrievers=retrieved.retrievers,
            notices=notices,
            terms=retrieved.query.terms,
            sums=sums,
            echoes=[result.memory.id for result in results if parts[result.memory.id].echo],
            compared=retrieved.compared,
        )

    def embedding(
        self, text: str | None, mode: Mode
    ) -> AbstractAsyncContextManager[Awaitable[Vector] | None]:
        """Embed a query while the caller does something else before it searches; None where that needs no vector."""
        return self._retriever.embedding(text, mode)

    async def near(
        self, record: MemoryRecord, where: Where, *, limit: int, min_similarity: float
    ) -> list[ScoredMemory]:
        """Find what is near a memory by vector, nearest first, the memory itself left out.

        Returns:
            The neighbours with their scores.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            EmbeddingError, MissingDependencyError: the memory is not embedded yet, and cannot be now.
        """
        return await self._similar.near(record, where, limit=limit, min_similarity=min_similarity)

    def language_coverage(self, record: MemoryRecord) -> bool:
        """Return whether the embedder understands a memory's text, so that its cosine means something."""
        return self._scorer.language_coverage(record)

    async def _context(self, request: SearchRequest, retrieved: Retrieved) -> SearchContext:
        """Read the candidates with all that scores them, and with messages what was answered to them."""
        query = retrieved.query
        return await self._store.search_context(
            ContextRequest(
                ids=retrieved.ids,
                where=request.where,
                asks=asks,
                answers=answers,
                terms=query.terms,
                statistics=query.statistics,
                scored=retrieved.keyword,
                space=retrieved.space,
            )
        )

    def _selected(
        self,
        request: SearchRequest,
        retrieved: Retrieved,
        records: Mapping[str, MemoryRecord],
        ranking: Mapping[str, Parts],
        estimate: Callable[[MemoryRecord, Parts], float],
    ) -> Iterator[ScoredMemory]:
        """Yield the best candidates that reach what is asked for at least."""
        left = request.ranked
        for memory_id, part in ranking.items():
            if left == 0:
                break
            similarity = None if part.cosine is None else min(1.0, max(0.0, part.cosine))
            # What a cross-encoder will score anew is compared with the least score afterwards.
            if not request.rerank and not _reaches(part.score, request.min_score):
                continue
            if not _reaches(similarity, request.min_similarity):
                continue
            relevance = estimate(records[memory_id], part)
            if not _reaches(relevance, request.min_relevance):
                continue
            left -= 1
            yield ScoredMemory(
                copied(records[memory_id]),
                part.score,
                relevance,
                similarity,
                part.explain(retrieved.retrievers_of(memory_id)) if request.explain else None,
            )

    async def _note_use(
        self, request: SearchRequest, retrieved: Retrieved, results: list[ScoredMemory]
    ) -> None:
        """Count accesses, and index anew some of what an older analyser indexed."""
        if request.count_access and results:
            await self._store.touch([result.memory.id for result in results])
        if retrieved.outdated:
            await keyword_store(self._store).renew(constants.RENEWED_WORDS)


def _ranking(retrieved: Retrieved, parts: Mapping[str, Parts]) -> dict[str, Parts]:
    """Return the parts of every candidate by id, the highest sum first; ties as they were retrieved."""
    ids = dict.fromkeys([*retrieved.ids, *parts])
    order = {memory_id: position for position, memory_id in enumerate(ids)}
    return dict(sorted(parts.items(), key=lambda item: (-item[1].total, order[item[0]])))


def _reaches(value: float | None, least: float | None) -> bool:
    return least is None or (value is not None and value >= least)
