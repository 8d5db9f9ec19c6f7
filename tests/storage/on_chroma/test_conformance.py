"""Chroma is a store like any other, in a folder and on a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.chroma import ChromaServer

from agent_memory.storage.changes import new_id
from agent_memory.storage.chroma import ChromaStore
from agent_memory.testing.store import StoreFactory, StoreSuite

from . import QUIET

pytestmark = QUIET


class TestEmbedded(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> StoreFactory:
        return lambda agent_id: ChromaStore(agent_id, path=tmp_path)


class TestServer(StoreSuite):
    @pytest.fixture
    def store_factory(self, chroma_server: ChromaServer) -> StoreFactory:
        prefix = f"test-{new_id()}"
        return lambda agent_id: ChromaStore(agent_id, url=chroma_server.url, prefix=prefix)
