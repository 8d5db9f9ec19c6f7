"""Listing the agents of a server, or of all servers of a cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from agent_memory.batching import batched
from agent_memory.errors import BackendError
from agent_memory.redaction import redacted
from agent_memory.storage.documents import Manifest
from agent_memory.storage.redis import connection
from agent_memory.storage.redis.connection import translated
from agent_memory.storage.redis.keys import Keys, literal
from agent_memory.storage.redis.routing import ClusterRoute

_BATCH: Final = 500
_ROUNDS: Final = 3
"""How often the servers are asked anew if slots moved meanwhile."""


async def agents(url: str, options: Mapping[str, Any], prefix: str) -> set[str]:
    """Return the agents that have memories, or had some, under a prefix.

    Args:
        url: of a server, of a cluster, or of Sentinels.
        options: what stands beside the URL.
        prefix: what the keys begin with.

    Returns:
        The agents.

    Raises:
        BackendError: the servers of the cluster changed again and again while they were asked.
    """
    client, route = await connection.connect(url, options, Keys.of(prefix, "default").root)
    try:
        with translated(url):
            if not isinstance(route, ClusterRoute):
                return await _agents(client, prefix)
            for _ in range(_ROUNDS):
                nodes, agents = await route.primaries(), set[str]()
                for node in nodes:
                    async with _closing(route.client(node)) as one:
                        agents |= await _agents(one, prefix)
                if set(await route.primaries()) == set(nodes):
                    return agents
    finally:
        await client.aclose()
    raise BackendError(f"the servers of {redacted(url)} keep changing", hint="try again in a moment")


@asynccontextmanager
async def _closing(client: Redis) -> AsyncIterator[Redis]:
    try:
        yield client
    finally:
        await client.aclose()


async def _agents(client: Any, prefix: str) -> set[str]:
    """Return the agents of one server: each has a manifest, which says whose it is."""
    pattern = f"{literal(f'{{{prefix}:')}*{literal('}:head')}"
    names = [name async for name in client.scan_iter(match=pattern, count=1000)]
    agents: set[str] = set()
    for batch in batched(names, _BATCH):
        pipe = client.pipeline(transaction=False)
        for name in batch:
            pipe.get(name)
        agents |= {
            Manifest.from_json(text.decode()).agent_id for text in await pipe.execute() if text is not None
        }
    return agents
