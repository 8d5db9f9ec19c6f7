"""A long conversation on Redis is read by its sorted set, and its system messages by a set of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from servers.redis import RedisServer

from agent_memory import AgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.redis import RedisStore
from agent_memory.testing.store.support import texts

from .conftest import start

pytestmark = pytest.mark.anyio
TALK = [{"content": "be brief", "role": "Developer"}] + [
    {"content": f"message {number}", "role": "user"} for number in range(300)
]
NEWEST = ["be brief", *(f"message {number}" for number in range(295, 300))]


def opened(server: RedisServer, **options: Any) -> AgentMemory:
    store: Store = RedisStore("tester", url=server.url, mode="plain", **options)
    return AgentMemory("tester", Settings(session="talk", embedding_provider="none"), backend=store)


async def test_a_window_is_read_of_a_conversation_that_is_too_long_to_be_scanned(
    servers: dict[str, RedisServer],
) -> None:
    server = start("vector-sets", servers)
    async with opened(server) as memory:
        await memory.conversation.add_many(TALK)
    async with opened(server, most_scanned=20) as memory:
        assert texts(await memory.conversation.get_messages(5)) == NEWEST
        last = await memory.conversation.add_message("user", "one more")
        assert (await memory.conversation.get_messages(1))[-1].id == last


async def test_what_an_earlier_version_stored_is_found_before_and_after_it_is_renewed(
    servers: dict[str, RedisServer],
) -> None:
    server = start("vector-sets", servers)
    async with opened(server) as memory:
        await memory.conversation.add_many(TALK)
        store: Any = memory.backend
        system = store._keys.system_messages("talk")
        await store._client.delete(system)
        await store._change_manifest(lambda manifest: (replace(manifest.outdated(), analyser=0), None))
    async with opened(server) as memory:
        store = memory.backend
        assert await store.outdated_count() == 301
        assert texts(await memory.conversation.get_messages(5)) == NEWEST
        assert await memory.check() == []
        await store.renew()
        assert await store._client.scard(system) == 1
        assert texts(await memory.conversation.get_messages(5)) == NEWEST
        await store._client.delete(system)
        assert await memory.check() != []
        await store.rebuild()
        assert await memory.check() == []
        assert texts(await memory.conversation.get_messages(5)) == NEWEST
