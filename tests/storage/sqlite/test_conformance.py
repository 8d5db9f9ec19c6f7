"""The SQLite store passes the suite of all stores, with a vector index and without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory.storage.sqlite import SqliteStore, driver
from agent_memory.testing.store import StoreFactory, StoreSuite


class TestWithVectorIndex(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path: Path) -> StoreFactory:
        assert driver.vector_extension() is not None, "sqlite-vec has to be installed, and loadable"
        return lambda agent_id: SqliteStore(agent_id, path=tmp_path / f"{agent_id.encode().hex()}.db")


class TestWithoutVectorIndex(StoreSuite):
    @pytest.fixture
    def store_factory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreFactory:
        monkeypatch.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
        return lambda agent_id: SqliteStore(agent_id, path=tmp_path / f"{agent_id.encode().hex()}.db")
