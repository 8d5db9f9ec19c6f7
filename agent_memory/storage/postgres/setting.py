"""What an agent's store remembers by name, such as its default conversation."""

from __future__ import annotations

from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection


async def get(connection: Connection, scope: Scope, name: str) -> str | None:
    """Return a value; None where there is none."""
    query = f"select value from setting where agent = {scope.number} and name = %s"
    fetched = await fetch(connection, query, [name])
    return str(fetched[0][0]) if fetched else None


async def put(connection: Connection, scope: Scope, name: str, value: str | None) -> None:
    """Remember a value; None forgets it."""
    await connection.execute(f"delete from setting where agent = {scope.number} and name = %s", (name,))
    if value is not None:
        await connection.execute(
            "insert into setting (agent, name, value) values (%s, %s, %s)", (scope.number, name, value)
        )
