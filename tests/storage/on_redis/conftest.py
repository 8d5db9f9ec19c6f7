"""The servers, each started once for all tests of a process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from servers.redis import RedisServer, redis_search, redis_vectorsets, valkey
from servers.redis_cluster import RedisCluster, SentinelSet

KINDS: dict[str, Callable[..., RedisServer]] = {
    "search": redis_search,
    "vector-sets": redis_vectorsets,
    "valkey": valkey,
}


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, RedisServer]]:
    running: dict[str, RedisServer] = {}
    yield running
    for server in running.values():
        server.stop()


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, servers: dict[str, RedisServer]) -> RedisServer:
    """Each kind of server in turn, empty."""
    return start(request.param, servers)


def start(kind: str, servers: dict[str, RedisServer]) -> RedisServer:
    if kind not in servers:
        servers[kind] = KINDS[kind]().start()
    servers[kind].flush()
    return servers[kind]


@pytest.fixture(scope="session")
def clusters() -> Iterator[dict[str, RedisCluster]]:
    running: dict[str, RedisCluster] = {}
    yield running
    for cluster in running.values():
        cluster.stop()


def start_cluster(kind: str, clusters: dict[str, RedisCluster]) -> RedisCluster:
    """Return the cluster of that kind of server, empty."""
    if kind not in clusters:
        clusters[kind] = RedisCluster(KINDS[kind], appendonly=True).__enter__()
    clusters[kind].flush()
    return clusters[kind]


@pytest.fixture(scope="session")
def sentinel_set() -> Iterator[SentinelSet]:
    with SentinelSet(redis_vectorsets, appendonly=True) as running:
        yield running
