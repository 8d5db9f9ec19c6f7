"""How many bytes a backend takes, by its own account."""

from __future__ import annotations

from typing import Any

from agent_memory.storage.registry import create_store
from benchmarks.load.worker import agent_name


async def size_of(url: str, agents: int) -> int | None:
    """Return the bytes of the agents' files, of the database, or of the servers' memory; None if unknown."""
    by_place: dict[str, int] = {}
    for number in range(agents):
        store: Any = create_store(url, agent_name(number), {})
        await store.open()
        try:
            described = await store.describe()
            if store.name == "redis":
                place = str(described.details.get("primary", described.location))
                if place not in by_place:
                    by_place[place] = int((await store._client.info("memory"))["used_memory"])
            elif store.name == "postgres":
                return await _database(url)
            elif described.bytes is not None:
                by_place[described.location] = described.bytes
            else:
                return None
        finally:
            await store.close()
    return sum(by_place.values())


async def _database(url: str) -> int:
    import psycopg

    async with await psycopg.AsyncConnection.connect(url.partition("?")[0], autocommit=True) as connection:
        row = await (await connection.execute("select pg_database_size(current_database())")).fetchone()
    assert row is not None
    return int(row[0])
