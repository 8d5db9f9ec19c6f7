"""The library's own verbs are tested on both local backends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from agent_memory import AgentMemory, MemoryConfig

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
