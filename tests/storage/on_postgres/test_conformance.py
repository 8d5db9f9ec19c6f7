"""PostgreSQL is a store like any other, with the newest pgvector and with the oldest."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from servers.postgres import PostgresServer

from agent_memory.storage.postgres import PostgresStore
from agent_memory.testing.store import StoreFactory, StoreSuite

from .conftest import empty, without_add_function
from .recorded_statements import Recorder


class TestNewest(StoreSuite):
    """Besides, Citus would refuse no statement of the whole suite where tables are distributed by agent.

    Nothing is stored by our function, as there: each statement is planned by itself.
    """

    @pytest.fixture
    def store_factory(self, newest: PostgresServer) -> Iterator[StoreFactory]:
        empty(newest)
        with psycopg.connect(newest.url) as connection:
            migrated = connection.execute("select to_regclass('agentmem.schema_version')").fetchone()
        recorder = Recorder(newest)
        with without_add_function(newest):
            yield lambda agent_id: PostgresStore(agent_id, url=recorder.url)
        # Migrations are for all agents; they run before anything is distributed.
        faults = [fault for fault in recorder.faults() if migrated != (None,)]
        assert faults == []


class TestOldest(StoreSuite):
    @pytest.fixture
    def store_factory(self, oldest: PostgresServer) -> StoreFactory:
        url = empty(oldest)
        return lambda agent_id: PostgresStore(agent_id, url=url)
