"""A recall embeds its query while the standing context is read; whatever fails there leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent_memory import AgentMemory, BackendError, ValidationError
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.errors import EmbeddingError
from agent_memory.records import MemoryRecord
from agent_memory.storage.sqlite import SqliteStore

pytestmark = pytest.mark.anyio


class Embedder(DummyEmbedder):
    """Says when it was asked to embed a query, and fails or waits for ever if it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.fails = self.waits = self.left = False

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        if query:
            self.asked.set()
            try:
                if self.waits:
                    await asyncio.sleep(3600)
            finally:
                self.left = True
            if self.fails:
                raise EmbeddingError("no vector today")
        return await super()._embed(texts, query=query)


class Store(SqliteStore):
    """Reads the standing context only once the query is being embedded."""

    embedder: Embedder
    fails = False

    async def _select_each(self, selections: Sequence[Any]) -> list[list[MemoryRecord]]:
        await asyncio.wait_for(self.embedder.asked.wait(), 20)
        if self.fails:
            raise BackendError("the standing context is away")
        return await super()._select_each(selections)


async def opened(path: Path) -> tuple[AgentMemory, Store, Embedder]:
    embedder, store = Embedder(), Store("a", path=path)
    store.embedder = embedder
    memory = AgentMemory("a", backend=store, embedding_provider=embedder)
    await memory.open()
    await memory.add("the staging database runs in Oslo", "fact")
    return memory, store, embedder


async def test_the_query_is_embedded_meanwhile(tmp_path: Path) -> None:
    memory, _, embedder = await opened(tmp_path / "a.db")
    async with memory:
        packed = await memory.recall("where does the staging database run?")
        found = await memory.search("where does the staging database run?", explain=True)
    assert "Oslo" in packed.text
    assert embedder.left
    assert found.retrievers == ("words", "meaning")
    assert [item.memory.id for item in packed.items] == [item.memory.id for item in found]


async def test_what_cannot_be_embedded_is_searched_by_words(tmp_path: Path) -> None:
    memory, _, embedder = await opened(tmp_path / "a.db")
    async with memory:
        embedder.fails = True
        packed = await memory.recall("where does the staging database run?")
        assert "Oslo" in packed.text
        assert packed.notices == ("searched by words only: no vector today",)
        with pytest.raises(EmbeddingError, match="no vector today"):
            await memory.recall("where does the staging database run?", mode="vector")


@pytest.mark.parametrize("waits", [False, True])
async def test_where_the_store_fails_nothing_is_left_behind(tmp_path: Path, waits: bool) -> None:
    memory, store, embedder = await opened(tmp_path / "a.db")
    async with memory:
        embedder.fails, embedder.waits, store.fails = not waits, waits, True
        before = asyncio.all_tasks()
        with pytest.raises(BackendError, match="standing context"):
            await memory.recall("where does the staging database run?")
        assert embedder.left
        assert asyncio.all_tasks() == before


async def test_a_brief_and_a_search_by_words_embed_nothing(tmp_path: Path) -> None:
    memory, _, embedder = await opened(tmp_path / "a.db")
    async with memory:
        embedder.asked.set()
        embedder.waits = True
        await memory.recall()
        await memory.recall("Oslo", mode="keyword")
        with pytest.raises(ValidationError, match="empty"):
            await memory.recall(" ")
    assert not embedder.left
