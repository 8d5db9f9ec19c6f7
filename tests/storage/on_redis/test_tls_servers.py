"""Servers that speak TLS themselves, to each other too: a cluster, and a primary that Sentinels watch.

They are the distribution's, with words and vectors compared in this process.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest
from servers.redis import redis_with_tls
from servers.redis_cluster import RedisCluster, SentinelSet, until
from servers.surviving import written_through
from servers.tls import Authority

from agent_memory.errors import StoreUnreachableError
from agent_memory.storage.redis import RedisStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.support import opened, put, texts

from .test_failover import back_again, check, role
from .test_routing import ROOT, writers

pytestmark = [pytest.mark.anyio, pytest.mark.soak]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "known")


@pytest.fixture(scope="module")
def cluster(authority: Authority) -> Iterator[RedisCluster]:
    make = partial(redis_with_tls, authority=authority)
    with RedisCluster(make, appendonly=True, password="right-one") as running:
        yield running


@pytest.fixture(scope="module")
def watched(authority: Authority) -> Iterator[SentinelSet]:
    make = partial(redis_with_tls, authority=authority)
    with SentinelSet(make, appendonly=True, password="right-one") as running:
        yield running


class TestCluster(StoreSuite):
    @pytest.fixture
    def store_factory(self, cluster: RedisCluster) -> StoreFactory:
        cluster.flush()
        return lambda agent_id: RedisStore(agent_id, url=cluster.url)


class TestBehindSentinels(StoreSuite):
    @pytest.fixture
    def store_factory(self, watched: SentinelSet) -> StoreFactory:
        watched.flush()
        return lambda agent_id: RedisStore(agent_id, url=watched.url)


async def test_any_node_leads_to_the_agent(cluster: RedisCluster) -> None:
    cluster.flush()
    for number, node in enumerate(cluster.nodes):
        plain = cluster.plain_url(node)
        async with opened(lambda agent_id, plain=plain: RedisStore(agent_id, url=plain)) as store:  # type: ignore[misc]
            await put(store, builders.fact(f"fact {number}"))
            assert len(await store.select(Where())) == number + 1
            assert (await store.describe()).details["topology"] == "cluster"
    assert await RedisStore("nobody", url=cluster.url).list_agents() == ["tester"]


async def test_hundreds_of_stores_find_their_server_at_once(cluster: RedisCluster) -> None:
    """Each asks five servers, by a connection with TLS each, and gives them a second."""
    cluster.flush()
    async with writers(cluster.url, 1) as (store,):
        await put(store, builders.fact("pears"))
    stores = [RedisStore("tester", url=cluster.url) for _ in range(200)]
    async with anyio.create_task_group() as tasks:
        for one in stores:
            tasks.start_soon(one.open)
    for one in stores:
        assert await one.count(Where()) == 1
        await one.close()


async def test_writers_go_on_while_their_slot_moves(cluster: RedisCluster) -> None:
    cluster.flush()
    async with writers(cluster.url) as stores:
        course = await written_through(stores, lambda: cluster.move(ROOT, pause=0.005))
        check(course, "moved, with TLS")


async def test_a_primary_of_a_cluster_fails(cluster: RedisCluster) -> None:
    cluster.flush()
    first = cluster.owner(ROOT)

    def fail_over() -> None:
        first.kill()
        until(lambda: cluster.owner(ROOT, without=first) is not first, "the failover")
        time.sleep(1.0)
        back_again(first)
        until(cluster.whole, "coming back")

    async with writers(cluster.url) as stores:
        check(await written_through(stores, fail_over), "killed, with TLS")
        assert cluster.owner(ROOT) is not first


async def test_a_primary_behind_sentinels_fails(watched: SentinelSet) -> None:
    watched.flush()
    first = watched.primary()

    def fail_over() -> None:
        first.kill()
        until(lambda: watched.primary() is not first, "the failover")
        time.sleep(1.0)
        back_again(first)
        until(lambda: role(first)[0] == "slave", "coming back as a replica")

    async with writers(watched.url) as stores:
        check(await written_through(stores, fail_over), "killed behind Sentinels, with TLS")


@pytest.mark.parametrize("kind", ["cluster", "watched"])
async def test_an_authority_that_is_unknown_is_said_in_words(
    kind: str, authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url: str = request.getfixturevalue(kind).url
    other = Authority(tmp_path / "other")
    with pytest.raises(StoreUnreachableError, match="certificate verify failed") as caught:
        await RedisStore("tester", url=url.replace(str(authority.file), str(other.file))).open()
    assert "ssl_ca_certs=FILE" in str(caught.value)
    assert "-one" not in str(caught.value)


async def test_a_url_without_tls_is_said_in_words(cluster: RedisCluster) -> None:
    url = cluster.url.partition("?")[0].replace("rediss+", "redis+")
    with pytest.raises(StoreUnreachableError, match="does not serve this agent now"):
        await RedisStore("tester", url=url).open()


async def test_what_was_stored_with_tls_is_there(cluster: RedisCluster) -> None:
    cluster.flush()
    async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url)) as store:
        await put(store, builders.fact("pears"))
    async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url)) as store:
        assert texts(await store.select(Where())) == ["pears"]
