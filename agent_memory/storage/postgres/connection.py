"""Reaching the server: a pool of connections, and units of work on them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool

from agent_memory import paths
from agent_memory.errors import ClosedError
from agent_memory.storage.postgres import migrate
from agent_memory.storage.postgres.failures import is_broken, translated
from agent_memory.storage.postgres.session import Connection, Extension, Settings, extension, quoted_name
from agent_memory.storage.renewal import FORM
from agent_memory.text.analysis import ANALYSER

T = TypeVar("T")
Unit = Callable[[Connection], Awaitable[T]]
_ONE_STATE: Final = "begin isolation level repeatable read read only"

# A broken connection is replaced, or an error of ours says that it could not be: nobody has to read of each attempt.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Server:
    """One agent's connections."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.url = url
        self.schema = str(options.get("schema", "agentmem"))
        self.policed = bool(options.get("row_level_security", False))
        self._timeout = float(options.get("connect_timeout", 5.0))
        self._size = int(options.get("pool_size", 4))
        self._arguments: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": max(1, int(self._timeout)),
        }
        if options.get("password_file"):
            self._arguments["password"] = paths.expanded(str(options["password_file"])).read_text().strip()
        self._pool: AsyncConnectionPool[Connection] | None = None
        self._extension: Extension
        self._settings: Settings
        self.agent = 0
        """The agent's number."""
        self.version = 0
        """Of the tables."""

    async def open(self, agent_id: str) -> None:
        """Connect, make the tables if need be, and learn the agent's number."""
        await self.close()
        with translated(self.url):
            async with await Connection.connect(self.url, **self._arguments) as first:
                await first.probe()
                self.version = await migrate.migrate(first, self.schema, self.url)
                if self.policed:
                    await migrate.police(first, self.schema)
                self._extension = await extension(first)
                self.agent = await _number(first, self.table("agent"), agent_id)
            self._settings = Settings(
                self.schema, self._extension.schema, self.agent, self._extension.version
            )
            self._pool = AsyncConnectionPool(
                self.url,
                connection_class=Connection,
                min_size=1,
                max_size=self._size,
                timeout=self._timeout,
                kwargs=self._arguments,
                configure=self._configure,
                open=False,
            )
            await self._pool.open(wait=True, timeout=self._timeout)

    async def _configure(self, connection: Connection) -> None:
        await connection.probe()
        if connection.direct:
            await connection.execute(self._settings.for_session(), prepare=False)
        self._extension.register(connection)

    async def close(self) -> None:
        """Give all connections back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @property
    def pgvector(self) -> tuple[int, ...]:
        """The version of the server's pgvector."""
        return self._extension.version

    def table(self, name: str) -> str:
        """Return the name of a table as it is understood whatever the session's settings are."""
        return f"{quoted_name(self.schema)}.{name}"

    def of_extension(self, name: str) -> str:
        """Return the name of something of pgvector's as it is understood whatever the session's settings are."""
        return f"{quoted_name(self._extension.schema)}.{name}"

    async def read(self, work: Unit[T]) -> T:
        """Run queries, each on the state it finds; again on a new connection if the old one broke."""

        async def unit(connection: Connection) -> T:
            if connection.direct:
                return await work(connection)
            return await self._in_transaction(connection, "begin", work)

        return await self._run(unit)

    async def read_whole(self, work: Unit[T]) -> T:
        """Run several queries on one state of the database."""
        return await self._run(lambda connection: self._in_transaction(connection, _ONE_STATE, work))

    async def write(self, work: Unit[T], stored: Callable[[], Awaitable[T | None]] | None = None) -> T:
        """Run a unit in one transaction.

        If the connection breaks, nobody has said whether it was committed: `stored` looks, and returns its result if
        it was. Otherwise, and without `stored`, the unit is run again: it must do no harm twice.

        Returns:
            What the unit returned, or what `stored` found.
        """
        return await self._run(lambda connection: self._in_transaction(connection, "begin", work), stored)

    async def _in_transaction(self, connection: Connection, begin: str, work: Unit[T]) -> T:
        """Run a unit in a transaction; after an error the pool rolls it back."""
        opening = begin if connection.direct else self._settings.for_transaction(begin)
        await connection.execute(opening, prepare=False)
        result = await work(connection)
        await connection.execute("commit", prepare=False)
        return result

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
                    if not is_broken(error):
                        raise
                    if attempt == self._size + 1:
                        raise psycopg.OperationalError(str(error)) from error
                    if stored is not None and (result := await stored()) is not None:
                        return result
        raise AssertionError("unreachable")

    async def outside(self, statement: str) -> None:
        """Run a statement that no transaction may be around; its names say which schema they are in."""
        assert self._pool is not None
        with translated(self.url):
            async with self._pool.connection() as connection:
                await connection.execute(statement, prepare=False)


async def _number(connection: Connection, table: str, agent_id: str) -> int:
    table = table.replace("%", "%%")  # the driver looks for places of values in a statement that has any
    query = f"select number from {table} where id = %s"
    row = await (await connection.execute(query, (agent_id,))).fetchone()
    if row is None:
        # A new agent has nothing that an earlier version wrote.
        await connection.execute(
            f"insert into {table} (id, layout, analyser) values (%s, %s, %s) on conflict do nothing",
            (agent_id, FORM, ANALYSER),
        )
        row = await (await connection.execute(query, (agent_id,))).fetchone()
    assert row is not None
    return int(row[0])
