"""The store in memory is a store like any other."""

from __future__ import annotations

import pytest

from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.testing.store import StoreFactory, StoreSuite


class TestInMemoryStore(StoreSuite):
    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        return InMemoryStore
