"""Pinecone is a store like any other: the real SDK, against an emulator that enforces the service's limits."""

from __future__ import annotations

import pytest
from servers.pinecone import PineconeServer

from agent_memory.storage.changes import new_id
from agent_memory.storage.pinecone import PineconeStore
from agent_memory.testing.store import StoreFactory, StoreSuite


class TestPinecone(StoreSuite):
    @pytest.fixture
    def store_factory(self, emulator: PineconeServer) -> StoreFactory:
        emulator.indexes.clear()
        options = {"url": "pinecone://suite", "host": emulator.host, "api_key": emulator.api_key}
        prefix = f"{new_id()}-"
        return lambda agent_id: PineconeStore(agent_id, **options, dimension=8, namespace_prefix=prefix)
