"""PostgreSQL is a store like any other, with the newest pgvector and with the oldest."""

from __future__ import annotations

import pytest
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import PostgresStore
from agent_memory.testing.store import StoreFactory, StoreSuite

from .conftest import empty


class TestNewest(StoreSuite):
    @pytest.fixture
    def store_factory(self, newest: PostgresServer) -> StoreFactory:
        url = empty(newest)
        return lambda agent_id: PostgresStore(agent_id, url=url)


class TestOldest(StoreSuite):
    @pytest.fixture
    def store_factory(self, oldest: PostgresServer) -> StoreFactory:
        url = empty(oldest)
        return lambda agent_id: PostgresStore(agent_id, url=url)
