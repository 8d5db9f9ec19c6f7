"""Ordering the best of a search anew by a cross-encoder, on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from agent_memory.recall.scoring import logistic
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
        self, query: str, found: Sequence[ScoredMemory], *, explain: bool
    ) -> list[ScoredMemory]:
        """Return the memories in the cross-encoder's order; its logit, through the logistic, is their `score`.

        Raises:
            ConfigurationError: an option or the model's name is unknown.
            ModelMissingError: the model is not on this machine.
        """
        encoder = self._encoder
        logits = await encoder.scores(query, [embedded_text(item.memory) for item in found])
        order = sorted(range(len(found)), key=lambda position: -logits[position])
        result = []
        for position in order:
            part = {
                "rerank": {"model": encoder.name, "logit": round(logits[position], 4), "from": position + 1}
            }
            explanation = {**(found[position].explanation or {}), **part} if explain else None
            result.append(replace(found[position], score=logistic(logits[position]), explanation=explanation))
        return result
