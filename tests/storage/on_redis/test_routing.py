"""Finding the server of an agent: at opening, when it moves, and when it hangs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest
from servers.ports import free_port
from servers.redis import RedisServer, redis_vectorsets, valkey
from servers.redis_cluster import RedisCluster, SentinelSet
from servers.surviving import written_through

from agent_memory.errors import BackendError, ConfigurationError, StoreReadOnlyError, StoreUnreachableError
from agent_memory.storage.base import Store
from agent_memory.storage.redis import RedisStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put, texts

from .conftest import start, start_cluster

pytestmark = pytest.mark.anyio
ROOT = "{agentmem:tester}"
MODES = [("search", None), ("vector-sets", None), ("vector-sets", "plain"), ("valkey", None)]


@asynccontextmanager
async def writers(url: str, count: int = 5, **options: Any) -> AsyncIterator[list[Store]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(opened(lambda agent_id: RedisStore(agent_id, url=url, **options)))
            for _ in range(count)
        ]


async def test_any_node_leads_to_the_agent(clusters: dict[str, RedisCluster]) -> None:
    cluster = start_cluster("vector-sets", clusters)
    for number, node in enumerate(cluster.nodes):
        async with opened(
            lambda agent_id, node=node: RedisStore(agent_id, url=cluster.plain_url(node))
        ) as store:  # type: ignore[misc]
            await put(store, builders.fact(f"fact {number}"))
            assert len(await store.select(Where())) == number + 1
            details = (await store.describe()).details
            assert details["topology"] == "cluster"
            assert details["primary"] == f"127.0.0.1:{cluster.owner(ROOT).port}"


async def test_agents_of_all_slots_are_kept_apart(clusters: dict[str, RedisCluster]) -> None:
    cluster = start_cluster("vector-sets", clusters)
    names = [f"agent {number}" for number in range(12)]
    primaries = set()
    for name in names:
        async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url), name) as store:
            await put(store, builders.fact(f"of {name}"))
            primaries.add((await store.describe()).details["primary"])
    assert len(primaries) == 3
    for url in (cluster.url, f"redis://127.0.0.1:{cluster.nodes[1].port}"):
        assert await RedisStore("nobody", url=url).list_agents() == sorted(names)
    for name in names:
        async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url), name) as store:
            assert texts(await store.select(Where())) == [f"of {name}"]
            await store.drop()
    for node in cluster.nodes:
        with node.client() as client:
            assert client.dbsize() == 0


@pytest.mark.parametrize(("kind", "mode"), MODES)
async def test_all_is_found_after_a_slot_has_moved(
    clusters: dict[str, RedisCluster], kind: str, mode: str | None
) -> None:
    cluster = start_cluster(kind, clusters)
    async with writers(cluster.url, 2, mode=mode) as (first, second):
        await first.add_space(builders.space())  # type: ignore[attr-defined]
        vectors = builders.vectors_of(pears=[builders.vector(1)])
        await put(first, builders.fact("pears"), vectors=vectors)
        for number in range(2):
            target = cluster.move(ROOT)
            assert target is cluster.owner(ROOT)
            for store in (second, first):
                assert len(await store.by_keyword(["pears"], Where(), 9)) == 1  # type: ignore[attr-defined]
                assert len(await store.by_vector(builders.vector(1), Where(), 9)) == 1  # type: ignore[attr-defined]
            await put(second, builders.fact(f"apples {number}"))
            assert await first.check() == []


@pytest.mark.parametrize(("kind", "mode"), MODES)
async def test_writers_go_on_while_their_slot_moves(
    clusters: dict[str, RedisCluster], kind: str, mode: str | None
) -> None:
    cluster = start_cluster(kind, clusters)
    async with writers(cluster.url, mode=mode) as stores:
        course = await written_through(stores, lambda: cluster.move(ROOT, pause=0.005))
        assert course.errors == []
        assert len(await stores[1].by_keyword(["wrote"], Where(), 10_000)) == len(course.acknowledged)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["search", "vector-sets"])
async def test_no_search_misses_what_has_moved_already(clusters: dict[str, RedisCluster], kind: str) -> None:
    """While keys move one by one, neither server has all; a search waits until one has."""
    cluster = start_cluster(kind, clusters)
    async with writers(cluster.url, 1) as (store,):
        await put(store, *(builders.fact(f"pear {number}") for number in range(100)))
        counts: list[int] = []
        over = anyio.Event()

        async def search() -> None:
            while not over.is_set():
                counts.append(len(await store.by_keyword(["pear"], Where(), 1000)))  # type: ignore[attr-defined]

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(search)
            await anyio.to_thread.run_sync(lambda: cluster.move(ROOT, pause=0.02))
            await anyio.sleep(0.2)
            over.set()
        assert set(counts) == {100}


async def test_a_slot_that_stays_on_the_move_is_said_in_words(clusters: dict[str, RedisCluster]) -> None:
    cluster = start_cluster("vector-sets", clusters)
    source, target = cluster.owner(ROOT), cluster.other_primary(cluster.owner(ROOT))
    async with writers(cluster.url, 1) as (store,):
        slot = store._route.slot  # type: ignore[attr-defined]
        with source.client() as old, target.client() as new:
            old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", new.execute_command("CLUSTER MYID"))
            began = anyio.current_time()
            with pytest.raises(StoreUnreachableError, match="are being moved away from") as caught:
                await put(store, builders.fact("pears"))
            assert 5 < anyio.current_time() - began < 10
            assert "try again when that is done" in str(caught.value)
            old.execute_command("CLUSTER SETSLOT", slot, "STABLE")
        await put(store, builders.fact("pears"))


# --- Sentinels -------------------------------------------------------------------------------------------------


async def test_sentinels_lead_to_the_primary(sentinel_set: SentinelSet) -> None:
    sentinel_set.flush()
    async with opened(lambda agent_id: RedisStore(agent_id, url=sentinel_set.url)) as store:
        await put(store, builders.fact("pears"))
        details = (await store.describe()).details
        assert details["topology"] == "sentinel"
        assert details["primary"] == f"127.0.0.1:{sentinel_set.primary().port}"


async def test_an_unknown_service_is_said_in_words(sentinel_set: SentinelSet) -> None:
    with pytest.raises(ConfigurationError, match="knows no service 'other'"):
        await RedisStore("tester", url=sentinel_set.url.replace(sentinel_set.service, "other")).open()


async def test_a_sentinel_that_is_taken_for_a_server_says_what_to_write(sentinel_set: SentinelSet) -> None:
    sentinel = sentinel_set.url.split("//")[1].split(",")[0]
    with pytest.raises(ConfigurationError, match=r"is a Sentinel.*redis\+sentinel://"):
        await RedisStore("tester", url=f"redis://{sentinel}").open()


async def test_sentinels_and_servers_with_a_password() -> None:
    with SentinelSet(redis_vectorsets, password="right-one") as secured:
        async with opened(lambda agent_id: RedisStore(agent_id, url=secured.url)) as store:
            await put(store, builders.fact("pears"))
            assert "right-one" not in (await store.describe()).location
        wrong = secured.url.replace("right-one", "wrong-one")
        with pytest.raises(BackendError, match="refuses this user") as caught:
            await RedisStore("tester", url=wrong).open()
        assert "-one" not in str(caught.value)


# --- what is wrong is said in words ----------------------------------------------------------------------------


async def test_a_cluster_that_is_down_is_said_in_one_line() -> None:
    ports = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()}"
    began = anyio.current_time()
    with pytest.raises(StoreUnreachableError, match="does not serve this agent now") as caught:
        await RedisStore("tester", url=f"redis+cluster://u:secret@{ports}").open()
    assert anyio.current_time() - began < 3, "where nobody has ever answered, nobody waits for a failover"
    assert "cannot be found by 127.0.0.1:" in str(caught.value)
    assert "Connect call failed" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_cluster_has_one_database(clusters: dict[str, RedisCluster]) -> None:
    cluster = start_cluster("vector-sets", clusters)
    with pytest.raises(ConfigurationError, match="database 0 only"):
        await RedisStore("tester", url=f"{cluster.plain_url(cluster.nodes[0])}/3").open()
    with pytest.raises(ConfigurationError, match="database 0 only"):
        await RedisStore("tester", url=cluster.url, db=3).open()


async def test_a_server_that_is_no_cluster_is_said_in_words(servers: dict[str, RedisServer]) -> None:
    port = start("vector-sets", servers).port
    with pytest.raises(ConfigurationError, match=r"cluster support disabled.*write redis://"):
        await RedisStore("tester", url=f"redis+cluster://127.0.0.1:{port}").open()
    with pytest.raises(ConfigurationError, match=r"unknown command.*write redis://"):
        await RedisStore("tester", url=f"redis+sentinel://127.0.0.1:{port}/mem").open()


@pytest.fixture(scope="module")
def secured() -> Iterator[RedisCluster]:
    with RedisCluster(valkey, password="right-one") as cluster:
        yield cluster


async def test_users_of_a_cluster(secured: RedisCluster) -> None:
    async with opened(lambda agent_id: RedisStore(agent_id, url=secured.url)) as store:
        await put(store, builders.fact("pears"))
    plain = secured.plain_url(secured.nodes[1])
    async with opened(lambda agent_id: RedisStore(agent_id, url=plain)) as store:
        assert texts(await store.select(Where())) == ["pears"]
    for url in (secured.url.replace("right-one", "wrong-one"), secured.url.replace(":right-one@", "")):
        began = anyio.current_time()
        with pytest.raises(BackendError, match="refuses this user") as caught:
            await RedisStore("tester", url=url).open()
        assert anyio.current_time() - began < 2, "a wrong password stays wrong"
        assert "-one" not in str(caught.value)


async def test_too_few_replicas_are_said_in_words(server: RedisServer) -> None:
    async with opened(lambda agent_id: RedisStore(agent_id, url=server.url)) as store:
        await put(store, builders.fact("pears"))
        await store._client.config_set("min-replicas-to-write", 1)
        try:
            with pytest.raises(StoreReadOnlyError, match="lower min-replicas-to-write") as caught:
                await put(store, builders.fact("a secret of somebody"))
            assert "secret" not in str(caught.value)
        finally:
            await store._client.config_set("min-replicas-to-write", 0)
        assert texts(await store.select(Where())) == ["pears"]
