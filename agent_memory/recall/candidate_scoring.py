"""Scoring the union of all candidates exactly, whichever retriever returned them."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from agent_memory import clock
from agent_memory.ranking.decay import DecayPolicy
from agent_memory.ranking.importance import ImportanceScorer, clamped
from agent_memory.recall import constants
from agent_memory.recall.dates import Span, named_times
from agent_memory.recall.dialogue import favour_named_speakers, is_message, limit_context, propagate_context
from agent_memory.recall.echo import EchoTest
from agent_memory.recall.query import Query
from agent_memory.recall.relevance import WordShare, relevance
from agent_memory.recall.retrieval import Retrieved
from agent_memory.recall.scoring import Distribution, Parts, cosine_distribution, piecewise
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.records import MemoryRecord
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.retrieval import SearchContext
from agent_memory.text.bm25 import expected_statistics, share_held, whole_score
from agent_memory.text.own_vectors import apart
from agent_memory.text.templates import embedded_text, searchable_text

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_LOOKED_AT = 3
"""Of the best that are no messages, how many are looked at for one that answers."""


class CandidateScorer:
    """Scores candidates of one store."""

    def __init__(self, store: Store, index: SemanticIndex, settings: Settings) -> None:
        self._store = store
        self._index = index
        scorer = settings.importance_scorer or ImportanceScorer()
        decay = settings.decay or DecayPolicy.exponential(settings.decay_half_life)
        self._importance = scorer if settings.enable_scoring else None
        self._decay = decay if settings.enable_decay else None

    def score(self, retrieved: Retrieved, context: SearchContext) -> dict[str, Parts]:
        """Return what the rank of each candidate is made of, the answers to candidates among them."""
        # The questions count for their answers, whether or not they may be found themselves.
        records = {**context.records, **context.questions}
        parts = {memory_id: Parts() for memory_id in records}
        self._score_by_keyword(retrieved.query, context, parts)
        self._score_by_vector(retrieved, context, records, parts)
        self._boost(retrieved, records, parts)
        echo = EchoTest(retrieved.query.text)
        for memory_id, part in parts.items():
            part.echo = not part.exact_key and echo.repeats(records[memory_id])
            if part.echo:
                part.notes.append("merely repeats the query")
        propagate_context(parts, records, context.before)
        favour_named_speakers(parts, records, retrieved.query.text)
        self._limit_context(retrieved, context, parts)
        return {memory_id: parts[memory_id] for memory_id in context.records}

    def _score_by_keyword(self, query: Query, context: SearchContext, parts: Mapping[str, Parts]) -> None:
        if query.statistics is None:
            return
        mean, deviation = expected_statistics(query.statistics)
        distribution = Distribution(mean, deviation) if deviation > 0 else None
        for memory_id, part in parts.items():
            part.bm25 = context.keyword.get(memory_id, 0.0)
            part.keyword_z = distribution.z(part.bm25) if distribution else 0.0

    def _score_by_vector(
        self,
        retrieved: Retrieved,
        context: SearchContext,
        records: Mapping[str, MemoryRecord],
        parts: Mapping[str, Parts],
    ) -> None:
        query = retrieved.query
        if query.vector is not None:
            self._compare(retrieved, context.vectors, records, parts)
            if query.terms:
                return
        # One signal alone is its own sum: the scale of `score` stays that of the sum of both.
        weights = (1.0, 0.0) if query.vector is None else (0.0, 1.0)
        note = self._note_on_one_signal(query)
        for part in parts.values():
            part.keyword_weight, part.vector_weight = weights
            if note is not None:
                part.notes.append(note)

    def _note_on_one_signal(self, query: Query) -> str | None:
        """Return why only one of keywords and vectors takes part, where that is not what was asked for."""
        if query.unread:
            return "the embedder does not read this query: scored by words alone"
        if query.vector is not None and not self._store.capabilities.full_text:
            return f"{self._store.name} has no full text: scored by meaning alone"
        return None

    def _compare(
        self,
        retrieved: Retrieved,
        vectors: Mapping[str, Sequence[Vector]],
        records: Mapping[str, MemoryRecord],
        parts: Mapping[str, Parts],
    ) -> None:
        query = retrieved.query
        assert query.vector is not None
        cosines = segment_cosines(query.vector, vectors)
        distribution = sampled_distribution(query.vector, retrieved.sample, retrieved.background)
        statistics = query.statistics
        whole = 0.0 if statistics is None else whole_score(query.words, statistics)
        for memory_id, part in parts.items():
            segments = cosines.get(memory_id)
            if not segments:
                part.notes.append("not embedded yet: scored by words alone")
                continue
            windows, sentences, occasions = apart(embedded_text(records[memory_id]), segments)
            part.cosine = max(segments)
            if not self.language_coverage(records[memory_id]):
                part.notes.append("in a script that the embedder does not read: scored by words alone")
                continue
            part.vector_z = piecewise(windows, distribution) if query.terms else distribution.z(max(windows))
            for own, added, note in (
                (sentences, -constants.SENTENCE_COST, "by the meaning of one sentence of it"),
                (occasions, constants.OCCASION_WORTH, "by what the instruction in it applies to"),
            ):
                if own and (z := distribution.z(max(own)) + added) > part.vector_z:
                    part.vector_z = z
                    part.notes.append(note)
            if statistics is not None and query.words:
                length = records[memory_id].content.count(" ") + 1
                part.weigh_words(share_held(part.bm25, length, whole, statistics), len(query.words))

    def _boost(
        self, retrieved: Retrieved, records: Mapping[str, MemoryRecord], parts: Mapping[str, Parts]
    ) -> None:
        moment = clock.now()
        spans = [
            Span(span.start - constants.DATE_SLACK, span.end + constants.DATE_SLACK)
            for span in named_times(retrieved.query.text, moment)
        ]
        for memory_id, part in parts.items():
            record = records[memory_id]
            if any(span.holds(record.happened_at) for span in spans):
                part.date = constants.DATE_WEIGHT
            part.exact_key = memory_id in retrieved.key
            self._boost_by_use(record, part, moment)

    def _boost_by_use(self, record: MemoryRecord, part: Parts, moment: datetime) -> None:
        if self._importance is not None:
            part.importance = constants.IMPORTANCE_WEIGHT * (clamped(self._importance(record, moment)) - 0.5)
        if self._decay is not None:
            part.decay = constants.DECAY_WEIGHT * (clamped(self._decay(record, moment)) - 1.0)

    def _limit_context(
        self, retrieved: Retrieved, context: SearchContext, parts: Mapping[str, Parts]
    ) -> None:
        """Keep messages behind the best memory that answers and is none, as far as `limit_context` says."""
        others = [memory_id for memory_id, record in context.records.items() if not is_message(record)]
        if not others or len(others) == len(context.records):
            return
        estimate = self.relevance_of(retrieved)
        best = heapq.nlargest(_LOOKED_AT, others, key=lambda memory_id: parts[memory_id].total)
        for memory_id in best:
            if estimate(context.records[memory_id], parts[memory_id]) >= constants.NOTHING_RELEVANT:
                limit_context(
                    {key: parts[key] for key in context.records}, context.records, parts[memory_id].total
                )
                return

    def relevance_of(self, retrieved: Retrieved) -> Callable[[MemoryRecord, Parts], float]:
        """Return the function that estimates how relevant a memory is; it is asked only about results."""
        query = retrieved.query
        words = None if query.statistics is None else WordShare(query.words, query.statistics)

        def estimate(record: MemoryRecord, part: Parts) -> float:
            if part.exact_key:
                return 1.0
            if part.echo:
                return 0.0
            nearness = None
            if query.vector is not None and part.cosine is not None and self.language_coverage(record):
                nearness = (
                    retrieved.background.z(part.cosine) if part.cosine < constants.SAME_TEXT else math.inf
                )
            share = words.of(searchable_text(record)) if words else None
            return relevance(nearness, share, retrieved.compared)

        return estimate

    def language_coverage(self, record: MemoryRecord) -> bool:
        """Return whether the embedder understands a memory's text, so that its cosine means something."""
        # What a model cannot read is in another script; asking the tokenizer about each memory costs more than
        # all the rest of the scoring.
        return (
            record.content.isascii()
            or self._index.language_coverage(embedded_text(record)) >= constants.READABLE
        )


def sampled_distribution(vector: Vector, sample: Sequence[Vector], background: Distribution) -> Distribution:
    """Return how a query's cosines are distributed over the store, as far as a sample of its vectors tells."""
    import numpy as np

    if not sample:
        return cosine_distribution(0, 0.0, 0.0, background)
    cosines = np.frombuffer(b"".join(sample), dtype="<f4").reshape(len(sample), -1) @ np.frombuffer(
        vector, "<f4"
    )
    return cosine_distribution(len(sample), float(cosines.mean()), float(cosines.std()), background)


def segment_cosines(vector: Vector, segments: Mapping[str, Sequence[Vector]]) -> dict[str, list[float]]:
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
