"""Ordering the best of a search anew, on request: by the default model's token vectors, or by a cross-encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent_memory.errors import ConfigurationError, EmbeddingError, MissingDependencyError
from agent_memory.hints import Hint
from agent_memory.recall import constants
from agent_memory.recall.dialogue import from_person, is_message
from agent_memory.recall.maxsim import brevity, match_scores, with_the_former, word_similarities, word_weights
from agent_memory.recall.query import Query, SearchRequest
from agent_memory.recall.scoring import logistic, sum_of_logit
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.recall.sources import source
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.text.analysis import query_words
from agent_memory.text.templates import embedded_text
from agent_memory.text.tokens import estimate_tokens

if TYPE_CHECKING:
    from agent_memory.embeddings.cross_encoder import CrossEncoder
    from agent_memory.embeddings.local import LocalEmbedder

_NAMES_A_MODEL: Final = ("model", "path")
_OPTIONS: Final = frozenset({*_NAMES_A_MODEL, "threads", "cache_dir"})
_NAME: Final = "all-MiniLM-L6-v2 tokens"


class Reranked(NamedTuple):
    """Results in a new order."""

    results: list[ScoredMemory]
    sums: dict[str, float]
    """The sum that each is ordered by, by memory id."""


class Reranker:
    """Orders the best of a search anew: by a cross-encoder where the options name one, else by token vectors.

    Args:
        options: the setting `rerank_config`.
        index: the store's embedder, whose model is used where it is the default one.
    """

    def __init__(self, options: Mapping[str, Any], index: SemanticIndex) -> None:
        self._options = options
        self._tokens = _TokenReranker(index)

    @cached_property
    def _encoder(self) -> CrossEncoder:
        from agent_memory.embeddings.cross_encoder import CrossEncoder

        return CrossEncoder(self._options)

    async def reranked(
        self,
        request: SearchRequest,
        query: Query,
        results: Sequence[ScoredMemory],
        sums: Mapping[str, float],
        notices: list[str],
    ) -> Reranked:
        """Order results anew, as many as the request asks for at most; where that fails, `notices` gets a line.

        Args:
            request: the search; its `min_score` counts after the new order.
            query: the same, prepared.
            results: what was found, best first.
            sums: the sum that each is ordered by, by memory id.
            notices: what has to be said about the search.

        Returns:
            The results in their new order, and the sum that each is ordered by.

        Raises:
            ConfigurationError: an option or the cross-encoder's name is unknown.
            ModelMissingError: the cross-encoder that was named is not on this machine.
        """  # noqa: DOC501
        if any(self._options.get(name) for name in _NAMES_A_MODEL):
            scored = await self._by_cross_encoder(request, results)
        else:
            unknown = sorted(set(self._options) - _OPTIONS)
            if unknown:
                raise ConfigurationError.unknown("option of the reranker", unknown[0], _OPTIONS)
            scored = await self._tokens.scored(query, results, sums, notices)
        best: list[ScoredMemory] = []
        for position in sorted(range(len(results)), key=lambda position: -scored[position].total):
            result, new = results[position], scored[position]
            if request.min_score is not None and new.score < request.min_score:
                continue
            explanation = result.explanation
            if request.explain and new.part:
                part = {**new.part, "from": position + 1}
                explanation = {**(result.explanation or {}), "rerank": part}
            best.append(replace(result, score=new.score, explanation=explanation))
        new_sums = {result.memory.id: new.total for result, new in zip(results, scored, strict=True)}
        return Reranked(best[: request.limit], new_sums)

    async def _by_cross_encoder(
        self, request: SearchRequest, results: Sequence[ScoredMemory]
    ) -> list[_Scored]:
        """Score results by a cross-encoder alone: its logit, through the logistic, is their `score`."""
        encoder = self._encoder
        logits = await encoder.scores(request.text, [embedded_text(item.memory) for item in results])
        return [
            _Scored(sum_of_logit(logit), {"model": encoder.name, "logit": round(logit, 4)})
            for logit in logits
        ]


class _Scored(NamedTuple):
    """What one result is ordered by."""

    total: float
    part: Mapping[str, Any] = {}
    """What `explain` says of it; nothing where it was not read."""

    @property
    def score(self) -> float:
        """The total through the logistic that makes the `score` of every search."""
        return logistic((self.total - constants.SCORE_MIDDLE) / constants.SCORE_SCALE)

    def plus(self, weight: float, z: float) -> _Scored:
        """Return it with what the tokens of its text say, in deviations above those of the others."""
        part = {"model": _NAME, "z": round(z, 4), "weight": round(weight, 4)}
        return _Scored(self.total + weight * z, part)


class _TokenReranker:
    """Adds to the sum of each of the best how well its tokens match the query's, with the default model's vectors.

    It is the default model whatever embeds the store: others give one vector for a whole text, and no tokens.
    """

    def __init__(self, index: SemanticIndex) -> None:
        self._index = index
        self._own: LocalEmbedder | None = None
        """The default model, where something else embeds the store."""

    async def scored(
        self,
        query: Query,
        results: Sequence[ScoredMemory],
        sums: Mapping[str, float],
        notices: list[str],
    ) -> list[_Scored]:
        """Return the new sum of each result; the former ones, and a notice, where the model is of no use."""
        former = [_Scored(sums[result.memory.id]) for result in results]
        try:
            model = await self._model()
            if model.language_coverage(query.text) >= constants.READABLE:
                return await self._changed(model, query, [result.memory for result in results], former)
        except (EmbeddingError, MissingDependencyError) as error:
            notices.append(Hint("not reranked: {error}", error=error))
        else:
            notices.append("not reranked: the default model does not read the language of this query")
        return former

    async def _changed(
        self, model: LocalEmbedder, query: Query, records: Sequence[MemoryRecord], former: list[_Scored]
    ) -> list[_Scored]:
        words = query_words(query.text)[: constants.MOST_TERMS]
        token_words = model.token_words(query.text)
        weights = word_weights(token_words, words, query.statistics)
        texts = [embedded_text(record) for record in records[: constants.RERANKED]]
        lengths = [estimate_tokens(text[: constants.CHARACTERS_COUNTED]) for text in texts]
        weight = constants.TOKENS_WEIGHT * brevity(lengths)
        end = _end(lengths)
        places = [
            place
            for place, text in enumerate(texts[:end])
            if lengths[place] <= constants.LONGEST_READ
            and (text.isascii() or model.language_coverage(text) >= constants.READABLE)
        ]
        if not weights or weight < constants.SMALLEST_TOKENS_WEIGHT or len(places) < 2:
            return former
        asked, *matrices = await model.token_vectors([query.text, *(texts[place] for place in places)])
        similarities = with_the_former(
            [word_similarities(token_words, weights, asked, matrix) for matrix in matrices],
            _said_before([records[place] for place in places]),
        )
        z = dict(zip(places, match_scores(list(weights.values()), similarities), strict=True))
        # What is too long, or in another language, keeps its sum; whatever comes after the end stays behind all that
        # was read.
        least = min(z.values())
        return [
            item.plus(weight, z.get(place, 0.0 if place < end else least))
            for place, item in enumerate(former)
        ]

    async def _model(self) -> LocalEmbedder:
        """Return the default model, the one of the store where it has it.

        Raises:
            ModelMissingError: it is not on this machine.
            EmbeddingError: this process may not take the memory that it needs.
        """
        from agent_memory.embeddings.local import LocalEmbedder

        embedder = self._index.embedder
        if not isinstance(embedder, LocalEmbedder):
            if self._own is None:
                self._own = LocalEmbedder()
                self._own.shares_model = True
            embedder = self._own
        await embedder.prepare()
        return embedder


def _said_before(records: Sequence[MemoryRecord]) -> dict[int, int]:
    """Return, by place, the place of the message right before, where a person said that: what a reply is about."""
    places = {origin.passage: place for place, record in enumerate(records) if (origin := source(record))}
    before = {}
    for place, record in enumerate(records):
        origin = source(record) if is_message(record) else None
        former = places.get(origin.beside[0]) if origin else None
        if former is not None and from_person(records[former]):
            before[place] = former
    return before


def _end(lengths: Sequence[int]) -> int:
    """Return how many of the first texts there is time for; those that are too long to be read take none."""
    left = constants.TOKENS_READ
    for place, length in enumerate(lengths):
        left -= length if length <= constants.LONGEST_READ else 0
        if left < 0:
            return place
    return len(lengths)
