"""What an acknowledged write survives, by the settings of real servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from servers.redis import RedisServer, redis_vectorsets, valkey
from servers.redis_cluster import until

from agent_memory.storage.base import Durability
from agent_memory.storage.redis import RedisStore
from agent_memory.testing.store.support import opened

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=[redis_vectorsets, valkey], ids=["redis", "valkey"])
def durable(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with request.param("--repl-diskless-sync-delay", "0", appendonly=True) as server:
        yield server


async def told(server: RedisServer, user: str = "") -> Durability:
    url = server.url.replace("redis://", f"redis://{user}") if user else server.url
    async with opened(lambda agent_id: RedisStore(agent_id, url=url)) as store:
        durability = await store.durability()
    assert durability is not None
    return durability


@pytest.mark.parametrize(
    ("settings", "survives", "risk"),
    [
        ({}, "a crash of the server and a power cut; not the loss of the machine", None),
        ({"appendfsync": "everysec"}, "but for about the last two seconds", "appendfsync always"),
        ({"appendfsync": "no"}, "but for about the last half minute", "appendfsync always"),
        ({"appendonly": "no"}, "no crash of the server: nothing is on disk", "appendonly yes"),
        ({"appendonly": "no", "save": "60 1"}, "a crash only from the next snapshot on", "appendonly yes"),
        (
            {"maxmemory": "100000000", "maxmemory-policy": "allkeys-lru"},
            "a power cut",
            "throws away any memory at 100,000,000 bytes",
        ),
        (
            {"maxmemory-policy": "volatile-ttl"},
            "a power cut",
            "throws away short-term memories once maxmemory is set",
        ),
    ],
)
async def test_it_follows_from_the_settings(
    durable: RedisServer, settings: dict[str, Any], survives: str, risk: str | None
) -> None:
    with durable.client() as client:
        before = {name: client.config_get(name)[name] for name in settings}
        try:
            for name, value in settings.items():
                client.config_set(name, value)
            durability = await told(durable)
        finally:
            for name, value in before.items():
                client.config_set(name, value)
    assert survives in durability.survives
    assert settings.items() <= durability.settings.items()
    if risk is None:
        assert durability.risks == ()
    else:
        (line,) = durability.risks
        assert risk in line


async def test_replicas_and_what_is_asked_of_them_count(durable: RedisServer) -> None:
    make = redis_vectorsets if "redis" in str(durable.program) else valkey
    with make() as replica, replica.client() as second, durable.client() as first:
        second.replicaof("127.0.0.1", durable.port)  # type: ignore[arg-type]
        until(lambda: second.role()[3] == "connected", "replication")
        until(lambda: first.info("replication")["connected_slaves"] == 1, "replication")
        durability = await told(durable)
        assert "a failover to a replica only if one had received it" in durability.survives
        (risk,) = durability.risks
        assert "min-replicas-to-write 1" in risk
        first.config_set("min-replicas-to-write", 1)
        try:
            until(lambda: first.info("replication")["min_slaves_good_slaves"] == 1, "a good replica")
            durability = await told(durable)
            assert "a failover, but for what no replica had received yet" in durability.survives
            assert durability.risks == ()
        finally:
            first.config_set("min-replicas-to-write", 0)


async def test_what_the_server_does_not_show_is_said_to_be_unknown(durable: RedisServer) -> None:
    with durable.client() as client:
        client.acl_setuser(
            "guest", enabled=True, passwords=["+hush"], commands=["+@all", "-config"], keys=["*"]
        )
        durability = await told(durable, "guest:hush@")
        assert durability.survives.startswith("a crash of the server; whether a power cut cannot be read")
        assert durability.settings["appendfsync"] is None
        (risk,) = durability.risks
        hidden = "appendfsync, save, min-replicas-to-write"
        assert risk == f"the server does not show {hidden} to this user: ask who runs it"
        client.acl_setuser(
            "guest", enabled=True, passwords=["+hush"], commands=["+@all", "-config", "-info"], keys=["*"]
        )
        durability = await told(durable, "guest:hush@")
        assert "cannot be read; whether there are replicas cannot be read" in durability.survives
        client.acl_deluser("guest")
