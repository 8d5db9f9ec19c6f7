"""Many members, one command: what a write gathers for a key, and how few commands a batch takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from servers.redis import RedisServer

from agent_memory.storage.redis import RedisStore, gathering
from agent_memory.storage.redis.gathering import Gathering
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put

from .conftest import start

pytestmark = pytest.mark.anyio
MOST = 10
"""Commands for each memory of a large batch, those within scripts too: its document, vector, history, the hashes of
its text and its rare words are its own. With a command for each member there were 32."""
Fill = Callable[[Gathering], None]


async def written(server: RedisServer, *fills: Fill) -> Any:
    """Write by one gathering after another, and return what a client of the server's reads them by."""
    client: Any = Redis(port=server.port, decode_responses=True)
    async with client:
        for fill in fills:
            async with client.pipeline(transaction=True) as pipe:
                one = Gathering(pipe)
                fill(one)
                one.flush()
                await pipe.execute()
    return server.client()


async def test_what_was_said_last_of_a_member_counts(servers: dict[str, RedisServer]) -> None:
    def first(one: Gathering) -> None:
        for member in ("stays", "goes"):
            one.sadd("set", member)
            one.zadd("sorted", {member: 1})
            one.put_field("hash", member, 1)

    def second(one: Gathering) -> None:
        for member in ("stays", "never"):
            one.srem("set", member)
            one.zrem("sorted", member)
            one.drop_field("hash", member)
        one.sadd("set", "stays")
        one.zadd("sorted", {"stays": 2})
        one.put_field("hash", "stays", 2)
        one.sadd("set", "goes")
        one.srem("set", "goes")
        one.zadd("sorted", {"goes": 2})
        one.zrem("sorted", "goes")
        one.put_field("hash", "goes", 2)
        one.drop_field("hash", "goes")

    client = await written(start("vector-sets", servers), first, second)
    assert client.smembers("set") == {"stays"}
    assert client.zrange("sorted", 0, -1, withscores=True) == [("stays", 2.0)]
    assert client.hgetall("hash") == {"stays": "2"}


async def test_more_than_one_command_takes_are_all_there(
    servers: dict[str, RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_AT_ONCE", 3)
    names = [f"member {number}" for number in range(10)]

    def fill(one: Gathering) -> None:
        for number, name in enumerate(names):
            one.sadd("set", name)
            one.zadd("sorted", {name: number})
            one.put_field("hash", name, number)
            one.rpush("list", name)

    client = await written(start("vector-sets", servers), fill)
    assert client.smembers("set") == set(names)
    assert client.zrange("sorted", 0, -1) == names
    assert client.hgetall("hash") == {name: str(number) for number, name in enumerate(names)}
    assert client.lrange("list", 0, -1) == names, "a list keeps its order"


async def test_a_large_batch_takes_few_commands(servers: dict[str, RedisServer]) -> None:
    server, count = start("vector-sets", servers), 500
    records = [
        builders.event(f"at step {number} the service {number % 9} restarted") for number in range(count)
    ]
    vectors = {builders.digest(record): [builders.vector(1)] for record in records}

    def commands() -> int:
        told: dict[str, Any] = server.client().info("stats")
        return int(told["total_commands_processed"])

    async with opened(lambda agent_id: RedisStore(agent_id, url=server.url)) as store:
        await store.add_space(builders.space())  # type: ignore[attr-defined]
        before = commands()
        await put(store, *records, vectors=vectors)
        assert commands() - before < MOST * count
        assert await store.check() == []
