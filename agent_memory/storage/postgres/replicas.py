"""Reading from replicas what was written here: a replica answers once it has replayed this store's last write."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool

from agent_memory.storage.postgres.session import Connection

T = TypeVar("T")
Pool: TypeAlias = AsyncConnectionPool[Connection]
_CONNECT: Final = 1.0
"""Seconds to wait for a connection to a replica, before the primary is asked."""
_CATCH_UP: Final = 0.1
"""Seconds to wait for a replica that lags behind."""
_PAUSE: Final = 0.002
_LEFT_ALONE: Final = 5.0
"""Seconds for which a replica that failed is not asked again."""
_WRITTEN: Final = "select (pg_current_wal_insert_lsn() - '0/0')::bigint"
_REPLAYED: Final = "select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0')::bigint end"


class Replicas:
    """Connections to replicas, and the position in the log that they must have reached."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._written = 0
        self._after = -math.inf

    async def open(self) -> None:
        """Open the pool without waiting for a connection."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give all connections back."""
        await self._pool.close()

    async def note_write(self, connection: Connection) -> None:
        """Remember how far the log is after a commit."""
        try:
            self._written = max(self._written, int(await _value(connection, _WRITTEN)))
        except psycopg.Error:
            # What was committed stays so; where the log is then is not known, so the primary is read for a while.
            self._after = time.monotonic() + _LEFT_ALONE

    async def answer(self, unit: Callable[[Connection], Awaitable[T]]) -> tuple[T] | None:
        """Run a unit of reading on a replica.

        Returns:
            The unit's result in a tuple; None where no replica can answer now, and the primary has to.
        """
        if time.monotonic() < self._after:
            return None
        try:
            async with self._pool.connection(timeout=_CONNECT) as connection:
                return (await unit(connection),) if await self._caught_up(connection) else None
        except psycopg.Error:
            # The primary will say it again if it is the question that is wrong.
            self._after = time.monotonic() + _LEFT_ALONE
            return None

    async def _caught_up(self, connection: Connection) -> bool:
        deadline = time.monotonic() + _CATCH_UP
        while connection.replayed < self._written:
            replayed: Any = await _value(connection, _REPLAYED)
            connection.replayed = math.inf if replayed is None else replayed  # None: it is a primary itself
            if connection.replayed < self._written:
                if time.monotonic() > deadline:
                    return False
                await asyncio.sleep(_PAUSE)
        return True


async def _value(connection: Connection, query: str) -> Any:
    return (await (await connection.execute(query)).fetchall())[0][0]
