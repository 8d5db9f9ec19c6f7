"""One timer for many answers, and what becomes of a server that gives none."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest
from redis import exceptions
from servers.redis_cluster import RedisCluster

from agent_memory.storage.redis import RedisStore, silence
from agent_memory.storage.redis.routing import RoutedConnection
from agent_memory.testing.store.support import opened

from .conftest import start_cluster

pytestmark = pytest.mark.anyio
ROOT = "{agentmem:tester}"


async def test_many_answers_take_one_timer(
    clusters: dict[str, RedisCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, made = start_cluster("vector-sets", clusters), list[float]()
    async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url)) as store:
        loop = asyncio.get_running_loop()
        make = loop.call_at

        def counted(when: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
            made.append(when)
            return make(when, *arguments, **options)

        monkeypatch.setattr(loop, "call_at", counted)
        pipe = store._client.pipeline(transaction=False)  # type: ignore[attr-defined]
        for _ in range(1000):
            pipe.exists(f"{ROOT}:absent")
        assert await pipe.execute() == [0] * 1000
    # Writing takes some, and a machine that is busy for seconds another look.
    assert len(made) < 20


@pytest.mark.parametrize("limit", [0.5, 1.5])
async def test_a_server_that_is_silent_is_given_up_in_time(
    clusters: dict[str, RedisCluster], monkeypatch: pytest.MonkeyPatch, limit: float
) -> None:
    """Before it is doubted, and after: the others say that it is the right one still."""
    monkeypatch.setattr(silence, "DOUBTED", 1.0)
    cluster = start_cluster("vector-sets", clusters)
    owner = cluster.owner(ROOT)
    async with opened(lambda agent_id: RedisStore(agent_id, url=cluster.url, timeout=limit)) as store:
        pool = store._client.connection_pool  # type: ignore[attr-defined]
        connection = await pool.get_connection()
        assert isinstance(connection, RoutedConnection)
        await connection.send_command("PING")
        assert await connection.read_response() in (b"PONG", "PONG")
        await anyio.sleep(0.3)  # the timer of that answer goes on
        owner.freeze()
        try:
            await connection.send_command("PING")
            began = anyio.current_time()
            with pytest.raises(exceptions.TimeoutError, match=f"Timeout reading from 127.0.0.1:{owner.port}"):
                await connection.read_response()
            waited = anyio.current_time() - began
        finally:
            owner.thaw()
        assert limit <= waited < 10
        assert not connection.is_connected
        assert connection._silence._timer is None
        await connection.connect()  # and it serves again
        await connection.send_command("PING")
        assert await connection.read_response() in (b"PONG", "PONG")
        await pool.release(connection)
