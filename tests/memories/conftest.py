"""The library's own verbs are tested on both local backends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from agent_memory import AgentMemory, MemoryConfig, SyncAgentMemory
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.embeddings.segments import split_by_bytes

BACKENDS = ("sqlite", "memory")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_config(backend: str) -> Callable[..., MemoryConfig]:
    def make(**more: Any) -> MemoryConfig:
        return MemoryConfig(**{"backend": backend, "embedding_provider": "dummy", **more})

    return make


@pytest.fixture
async def memory(make_config: Callable[..., MemoryConfig]) -> AsyncIterator[AgentMemory]:
    async with AgentMemory("tester", make_config()) as opened:
        yield opened
        assert await opened.check() == []


class _CuttingEmbedder(DummyEmbedder):
    """One that cuts long texts, as every model does that reads so many tokens and no more."""

    async def split(self, text: str) -> list[str]:
        return split_by_bytes(text, 1000)


@pytest.fixture
def cutting_memory() -> Iterator[SyncAgentMemory]:
    """Return a memory in which a long document takes several chunks."""
    config, embedder = MemoryConfig(backend="memory"), _CuttingEmbedder(dimension=8)
    with SyncAgentMemory("t", config, embedding_provider=embedder) as opened:
        yield opened
