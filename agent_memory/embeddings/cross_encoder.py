"""A cross-encoder: it reads a query and a memory together, and says how well the one answers the other.

It runs once for each memory, where an embedder runs once for the query: so only the best of a search go through it,
and only on request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent_memory import paths
from agent_memory.embeddings import catalog
from agent_memory.embeddings.catalog import ModelCard
from agent_memory.embeddings.downloads import cache_folder, check_weights, load, quiet_fastembed, snapshot
from agent_memory.embeddings.segments import well_formed
from agent_memory.embeddings.sharing import HeldModel, shared
from agent_memory.embeddings.threads import in_worker
from agent_memory.errors import ConfigurationError, MissingDependencyError

_BATCH: Final = 16
_OPTIONS: Final = frozenset({"model", "path", "threads", "cache_dir"})


class CrossEncoder:
    """One of fastembed's cross-encoders, run from files on this machine; nothing is ever downloaded.

    Options:
        model: its name; `Xenova/ms-marco-MiniLM-L-6-v2` if left out.
        path: a folder with its files, used instead of the cache.
        threads: how many threads a run may use; by default one per core that this process may use.
        cache_dir: the folder of downloaded models, instead of our own.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        unknown = sorted(set(options) - _OPTIONS)
        if unknown:
            raise ConfigurationError.unknown("option of the reranker", unknown[0], _OPTIONS)
        self._options = dict(options)
        wanted = str(options.get("model") or catalog.RERANKER)
        card = catalog.card_of(wanted)
        if card is None or card.purpose != "rerank":
            known = [item.name for item in catalog.CARDS.values() if item.purpose == "rerank"]
            raise ConfigurationError.unknown("reranker", wanted, known)
        self._card = card
        self._model: HeldModel | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return self._card.name

    async def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return, for each text, the model's logit for "this answers the query": any number, above 0 for yes.

        A text longer than the model reads counts with its beginning.

        Returns:
            One logit for each text, in order.

        Raises:
            ModelMissingError: the model is not on this machine, or damaged.
        """
        return await in_worker(self._run, query, list(texts)) if texts else []

    def _run(self, query: str, texts: list[str]) -> list[float]:
        model = self._model_now()
        # Texts of like length in one batch: what is padded is read for nothing.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        ordered = [well_formed(texts[index]) for index in order]
        logits = model.rerank(well_formed(query), ordered, batch_size=_BATCH)
        by_index = dict(zip(order, map(float, logits), strict=True))
        return [by_index[index] for index in range(len(texts))]

    def _model_now(self) -> Any:
        if self._model is None:
            card, cache = self._card, cache_folder(self._options.get("cache_dir"))
            path, threads = self._options.get("path"), self._options.get("threads")
            folder = paths.expanded(path) if path else snapshot(card, cache)
            key = ("rerank", check_weights(card, folder), str(folder), threads)
            self._model = shared(key, lambda: HeldModel(lambda: _load(card, folder, cache, threads)))
        return self._model.get()


def _load(card: ModelCard, folder: Path, cache: Path, threads: int | None) -> Any:
    try:
        quiet_fastembed()
        from fastembed.rerank.cross_encoder import TextCrossEncoder
    except ImportError as error:
        raise MissingDependencyError("fastembed", extra="all") from error
    return load(TextCrossEncoder, card, folder, cache, threads)
