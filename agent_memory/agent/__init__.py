"""One agent's memory: six kinds of it, searched together."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from agent_memory.agent.adding import Adding
from agent_memory.agent.changing import Changing
from agent_memory.agent.finding import Finding
from agent_memory.agent.moving import Moving
from agent_memory.agent.upkeep import Upkeep
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.registry import NO_EMBEDDER, check_embedder_name
from agent_memory.memories.calling import checked
from agent_memory.memories.core import Core
from agent_memory.recall.semantic_index import SemanticIndex
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.registry import create_store, names_a_file

if TYPE_CHECKING:
    from agent_memory.config import MemoryConfig
    from agent_memory.embeddings.adapted import TextEmbedder


class AgentMemory(Adding, Finding, Changing, Moving, Upkeep):
    """The memory of one agent.

    It opens itself with the first call. Use it as an async context manager, or call `close` when done. With no
    settings it is one SQLite file in the user's data folder, searched by words and by meaning, with nothing to
    install, download or start.

    Args:
        agent_id: whose memory; one file per agent. None: whoever the store at hand belongs to.
        config: a `MemoryConfig`, or None for the defaults.
        backend: an open or unopened store to use instead of the configured one; it is closed with the memory.
        embedding_provider: what to use instead of the configured embedder: the name of one, an `Embedder`, or any
            object with `embed_documents(texts)` and `embed_query(text)` that return lists of floats or arrays.

    Raises:
        ConfigurationError: a setting, or a combination of them, is unknown.
        PolicyError: the backend or the embedder uses the network, and the setting `offline` forbids that.
    """

    @checked
    def __init__(
        self,
        agent_id: str | None = "default",
        config: MemoryConfig | Settings | None = None,
        *,
        backend: Store | None = None,
        embedding_provider: Embedder | TextEmbedder | str | None = None,
    ) -> None:
        settings = (
            Settings() if config is None else config if isinstance(config, Settings) else config.settings()
        )
        if isinstance(embedding_provider, str):
            name = check_embedder_name(embedding_provider)
            settings = replace(settings, embedding_provider=name, embedder_named=True)
            embedding_provider = None
        embedder: Embedder | None = None
        if embedding_provider is not None:
            from agent_memory.embeddings.adapted import as_embedder

            embedder = as_embedder(embedding_provider)
        # "default" is also what nobody chose, so a file that was named keeps its own agent then.
        asked = (
            None
            if agent_id == "default" and names_a_file(settings.backend, settings.backend_config)
            else agent_id
        )
        store = backend or create_store(settings.backend, asked, settings.backend_config)
        store.check_allowed(offline=settings.offline)
        index = SemanticIndex(
            store,
            provider=settings.embedding_provider,
            options=settings.embedding_config,
            named=settings.embedder_named,
            embedder=embedder,
            offline=settings.offline,
        )
        self._core = Core(store, index, settings)
        self._backend = store
        self._entered = 0
        self._closes = False

    # --- life ----------------------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Open the store and choose the embedder; does nothing the second time. The first call does it by itself.

        Returns:
            This memory itself.

        Raises:
            BackendError: the store cannot be opened.
            ConfigurationError: it belongs to another agent.
            ClosedError: this memory was closed.
        """
        await self._core.open()
        return self

    async def close(self) -> None:
        """Release the store and the embedder, for good: every later call raises ClosedError. Idempotent."""
        await self._core.close()

    async def __aenter__(self) -> Self:
        opened = await self._core.open()
        if not self._entered:
            self._closes = opened
        self._entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if not self._entered and self._closes:  # else somebody who opened it before goes on with it
            await self.close()

    # --- what it consists of -------------------------------------------------------------------------------

    @property
    def backend(self) -> Store:
        """The store that keeps it."""
        return self._backend

    @property
    def embedding_provider(self) -> Embedder | None:
        """The embedder in use; None where memories are found by words only."""
        return self._core.index.embedder

    @property
    def has_semantic(self) -> bool:
        """Whether memories can be found by meaning; before it is opened, whether the settings say so."""
        if not self._core.opened:
            return self._core.index.provider != NO_EMBEDDER and self._backend.capabilities.vectors
        return self._core.index.available
