"""Texts whose embedding is pending, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import vectors
from agent_memory.storage.postgres.attempts import keep, pending_condition, read
from agent_memory.storage.postgres.reading import Scope, fetch, records
from agent_memory.storage.postgres.session import Connection

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector


async def of_texts(
    connection: Connection, scope: Scope, space: EmbeddingSpace, digests: Collection[TextHash]
) -> dict[TextHash, Attempt]:
    """Return the attempts at texts in a space, by hash."""
    return await read(connection, scope, space.id, digests)


async def remember(
    connection: Connection,
    scope: Scope,
    space: EmbeddingSpace,
    attempts: Mapping[TextHash, Attempt],
    new: Mapping[TextHash, Sequence[Vector]],
) -> None:
    """Keep attempts at texts that a memory has, and their new vectors."""
    known = await vectors.known(connection, scope, space)
    wanted = await vectors.wanted(connection, scope, attempts)
    await keep(connection, scope, known, wanted, new)


async def pending(
    connection: Connection, scope: Scope, limit: int, space: EmbeddingSpace | None, failed: bool | None
) -> list[MemoryRecord]:
    """List memories without vectors in a space, newest first."""
    sql, values = await _pending_in(connection, scope, space, failed)
    newest = f"{sql} order by m.created_at desc, m.place desc limit {int(limit)}"
    return await records(connection, scope, newest, values)


async def pending_count(
    connection: Connection, scope: Scope, space: EmbeddingSpace | None, failed: bool | None
) -> int:
    """Count memories without vectors in a space."""
    sql, values = await _pending_in(connection, scope, space, failed)
    fetched = await fetch(connection, f"select count(*) from memory as m where {sql}", values)
    return int(fetched[0][0])


async def _pending_in(
    connection: Connection, scope: Scope, space: EmbeddingSpace | None, failed: bool | None
) -> Sql:
    chosen = space or await vectors.current(connection, scope)
    return pending_condition(scope, None if chosen is None else chosen.id, failed)
