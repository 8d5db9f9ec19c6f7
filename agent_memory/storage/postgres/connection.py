"""Reaching the server: a pool of connections, units of work, and what went wrong in one line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg import errors
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from agent_memory import paths
from agent_memory.errors import (
    BackendError,
    ClosedError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.redaction import redacted
from agent_memory.storage.postgres import migrate
from agent_memory.storage.renewal import FORM
from agent_memory.text.analysis import ANALYSER

T = TypeVar("T")
Connection = psycopg.AsyncConnection[Any]
Unit = Callable[[Connection], Awaitable[T]]
_REFUSED = ("password", "authentication", "pg_hba", "does not exist", "role")


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn what the driver raises into our own errors."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnreachableError(url, "no connection in time") from error
    except (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure) as error:
        raise StoreBusyError(redacted(url)) from error
    except (errors.DiskFull, errors.OutOfMemory) as error:
        raise StoreFullError.server(url, str(error)) from error
    except errors.ReadOnlySqlTransaction as error:
        raise StoreReadOnlyError.server(url, str(error)) from error
    except psycopg.OperationalError as error:
        said = str(error)
        if any(word in said for word in _REFUSED) and "connection refused" not in said.lower():
            raise BackendError(
                f"{redacted(url)} refuses the connection: {_line(said)}",
                hint="check user, password and database; ~/.pgpass and PGPASSWORD are read too",
            ) from error
        raise StoreUnreachableError(url, _line(said)) from error
    except psycopg.Error as error:
        raise BackendError(
            f"{redacted(url)} refused: {_line(str(error))}", hint="the server's log may say more"
        ) from error


def _line(text: str) -> str:
    return redacted(" ".join(text.split()))


class Server:
    """One agent's connections."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.url = url
        self.schema = str(options.get("schema", "agentmem"))
        self.policed = bool(options.get("row_level_security", False))
        self._timeout = float(options.get("connect_timeout", 5.0))
        self._size = int(options.get("pool_size", 4))
        self._given: dict[str, Any] = {}
        if options.get("password_file"):
            self._given["password"] = paths.expanded(str(options["password_file"])).read_text().strip()
        self._pool: AsyncConnectionPool[Connection] | None = None
        self.agent = 0
        """The agent's number."""
        self.version = 0
        """Of the tables."""
        self.pgvector = (0, 0)

    async def open(self, agent_id: str) -> None:
        """Connect, make the tables if need be, and learn the agent's number."""
        await self.close()
        with translated(self.url):
            async with await psycopg.AsyncConnection.connect(
                self.url, autocommit=True, connect_timeout=max(1, int(self._timeout)), **self._given
            ) as first:
                self.version = await migrate.migrate(first, self.schema, self.url)
                await migrate.set_search_path(first, self.schema)
                if self.policed:
                    await migrate.police(first)
                self.agent = await _number(first, agent_id)
                query = "select extversion from pg_extension where extname = 'vector'"
                version = (await (await first.execute(query)).fetchall())[0][0]
                self.pgvector = tuple(map(int, version.split(".")[:2]))  # type: ignore[assignment]
            self._pool = AsyncConnectionPool(
                self.url,
                min_size=1,
                max_size=self._size,
                timeout=self._timeout,
                kwargs={"autocommit": True, "connect_timeout": max(1, int(self._timeout)), **self._given},
                configure=self._configure,
                open=False,
            )
            await self._pool.open(wait=True, timeout=self._timeout)

    async def _configure(self, connection: Connection) -> None:
        await migrate.set_search_path(connection, self.schema)
        await connection.execute("set timezone to 'UTC'")
        await connection.execute(f"set agentmem.agent to '{self.agent}'")
        await connection.execute("set lock_timeout to '30s'")
        await connection.execute("set hnsw.ef_search to 200")
        if self.pgvector >= (0, 8):
            await connection.execute("set hnsw.iterative_scan to 'strict_order'")
        # Compiling a query that takes a millisecond takes fifty.
        await connection.execute("set jit to off")
        # A plan for any value would not know which part of an index it may use.
        await connection.execute("set plan_cache_mode to force_custom_plan")
        await register_vector_async(connection)

    async def close(self) -> None:
        """Give all connections back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def read(self, work: Unit[T]) -> T:
        """Run queries, each on the state it finds; again on a new connection if the old one broke."""
        return await self._run(work)

    async def read_whole(self, work: Unit[T]) -> T:
        """Run several queries on one state of the database."""

        async def whole(connection: Connection) -> T:
            async with connection.transaction():
                await connection.execute("set transaction isolation level repeatable read, read only")
                return await work(connection)

        return await self._run(whole)

    async def write(self, work: Unit[T], stored: Callable[[], Awaitable[T | None]] | None = None) -> T:
        """Run a unit in one transaction.

        If the connection breaks, nobody has said whether it was committed: `stored` looks, and returns its result if
        it was. Otherwise, and without `stored`, the unit is run again: it must do no harm twice.

        Returns:
            What the unit returned, or what `stored` found.
        """

        async def whole(connection: Connection) -> T:
            async with connection.transaction():
                return await work(connection)

        return await self._run(whole, stored)

    async def _run(self, work: Unit[T], stored: Callable[[], Awaitable[T | None]] | None = None) -> T:
        pool = self._pool
        if pool is None:
            raise ClosedError("the postgres store")
        with translated(self.url):
            for attempt in range(self._size + 2):
                try:
                    async with pool.connection() as connection:
                        return await work(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    if isinstance(error, PoolTimeout) or error.sqlstate in _NOT_BROKEN:
                        raise
                    if attempt == self._size + 1:
                        raise psycopg.OperationalError(str(error)) from error
                    if stored is not None and (result := await stored()) is not None:
                        return result
        raise AssertionError("unreachable")

    async def outside(self, statement: str) -> None:
        """Run a statement that no transaction may be around."""
        assert self._pool is not None
        with translated(self.url):
            async with self._pool.connection() as connection:
                await connection.execute(statement)


_NOT_BROKEN = frozenset({"55P03", "40P01", "40001", "53100", "53200", "54000"})
"""Operational errors that leave the connection whole: locks, deadlocks, a full disk, too little memory."""


async def _number(connection: Connection, agent_id: str) -> int:
    row = await (await connection.execute("select number from agent where id = %s", (agent_id,))).fetchone()
    if row is None:
        # A new agent has nothing that an earlier version wrote.
        await connection.execute(
            "insert into agent (id, layout, analyser) values (%s, %s, %s) on conflict do nothing",
            (agent_id, FORM, ANALYSER),
        )
        row = await (
            await connection.execute("select number from agent where id = %s", (agent_id,))
        ).fetchone()
    assert row is not None
    return int(row[0])
