"""A store in a cluster, or behind Sentinels, is a store like any other.

`make test` runs the parts in which what is asked of the server differs most; `make soak` runs the whole suite.
"""

from __future__ import annotations

import pytest
from servers.redis_cluster import RedisCluster, SentinelSet

from agent_memory.storage.redis import RedisStore
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.conversations import ConversationTests
from agent_memory.testing.store.history import HistoryTests
from agent_memory.testing.store.life import LifeTests
from agent_memory.testing.store.sharing import SharingTests
from agent_memory.testing.store.vectors import VectorTests
from agent_memory.testing.store.words import WordTests
from agent_memory.testing.store.writing import WritingTests

from .conftest import start_cluster


class InCluster:
    kind = ""
    mode: str | None = None

    @pytest.fixture
    def store_factory(self, clusters: dict[str, RedisCluster]) -> StoreFactory:
        url = start_cluster(self.kind, clusters).url
        return lambda agent_id: RedisStore(agent_id, url=url, mode=self.mode)


class TestCluster(
    InCluster, LifeTests, WritingTests, SharingTests, WordTests, VectorTests, ConversationTests
):
    kind = "vector-sets"


class TestClusterWithSearchModule(InCluster, WordTests, VectorTests):
    kind = "search"


class TestBehindSentinels(LifeTests, WritingTests, HistoryTests):
    @pytest.fixture
    def store_factory(self, sentinel_set: SentinelSet) -> StoreFactory:
        sentinel_set.flush()
        return lambda agent_id: RedisStore(agent_id, url=sentinel_set.url)


@pytest.mark.soak
class TestAllVectorSets(InCluster, StoreSuite):
    kind = "vector-sets"


@pytest.mark.soak
class TestAllPlain(InCluster, StoreSuite):
    kind = "vector-sets"
    mode = "plain"


@pytest.mark.soak
class TestAllValkey(InCluster, StoreSuite):
    kind = "valkey"


@pytest.mark.soak
class TestAllSearchModule(InCluster, StoreSuite):
    kind = "search"


@pytest.mark.soak
class TestAllBehindSentinels(StoreSuite):
    @pytest.fixture
    def store_factory(self, sentinel_set: SentinelSet) -> StoreFactory:
        sentinel_set.flush()
        return lambda agent_id: RedisStore(agent_id, url=sentinel_set.url)
