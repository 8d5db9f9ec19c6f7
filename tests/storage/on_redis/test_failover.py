"""Servers that fail under five writers: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from servers.redis import RedisServer
from servers.redis_cluster import RedisCluster, SentinelSet, until
from servers.surviving import Course, written_through

from agent_memory.errors import StoreReadOnlyError
from agent_memory.storage.base import Order, Store
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, put, texts

from .conftest import KINDS
from .test_routing import MODES, ROOT, writers

pytestmark = [pytest.mark.anyio, pytest.mark.soak]
LONGEST = 10.0
"""Seconds for which nobody may see an error, or wait."""
Fault = Callable[[RedisServer], None]


def killed(server: RedisServer) -> None:
    server.kill()


def frozen(server: RedisServer) -> None:
    server.freeze()


def back_again(server: RedisServer) -> None:
    """Bring back a server that was killed or hangs."""
    server.thaw() if server.running else server.start()


def check(course: Course, what: str) -> None:
    print(
        f"{what}: {len(course.acknowledged)} acknowledged, none lost, {len(course.errors)} errors, "
        f"the longest write took {course.longest:.1f} s"
    )
    assert course.errors == []
    assert course.longest < LONGEST


@pytest.mark.parametrize("fault", [killed, frozen])
@pytest.mark.parametrize(("kind", "mode"), MODES)
async def test_a_primary_of_a_cluster_fails(kind: str, mode: str | None, fault: Fault) -> None:
    with RedisCluster(KINDS[kind], appendonly=True) as cluster:
        first = cluster.owner(ROOT)

        def fail_over() -> None:
            fault(first)
            until(lambda: cluster.owner(ROOT, without=first) is not first, "the failover")
            time.sleep(1.0)
            back_again(first)
            until(cluster.whole, "coming back")

        async with writers(cluster.url, mode=mode) as stores:
            check(await written_through(stores, fail_over), f"{kind}, {fault.__name__}")
            assert cluster.owner(ROOT) is not first
            vectors = await stores[0].by_keyword(["wrote"], EVERYTHING, 3)  # type: ignore[attr-defined]
            assert len(vectors) == 3


async def test_a_primary_that_is_killed_comes_back_before_anybody_takes_over() -> None:
    with RedisCluster(KINDS["vector-sets"], appendonly=True) as cluster:
        async with writers(cluster.url) as stores:
            check(await written_through(stores, lambda: cluster.owner(ROOT).restart()), "restarted")


@pytest.mark.parametrize(("kind", "mode"), MODES)
async def test_a_slot_goes_round_and_round(kind: str, mode: str | None) -> None:
    with RedisCluster(KINDS[kind], appendonly=True) as cluster:

        def go_round() -> None:
            for _ in range(8):
                cluster.move(ROOT, pause=0.002)
                time.sleep(0.3)

        async with writers(cluster.url, mode=mode) as stores:
            check(await written_through(stores, go_round), f"{kind}, moved eight times")


@pytest.mark.parametrize("fault", [killed, frozen])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_primary_behind_sentinels_fails(kind: str, fault: Fault) -> None:
    with SentinelSet(KINDS[kind], appendonly=True) as watched:
        first = watched.primary()

        def fail_over() -> None:
            fault(first)
            until(lambda: watched.primary() is not first, "the failover")
            time.sleep(1.0)
            back_again(first)
            until(lambda: role(first)[0] == "slave", "coming back as a replica")

        async with writers(watched.url) as stores:
            check(await written_through(stores, fail_over), f"behind Sentinels, {kind}, {fault.__name__}")


def careful(*arguments: str, **options: Any) -> RedisServer:
    """A server that takes no write unless a replica has answered within the last two seconds."""
    asked = ("--min-replicas-to-write", "1", "--min-replicas-max-lag", "2")
    return KINDS["vector-sets"](*asked, *arguments, **options)


def role(server: RedisServer) -> Any:
    with server.client() as client:
        return client.role()


def cut_off(primary: RedisServer, replica: RedisServer) -> None:
    """Let nothing more reach a replica."""
    replica.freeze()
    with primary.client() as client:
        client.execute_command("CLIENT KILL", "TYPE", "replica")


async def lost_after_a_cut(watched: SentinelSet, store: Store) -> tuple[list[str], int]:
    """Write while the replica is cut off, then lose the primary; return what was lost, and how much was refused."""
    primary = watched.primary()
    replica = next(server for server in watched.servers if server is not primary)
    acknowledged, refused = ["before the cut"], 0
    await put(store, builders.message("before the cut"))
    await anyio.sleep(0.2)
    cut_off(primary, replica)
    for number in range(3):
        try:
            await put(store, builders.message(f"after the cut {number}"))
            acknowledged.append(f"after the cut {number}")
        except StoreReadOnlyError:
            refused += 1
    primary.kill()
    replica.thaw()
    until(lambda: watched.primary() is replica, "the failover")
    primary.start()
    until(lambda: role(primary)[0] == "slave", "coming back as a replica")
    await put(store, builders.message("at the end"))
    stored = texts(await store.select(EVERYTHING, Order("position", descending=False)))
    assert len(stored) == len(set(stored))
    assert stored[-1] == "at the end"
    return sorted({*acknowledged} - {*stored}), refused


async def test_what_a_cut_off_replica_loses_was_said_before() -> None:
    with SentinelSet(KINDS["vector-sets"], appendonly=True) as watched:
        async with writers(watched.url, 1) as (store,):
            durability = await store.durability()
            assert durability is not None
            assert any("min-replicas-to-write 1" in risk for risk in durability.risks)
            lost, refused = await lost_after_a_cut(watched, store)
            assert lost == [f"after the cut {number}" for number in range(3)]
            assert refused == 0


async def test_what_would_be_lost_is_refused_where_the_server_is_told_to() -> None:
    with SentinelSet(careful, appendonly=True) as watched:
        async with writers(watched.url, 1) as (store,):
            durability = await store.durability()
            assert durability is not None
            assert durability.risks == ()
            lost, refused = await lost_after_a_cut(watched, store)
            assert (lost, refused) == ([], 3)
