"""Each kind of Redis is a store like any other."""

from __future__ import annotations

import pytest
from servers.redis import RedisServer

from agent_memory.storage.redis import RedisStore
from agent_memory.testing.store import StoreFactory, StoreSuite

from .conftest import start


class RedisSuite(StoreSuite):
    kind = ""
    mode: str | None = None
    """None: what the server can do, as it says itself."""

    @pytest.fixture
    def store_factory(self, servers: dict[str, RedisServer]) -> StoreFactory:
        url = start(self.kind, servers).url
        return lambda agent_id: RedisStore(agent_id, url=url, mode=self.mode)


class TestSearchModule(RedisSuite):
    kind = "search"


class TestVectorSets(RedisSuite):
    kind = "vector-sets"


class TestPlain(RedisSuite):
    kind = "vector-sets"
    mode = "plain"


class TestValkey(RedisSuite):
    kind = "valkey"
