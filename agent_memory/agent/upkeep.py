"""Upkeep: how the store is doing, embedding, checking and repairing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_memory.agent.types import MemoryTypes
from agent_memory.memories.base import Listing
from agent_memory.memories.operations import status
from agent_memory.memories.operations.statistics import breakdown
from agent_memory.recall.pending import Progress
from agent_memory.recall.semantic_index import ReembeddingCost
from agent_memory.storage.base import Durability, EmbeddingSpace, KeywordStore, Repair


class Upkeep(MemoryTypes):
    """What keeps a store in order, and tells how it is doing."""

    async def get_stats(self, *, detailed: bool = False) -> dict[str, Any]:
        """Count what there is: `agent_id`, `total`, a count for each type by its name, and more about the store.

        Beside them: how many are `archived`, `pinned` and `expired`, and `backend`, `location` and `bytes`.

        Args:
            detailed: add sizes, ages and tags, for which all memories are gone through once
                as `types`, `tags` and `ages`.

        Returns:
            The counts and what describes the store, by name.
        """
        counts = await status.statistics(self._core)
        return counts | await breakdown(self._core.store) if detailed else counts

    async def get_status(self) -> dict[str, Any]:
        """Return how things stand: where the store is, which level is in force, what is pending. Loads no model.

        `level` says how searches go: `full` (words and meaning), `keyword` (words only), `meaning`, `nothing`, or
        `read-only`; `meaning_unavailable_because` says why not by meaning. `memories` and `counts` (for each type)
        count, and `location`, `backend`, `embedding_provider` and `embedded_with` say what is in use.
        `owed_embeddings` counts the memories that are not embedded yet, `failed_embeddings` those among them whose
        text an embedder failed on, and `failures` has `id`, `reason` and `at` of the newest twenty of these.
        """
        return await status.status(self._core)

    async def index(self, *, limit: int | None = None, progress: Progress | None = None) -> int:
        """Embed what is pending, and return how many texts that were; renew words that an older version indexed.

        What failed before is tried again. It may be stopped at any time, even within a long text: what was done stays
        done. A text that the embedder fails on does not hinder the others; `get_status` names it and the reason.

        Args:
            limit: at most so many texts.
            progress: called with (done, total) pieces; the total is an estimate.

        Returns:
            How many texts were embedded.

        Raises:
            ModelMissingError: the model's files are not on this machine.
            MissingDependencyError: a package that the embedder needs is not installed.
            EmbeddingMismatchError: the store's vectors are of another embedder than the one asked for.
            ConfigurationError: there is no embedder.
        """
        if isinstance(self._core.store, KeywordStore):
            await self._core.store.renew()
        return await self._core.index.embed_pending(texts=limit, progress=progress)

    async def reembed(
        self,
        embedding_provider: str | None = None,
        embedding_config: Mapping[str, Any] | None = None,
        *,
        progress: Progress | None = None,
    ) -> EmbeddingSpace:
        """Embed everything with another embedder, then switch to it; a stopped run goes on where it was."""
        return await self._core.index.reembed(embedding_provider, embedding_config, progress)

    async def cost_of_reembedding(
        self, embedding_provider: str | None = None, embedding_config: Mapping[str, Any] | None = None
    ) -> ReembeddingCost:
        """Return how many texts `reembed` would embed and about how long that takes. Changes nothing."""
        return await self._core.index.cost_of_reembedding(embedding_provider, embedding_config)

    async def check_isolation(self) -> Listing[str]:
        """Plant a canary for a made-up agent on this backend, and ask for it as another in every way there is.

        Returns:
            One line per way in which the other agent saw or changed it; empty if agents are apart. Both made-up
            agents are taken out again.
        """
        from agent_memory.memories.isolation import check_isolation

        return await check_isolation(self._core.store)

    async def check(self) -> Listing[str]:
        """Compare everything in the store that must agree, and return one line per fault."""
        return await self._core.store.check()

    async def durability(self) -> Durability | None:
        """Return what an acknowledged write survives, as the settings of the store and of its server promise it.

        Returns:
            One line, what may lose an acknowledged write, and the settings read; None where a backend does not say.
        """
        return await self._core.store.durability()

    async def repair(self) -> Repair:
        """Make everything derived (words, hashes, indexes) anew, and return the faults that are left.

        Its `mended` says what was wrong before. What is damaged itself stays as it is: nothing is thrown away.

        Returns:
            The faults that were mended, and those that are left.
        """
        return await self._core.store.repair()

    @property
    def damaged(self) -> Mapping[str, str]:
        """What reads have left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""
        return self._core.store.damaged

    @property
    def wrote(self) -> bool:
        """Whether memories were stored, changed or put away through this object."""
        return self._core.store.wrote
