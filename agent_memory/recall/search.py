"""Searching: let every retriever name candidates, score the union exactly, sort by the sum."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, NamedTuple, get_args

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, CapabilityError, ConfigurationError, ValidationError
from agent_memory.ranking.decay import DecayPolicy
from agent_memory.ranking.importance import ImportanceScorer, clamped
from agent_memory.recall import constants
from agent_memory.recall.dates import Span, named_times
from agent_memory.recall.dialogue import Dialogue, propagate_context
from agent_memory.recall.found import Found
from agent_memory.recall.relevance import WordShare, relevance
from agent_memory.recall.reranking import Reranker
from agent_memory.recall.scoring import Distribution, Parts, cosine_distribution, piecewise
from agent_memory.recall.semantic_index import NOT_AT_HAND, SemanticIndex
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.where import Where, check_share
from agent_memory.text.analysis import QueryWord, distinct, query_words, terms_of
from agent_memory.text.bm25 import WordStatistics, expected_statistics
from agent_memory.text.templates import embedded_text, indexed_text

Mode = Literal["hybrid", "keyword", "vector"]
logger = logging.getLogger("agent_memory")


class Query(NamedTuple):
    """A query, prepared: its words, and its vector where meaning takes part."""

    text: str
    words: list[QueryWord]
    terms: list[str]
    """The words, their parts, and what the store holds that begins like one of them."""
    vector: bytes | None
    statistics: WordStatistics | None = None
    """What the store knows of the words; None where they take no part."""
    unread: bool = False
    """Whether meaning is left out because the embedder does not read the query."""


class Searcher:
    """Searches one store."""

    def __init__(self, store: Store, index: SemanticIndex, settings: Settings) -> None:
        self._store = store
        self._index = index
        scorer = settings.importance_scorer or ImportanceScorer()
        decay = settings.decay or DecayPolicy.exponential(settings.decay_half_life)
        self._importance = scorer if settings.enable_scoring else None
        self._decay = decay if settings.enable_decay else None
        self._reranker = Reranker(settings.rerank_config)

    async def search(
        self,
        query: str,
        where: Where,
        *,
        limit: int = 10,
        mode: Mode = "hybrid",
        explain: bool = False,
        min_score: float | None = None,
        min_similarity: float | None = None,
        count_access: bool = True,
        rerank: bool = False,
    ) -> Found:
        """Find memories by what a query says and means, best first. Arguments as in `AgentMemory.search`.

        Raises:
            ValidationError: the query is empty or the limit is not positive.
            ConfigurationError: the mode is unknown, or meaning is needed and there is no embedder.
            CapabilityError: `keyword` on a backend without full text.
            EmbeddingMismatchError: an embedder was named that differs from the store's.
        """
        self._check(query, limit, mode)
        for name, least in (("min_score", min_score), ("min_similarity", min_similarity)):
            if least is not None:
                check_share(name, least)
        notices: list[str] = []
        wanted = max(limit, constants.RERANKED) if rerank else limit
        prepared, retrievers = await self._retrieve_candidates(
            query, mode, where, max(constants.CANDIDATES, 2 * wanted), notices
        )
        ids = list(dict.fromkeys(memory_id for retriever in retrievers.values() for memory_id in retriever))
        records = await self._store.get(ids)
        parts = await self._score_all(prepared, retrievers, records, where)
        relevant = await self._relevance(prepared)
        ids = list(dict.fromkeys([*ids, *parts]))
        ranked = sorted(parts, key=lambda memory_id: (-parts[memory_id].total, ids.index(memory_id)))
        result = []
        for memory_id in ranked:
            part = parts[memory_id]
            similarity = None if part.cosine is None else min(1.0, max(0.0, part.cosine))
            if min_score is not None and part.score < min_score and not rerank:
                continue
            if min_similarity is not None and (similarity is None or similarity < min_similarity):
                continue
            named = tuple(name for name, retriever in retrievers.items() if memory_id in retriever)
            explanation = part.explain(named) if explain else None
            result.append(
                ScoredMemory(
                    records[memory_id],
                    part.score,
                    relevant(records[memory_id], part),
                    similarity,
                    explanation,
                )
            )
            if len(result) == wanted:
                break
        if rerank:
            result = await self._reranker.reranked(query, result, explain=explain)
            result = [item for item in result if min_score is None or item.score >= min_score][:limit]
        if min_similarity is not None and prepared.vector is None and ranked:
            notices.append(
                "no memory has a similarity to this query, so none reaches the least one asked for"
            )
        if count_access and result:
            await self._store.touch([found.memory.id for found in result])
        if self._store.capabilities.full_text:
            await self._store.renew(constants.RENEWED_WORDS)
        for notice in notices:
            logger.warning(notice)
        return Found(
            result, retrievers=_retriever_names(prepared, retrievers), notices=notices, terms=prepared.terms
        )

    async def near(
        self, record: MemoryRecord, where: Where, *, limit: int, min_similarity: float
    ) -> list[ScoredMemory]:
        """Find what is near a memory in meaning, nearest first, itself left out; its own vectors are the query.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            EmbeddingError, MissingDependencyError: the memory is not embedded yet, and cannot be now.
        """
        _check_limit(limit)
        await self._index.check_comparable()
        await self._embed_some_pending([])
        segments = (await self._store.vectors([record.id])).get(record.id)
        if segments is None:
            segments = await self._index.opening(record)
        cosines: dict[str, float] = {}
        distributions: dict[str, Distribution] = {}
        for segment in segments:
            distribution = await self._cosines(segment)
            for memory_id, cosine in await self._store.by_vector(segment, where, limit + 1):
                if cosine > cosines.get(memory_id, -1.0):
                    cosines[memory_id], distributions[memory_id] = cosine, distribution
        cosines.pop(record.id, None)
        records = await self._store.get(list(cosines))
        background = await self._index.background()
        result = []
        for memory_id, cosine in sorted(cosines.items(), key=lambda pair: -pair[1]):
            similarity = min(1.0, max(0.0, cosine))
            if memory_id not in records or similarity < min_similarity:
                continue
            part = Parts(words_weight=0.0, meaning_weight=1.0)
            part.cosine, part.meaning_z = cosine, distributions[memory_id].z(cosine)
            result.append(
                ScoredMemory(
                    records[memory_id], part.score, relevance(background.z(cosine), None), similarity
                )
            )
        found = result[:limit]
        await self._store.touch([item.memory.id for item in found])
        return found

    def _check(self, query: str, limit: int, mode: str) -> None:
        if not isinstance(query, str) or not query.strip():
            raise ValidationError(
                "the query is empty", hint="say what to look for, or list with `agentmem list`"
            )
        _check_limit(limit)
        if mode not in get_args(Mode):
            raise ConfigurationError.unknown("search mode", mode, get_args(Mode))
        if mode == "vector":
            self._index.require()
        elif not self._store.capabilities.full_text:
            if mode == "keyword":
                raise CapabilityError(self._store.name, "full-text search")
            if not self._store.capabilities.vectors:
                raise CapabilityError(self._store.name, "search")
            self._index.require()  # meaning is all there is to find by

    # --- the query -----------------------------------------------------------------------------------------

    def _words(self, query: str, mode: Mode) -> list[QueryWord]:
        by_keyword = mode != "vector" and self._store.capabilities.full_text
        return query_words(query)[: constants.MOST_TERMS] if by_keyword else []

    async def _begun(self, words: Sequence[QueryWord]) -> list[str]:
        """Return what the store holds that begins like a word of the query, such as the whole of a hash."""
        found: list[str] = []
        for word in words:
            found += await self._store.terms_beginning(word.whole, constants.MOST_BEGUN - len(found))
        return found

    async def _vector(self, query: str, mode: Mode, notices: list[str]) -> bytes | None:
        """Embed the query, if meaning takes part."""
        if mode == "keyword" or not self._index.available:
            return None
        try:
            vector = await self._index.query_vector(query)
        except NOT_AT_HAND as error:
            if mode == "vector" or self._index.refuses(error) or not self._store.capabilities.full_text:
                raise
            notices.append(f"searched by words only: {error}")
            return None
        await self._embed_some_pending(notices)
        return vector

    async def _embed_some_pending(self, notices: list[str]) -> None:
        """Embed some of what is pending; whatever goes wrong with that is no fault of the query."""
        if not await self._store.pending_count():
            return
        until = " until `agentmem index` has embedded them"
        try:
            await self._index.embed_some_pending(
                segments=constants.PENDING_SEGMENTS, seconds=constants.PENDING_SECONDS
            )
        except AgentMemoryError as error:
            until = f", as what is pending could not be embedded now: {error}"
        pending = await self._store.pending_count()
        if not pending:
            return
        failed = await self._store.pending_count(failed=True)
        by_keyword = "by words only" if self._store.capabilities.full_text else "by no search"
        if pending > failed:
            notices.append(f"{_memories(pending - failed)} found {by_keyword}{until}")
        if failed:
            text = "its text" if failed == 1 else "their texts"
            notices.append(
                f"{_memories(failed)} found {by_keyword}, as {text} cannot be embedded: `agentmem status` says why"
            )

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _retrieve_candidates(
        self, query: str, mode: Mode, where: Where, limit: int, notices: list[str]
    ) -> tuple[Query, dict[str, dict[str, float]]]:
        """Let each retriever name its best; the words are looked for while the model embeds the query."""
        import asyncio

        retrievers: dict[str, dict[str, float]] = {}
        words = self._words(query, mode)
        terms = distinct([*terms_of(words)[: constants.MOST_TERMS], *await self._begun(words)])
        if terms:
            retrieving = asyncio.create_task(self._store.by_keyword(terms, where, limit))
            try:
                vector = await self._vector(query, mode, notices)
                retrievers["words"] = dict(await retrieving)
            except BaseException:
                retrieving.cancel()
                raise
        else:
            vector = await self._vector(query, mode, notices)
        unread = (
            vector is not None and bool(terms) and self._index.language_coverage(query) < constants.READABLE
        )
        if unread:
            vector = None
        if vector is not None:
            retrievers["meaning"] = dict(await self._store.by_vector(vector, where, limit))
        key = query.strip()
        if len(key) <= 200 and "\n" not in key:
            keyed = await self._store.select(replace(where, keys=(key,)), limit=3)
            if keyed:
                retrievers["key"] = {record.id: 1.0 for record in keyed}
        statistics = await self._store.word_statistics(terms) if terms else None
        return Query(query, words, terms, vector, statistics, unread), retrievers

    # --- scoring -------------------------------------------------------------------------------------------

    async def _score_all(
        self,
        query: Query,
        retrievers: Mapping[str, Mapping[str, float]],
        records: dict[str, MemoryRecord],
        where: Where,
    ) -> dict[str, Parts]:
        """Score what was retrieved, and with messages what was answered to them; `records` gains the answers."""
        dialogue = Dialogue(self._store)
        moment = clock.now()
        answers = [answer for answer in await dialogue.answers(records.values()) if answer not in records]
        for record in (await self._store.get(answers)).values():
            if where.matches(record, moment):
                records[record.id] = record
        before = await dialogue.questions(records.values())
        # The questions count for their answers, whether or not they may be found themselves.
        beside = await self._store.get([item for item in before.values() if item not in records])
        everything = {**records, **beside}
        parts = await self._score(query, retrievers, everything)
        propagate_context(parts, everything, before)
        return {memory_id: parts[memory_id] for memory_id in records}

    async def _score(
        self, query: Query, retrievers: Mapping[str, Mapping[str, float]], records: Mapping[str, MemoryRecord]
    ) -> dict[str, Parts]:
        parts = {memory_id: Parts() for memory_id in records}
        if query.statistics is not None:
            await self._score_words(query, query.statistics, retrievers.get("words", {}), parts)
        if query.vector is None:
            # One signal alone is its own sum: the scale of `score` stays that of the sum of both.
            for part in parts.values():
                part.words_weight, part.meaning_weight = 1.0, 0.0
                if query.unread:
                    part.notes.append("the embedder does not read this query: scored by words alone")
        else:
            await self._score_meaning(query.vector, records, parts, worded=bool(query.terms))
            if not query.terms:
                for part in parts.values():
                    part.words_weight, part.meaning_weight = 0.0, 1.0
                    if not self._store.capabilities.full_text:
                        part.notes.append(f"{self._store.name} has no full text: scored by meaning alone")
        moment = clock.now()
        spans = [
            Span(span.start - constants.DATE_SLACK, span.end + constants.DATE_SLACK)
            for span in named_times(query.text, moment)
        ]
        for memory_id, part in parts.items():
            if any(span.holds(records[memory_id].happened_at) for span in spans):
                part.date = constants.DATE_WEIGHT
            part.exact_key = memory_id in retrievers.get("key", {})
            self._boost(records[memory_id], part, moment)
        return parts

    async def _score_words(
        self,
        query: Query,
        statistics: WordStatistics,
        candidates: Mapping[str, float],
        parts: dict[str, Parts],
    ) -> None:
        missing = [memory_id for memory_id in parts if memory_id not in candidates]
        scores = {**candidates, **await self._store.word_scores(query.terms, missing)}
        mean, deviation = expected_statistics(statistics)
        distribution = Distribution(mean, deviation) if deviation > 0 else None
        for memory_id, part in parts.items():
            part.bm25 = scores.get(memory_id, 0.0)
            part.words_z = distribution.z(part.bm25) if distribution else 0.0

    async def _score_meaning(
        self, vector: bytes, records: Mapping[str, MemoryRecord], parts: dict[str, Parts], *, worded: bool
    ) -> None:
        cosines = segment_cosines(vector, await self._store.vectors(list(parts)))
        distribution = await self._cosines(vector)
        for memory_id, part in parts.items():
            segments = cosines.get(memory_id)
            if not segments:
                part.notes.append("not embedded yet: scored by words alone")
                continue
            part.cosine = max(segments)
            if not self.language_coverage(records[memory_id]):
                part.notes.append("in a script that the embedder does not read: scored by words alone")
                continue
            part.meaning_z = piecewise(segments, distribution) if worded else distribution.z(part.cosine)

    async def _relevance(self, query: Query) -> Callable[[MemoryRecord, Parts], float]:
        """Return what says how relevant a memory is; only those that are returned are asked about."""
        background = await self._index.background() if query.vector is not None else None
        words = None if query.statistics is None else WordShare(query.words, query.statistics)

        def of(record: MemoryRecord, part: Parts) -> float:
            if part.exact_key:
                return 1.0
            comparable = background is not None and part.cosine is not None and self.language_coverage(record)
            nearness = background.z(part.cosine) if comparable else None  # type: ignore[union-attr,arg-type]
            return relevance(nearness, words.of(indexed_text(record)) if words else None)

        return of

    def language_coverage(self, record: MemoryRecord) -> bool:
        """Return whether the embedder understands a memory's text, so that its cosine means something."""
        # What a model cannot read is in another script; asking the tokenizer about each memory costs more than
        # all the rest of the scoring.
        return (
            record.content.isascii()
            or self._index.language_coverage(embedded_text(record)) >= constants.READABLE
        )

    async def _cosines(self, vector: bytes) -> Distribution:
        """Return how the query's cosines are distributed over the store."""
        import numpy as np

        sample = await self._store.sample_vectors(constants.SAMPLE)
        if not sample:
            return cosine_distribution(0, 0.0, 0.0)
        cosines = np.frombuffer(b"".join(sample), dtype="<f4").reshape(len(sample), -1) @ np.frombuffer(
            vector, "<f4"
        )
        return cosine_distribution(len(sample), float(cosines.mean()), float(cosines.std()))

    def _boost(self, record: MemoryRecord, part: Parts, moment: datetime) -> None:
        if self._importance is not None:
            part.importance = constants.IMPORTANCE_WEIGHT * (clamped(self._importance(record, moment)) - 0.5)
        if self._decay is not None:
            part.decay = constants.DECAY_WEIGHT * (clamped(self._decay(record, moment)) - 1.0)


def _check_limit(limit: int) -> None:
    if limit < 1:
        raise ValidationError(f"the limit {limit} is not positive", hint="ask for at least 1")


def _memories(count: int) -> str:
    return "1 memory is" if count == 1 else f"{count} memories are"


def segment_cosines(vector: bytes, segments: Mapping[str, Sequence[bytes]]) -> dict[str, list[float]]:
    """Return, for each memory, the cosines of a query and its segments, in their order."""
    if not segments:
        return {}
    import numpy as np

    flat = [segment for item in segments.values() for segment in item]
    cosines = np.frombuffer(b"".join(flat), dtype="<f4").reshape(len(flat), -1) @ np.frombuffer(
        vector, dtype="<f4"
    )
    result, start = {}, 0
    for memory_id, item in segments.items():
        result[memory_id] = [float(cosine) for cosine in cosines[start : start + len(item)]]
        start += len(item)
    return result


def _retriever_names(query: Query, retrievers: Mapping[str, object]) -> list[str]:
    return [
        name
        for name, there in (("words", query.terms), ("meaning", query.vector), ("key", "key" in retrievers))
        if there
    ]
