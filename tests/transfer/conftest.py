from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent_memory.storage.base import Store
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.sqlite import SqliteStore
from tests.storage.plain import PlainVectorStore

OpenStore = Callable[..., Awaitable[Store]]


@pytest.fixture
async def open_store(tmp_path: Path, anyio_backend: object) -> AsyncIterator[OpenStore]:
    """Open stores by backend; a name tells several of one backend apart."""
    async with AsyncExitStack() as stack:

        async def opened(backend: str, name: str = "a", agent_id: str = "tester") -> Store:
            store: Store
            if backend == "sqlite":
                store = SqliteStore(agent_id, path=tmp_path / f"{name}.db")
            else:
                store = InMemoryStore(agent_id) if backend == "memory" else PlainVectorStore(agent_id)
            await store.open()
            stack.push_async_callback(store.close)
            return store

        yield opened
