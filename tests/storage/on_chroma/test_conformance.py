"""Chroma is a store like any other, in a folder and on a server.

Both have the same code but for how they are reached, so `make test` runs the whole suite in a folder, and on a
server the parts in which what is asked of it differs most; `make soak` runs all of it there as well.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.chroma import ChromaServer

from agent_memory.storage.changes import new_id
from agent_memory.storage.chroma import ChromaStore
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.forgetting import ForgettingTests
from agent_memory.testing.store.life import LifeTests
from agent_memory.testing.store.sharing import SharingTests
from agent_memory.testing.store.vectors import VectorTests
from agent_memory.testing.store.writing import WritingTests

from . import QUIET

pytestmark = QUIET


class TestEmbedded(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> StoreFactory:
        return lambda agent_id: ChromaStore(agent_id, path=tmp_path)


class OnServer:
    @pytest.fixture
    def store_factory(self, chroma_server: ChromaServer) -> StoreFactory:
        prefix = f"test-{new_id()}"
        return lambda agent_id: ChromaStore(agent_id, url=chroma_server.url, prefix=prefix)


class TestServer(OnServer, LifeTests, WritingTests, SharingTests, VectorTests, ForgettingTests):
    """A short pass."""


@pytest.mark.soak
class TestAllOnServer(OnServer, StoreSuite):
    """The whole suite."""
