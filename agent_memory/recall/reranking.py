"""Ordering the best of a search anew by a cross-encoder, on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent_memory.recall.query import SearchRequest
from agent_memory.recall.scoring import logistic, sum_of_logit
from agent_memory.records import ScoredMemory
from agent_memory.text.templates import embedded_text

if TYPE_CHECKING:
    from agent_memory.embeddings.cross_encoder import CrossEncoder


class Reranker:
    """Orders memories by what a cross-encoder says of query and memory together."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    @cached_property
    def _encoder(self) -> CrossEncoder:
        from agent_memory.embeddings.cross_encoder import CrossEncoder

        return CrossEncoder(self._options)

    async def reranked(
        self, request: SearchRequest, results: Sequence[ScoredMemory]
    ) -> tuple[list[ScoredMemory], dict[str, float]]:
        """Order results by a cross-encoder; its logit, through the logistic, is their `score`.

        Returns:
            As many as the request asks for at most, and the sum that each is ordered by, by memory id.

        Raises:
            ConfigurationError: an option or the model's name is unknown.
            ModelMissingError: the model is not on this machine.
        """
        encoder = self._encoder
        logits = await encoder.scores(request.text, [embedded_text(item.memory) for item in results])
        order = sorted(range(len(results)), key=lambda position: -logits[position])
        best: list[ScoredMemory] = []
        sums: dict[str, float] = {}
        for position in order:
            result, logit = results[position], logits[position]
            score = logistic(logit)
            if request.min_score is not None and score < request.min_score:
                continue
            part = {"rerank": {"model": encoder.name, "logit": round(logit, 4), "from": position + 1}}
            explanation = {**(result.explanation or {}), **part} if request.explain else None
            best.append(replace(result, score=score, explanation=explanation))
            sums[result.memory.id] = sum_of_logit(logit)
        return best[: request.limit], sums
