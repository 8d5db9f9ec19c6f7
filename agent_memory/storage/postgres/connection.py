"""Reaching the server: a pool of connections, and units of work on them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from agent_memory.errors import ClosedError, ConfigurationError, StoreUnreachableError
from agent_memory.storage import backend_options
from agent_memory.storage.damage import Damaged
from agent_memory.storage.postgres import addresses, migrate
from agent_memory.storage.postgres.deciding import Frame
from agent_memory.storage.postgres.failures import (
    AgentGoneError,
    is_broken,
    primary_message,
    refused,
    translated,
)
from agent_memory.storage.postgres.reading import NOBODY, Scope
from agent_memory.storage.postgres.replicas import Pool, Replicas
from agent_memory.storage.postgres.session import Connection, Extension, Settings, extension, quoted_name
from agent_memory.storage.renewal import FORM
from agent_memory.text.analysis import ANALYSER

T = TypeVar("T")
Unit = Callable[[Connection], Awaitable[T]]
_ONE_STATE: Final = "begin isolation level repeatable read read only"
_REFUSAL_HOLDS: Final = 5.0
"""Seconds for which a server that took no writes is not asked again for what is only by the way."""
_ENDED: Final = frozenset({"25P03", "25P04"})
"""Limits of an administrator's that end a session: on idle transactions, and on long ones."""
_LONGEST_NAME: Final = 63
"""Bytes of a name; of a longer one the server keeps the beginning."""
_ASKED_AGAIN: Final = 1.0
"""Seconds after which a pool that has given no connection is asked again."""
_PAUSE: Final = 0.1

# A broken connection is replaced, or an error of ours says that it could not be: nobody has to read of each attempt.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Server:
    """One agent's connections."""

    def __init__(self, url: str, options: Mapping[str, Any], damaged: Damaged) -> None:
        self.url, self.read_url = map(addresses.checked, addresses.split(url, options.get("read_url")))
        self.schema = _schema(str(options.get("schema", "agentmem")))
        self.policed = backend_options.switch(options, "row_level_security", False)
        self._timeout = backend_options.seconds(options, "connect_timeout", 5.0)
        self._size = backend_options.whole(options, "pool_size", 4, least=1)
        self._arguments: dict[str, Any] = {
            "autocommit": True,
            # Whatever a role or a database is set to: another could not hold every text.
            "client_encoding": "utf8",
            "connect_timeout": max(1, int(self._timeout)),
        }
        if password := backend_options.secret(options, "password_file"):
            self._arguments["password"] = password
        self._pool: Pool | None = None
        self._replicas: Replicas | None = None
        self._extension: Extension
        self._settings: Settings
        self._agent_id = ""
        self._damaged = damaged
        self.scope = Scope(NOBODY, "")
        """The agent, as queries name it."""
        self.version = 0
        """Of the tables."""
        self.read_only = False
        """Whether the newest connection led to a server that takes no writes."""
        self._refused_at = -math.inf
        """When the server was last found to take no writes."""
        self._took_writes = False
        """Whether any connection led to a server that took writes."""
        self._turn = asyncio.Semaphore(self._size)
        self._unreachable_at = -math.inf
        """When a write was last given up because no server answered."""

    @property
    def agent(self) -> int:
        """The agent's number."""
        return self.scope.number

    async def open(self, agent_id: str) -> None:
        """Connect, make the tables if need be, and learn the agent's number."""
        await self.close()
        # Writers that wait for each other wait here: what waits for a connection is refused after a while, and reads
        # need one too.
        self._turn = asyncio.Semaphore(max(1, self._size - 1))
        self._agent_id = agent_id
        with translated(self.url):
            async with await self._first() as first:
                self._note(first)
                self.version = await migrate.migrate(first, self.schema, self.url)
                if self.policed and not first.read_only:
                    await migrate.police(first, self.schema)
                self._extension = await extension(first, self.schema)
                number = await _number(first, self.table, agent_id)
            self.scope = Scope(number, agent_id, self._damaged)
            self._settings = Settings(self.schema, self._extension.schema, number, self._extension.version)
            self._pool = self._pool_of(self.url, min_size=1)
            await self._pool.open(wait=True, timeout=self._timeout)
            if self.read_url:
                self._replicas = Replicas(self._pool_of(self.read_url, min_size=0))
                await self._replicas.open()

    async def agents(self) -> list[str]:
        """List the agents for which anything was ever stored; opens nothing for long, and makes nothing."""
        with translated(self.url):
            async with await self._first() as first:
                names, agents = self.table("agent_name"), self.table("agent")
                query = f"select n.id from {names} as n join {agents} as a on a.number = n.number"
                known = await first.execute("select to_regclass(%s), to_regclass(%s)", (names, agents))
                match await known.fetchone():
                    case (None, None):
                        return []
                    case (None, _):  # tables of an earlier version
                        query = f"select a.id from {agents} as a"
                rows = await first.execute(f"{query} where a.last_hlc > 0")
                return [row[0] for row in await rows.fetchall()]

    async def _first(self) -> Connection:
        """Connect for the first time: of several hosts to the one that takes writes, if any does."""
        primary = addresses.primary_of(self.url)
        try:
            first = await Connection.connect(self.url, **self._arguments, **primary)
            self._arguments |= primary
        except psycopg.OperationalError:
            if not primary:
                raise
            first = await Connection.connect(self.url, **self._arguments)
        await first.probe()
        return first

    def _open_pool(self) -> Pool:
        """Return the connections to where writes go; a store may be closed while something waits for an answer."""
        if self._pool is None:
            raise ClosedError("the postgres store")
        return self._pool

    def _pool_of(self, url: str, min_size: int) -> Pool:
        arguments = self._arguments if url == self.url else addresses.without_role(self._arguments)
        return AsyncConnectionPool(
            url,
            connection_class=Connection,
            min_size=min_size,
            max_size=self._size,
            timeout=self._timeout,
            # It gives up soon, so that whoever asks next makes it try at once: its pauses grow.
            reconnect_timeout=_ASKED_AGAIN,
            kwargs=arguments,
            configure=self._configure if url == self.url else self._configure_any,
            open=False,
        )

    async def _configure(self, connection: Connection) -> None:
        await self._configure_any(connection)
        self._note(connection)

    async def _configure_any(self, connection: Connection) -> None:
        await connection.probe()
        if connection.direct:
            await connection.execute(self._settings.for_session(), prepare=False)
        self._extension.register(connection)

    def _note(self, connection: Connection) -> None:
        self.read_only = connection.read_only
        if connection.read_only:
            self._refused_at = time.monotonic()
        else:
            self._took_writes = True

    def takes_no_writes(self) -> bool:
        """Return whether the server took no writes a moment ago; later it is worth another try."""
        return time.monotonic() < self._refused_at + _REFUSAL_HOLDS

    async def close(self) -> None:
        """Give all connections back."""
        pool, self._pool = self._pool, None
        replicas, self._replicas = self._replicas, None
        for open_ in (pool, replicas):
            if open_ is not None:
                await open_.close()

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

    # --- units of work -------------------------------------------------------------------------------------

    async def read(self, work: Unit[T]) -> T:
        """Run queries, each on the state it finds; again on a new connection if the old one broke."""
        return await self._read(lambda connection: self._each_for_itself(connection, work))

    async def read_whole(self, work: Unit[T]) -> T:
        """Run several queries on one state of the database."""
        return await self._read(lambda connection: self._in_transaction(connection, _ONE_STATE, work))

    async def on_primary(self, work: Unit[T]) -> T:
        """Run statements, each committed by itself, where writes go."""
        return await self._run(lambda connection: self._each_for_itself(connection, work))

    async def write(self, work: Unit[T], stored: Callable[[], Awaitable[T | None]] | None = None) -> T:
        """Run a unit in one transaction.

        If the connection breaks, nobody has said whether it was committed: `stored` looks, and returns its result if
        it was. Otherwise, and without `stored`, the unit is run again: it must do no harm twice.

        Returns:
            What the unit returned, or what `stored` found.
        """

        async def unit(connection: Connection) -> T:
            self._check_known(connection)
            result = await self._in_transaction(connection, "begin", work)
            await self._note_write(connection)
            return result

        return await self._run(unit, stored)

    async def write_at_once(
        self,
        work: Callable[[Connection, Frame], Awaitable[T]],
        stored: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Run a unit that begins and ends its transaction itself, by the statements that it is given for that.

        Returns:
            What the unit returned, or what `stored` found: see `write`.

        Raises:
            StoreUnreachableError: no server answers.
        """

        async def unit(connection: Connection) -> T:
            self._check_known(connection)
            plans = connection.plans.in_batch
            settings = plans() if connection.direct else self._settings.for_transaction()
            result = await work(connection, Frame(self._opening(connection, "begin"), "commit", settings))
            await self._note_write(connection)
            return result

        began = time.monotonic()
        async with self._turn:
            if self._unreachable_at > began and time.monotonic() > began + self._timeout:
                # Somebody tried in vain while this waited.
                raise StoreUnreachableError(self.url, "no connection in time")
            try:
                return await self._run(unit, stored)
            except StoreUnreachableError:
                self._unreachable_at = time.monotonic()
                raise

    def _check_known(self, connection: Connection) -> None:
        """Raise where an agent is new, and the user may not make it known."""
        if self.scope.number == NOBODY and not connection.read_only:
            raise refused(self.url, f"the agent '{self._agent_id}' is new, and may not be made known")

    async def _note_write(self, connection: Connection) -> None:
        self.read_only, self._took_writes, self._refused_at = False, True, -math.inf
        if self._replicas is not None:
            await self._replicas.note_write(connection)

    async def _each_for_itself(self, connection: Connection, work: Unit[T]) -> T:
        connection.opening = "" if connection.direct else self._settings.for_transaction()
        try:
            return await work(connection)
        finally:
            connection.opening = None

    def _opening(self, connection: Connection, begin: str) -> str:
        more = connection.plans.in_transaction() if connection.direct else self._settings.for_transaction()
        return f"{begin}; {more}" if more else begin

    async def _in_transaction(self, connection: Connection, begin: str, work: Unit[T]) -> T:
        """Run a unit in a transaction; after an error the pool rolls it back."""
        await connection.execute(self._opening(connection, begin), prepare=False)
        result = await work(connection)
        await connection.execute("commit", prepare=False)
        return result

    async def _read(self, unit: Unit[T]) -> T:
        """Run a unit on a replica, if one has all that was written here; else where writes go."""
        if self._replicas is not None:
            answer = await self._replicas.answer(unit)
            if answer is not None:
                return answer[0]
        return await self._run(unit)

    async def _run(self, work: Unit[T], stored: Callable[[], Awaitable[T | None]] | None = None) -> T:
        with translated(self.url):
            if self.scope.number == NOBODY:
                await self._look_for_agent()
            deadline = time.monotonic() + self._timeout
            for attempt in itertools.count():
                try:
                    return await self._attempt(work, deadline)
                except AgentGoneError:
                    if attempt > self._size:
                        raise
                    self.scope.number = NOBODY
                    await self._look_for_agent()
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    if not is_broken(error):
                        raise
                    if attempt > self._size and time.monotonic() > deadline:
                        raise psycopg.OperationalError(str(error)) from error
                    if stored is not None and (result := await stored()) is not None:
                        return result
                    if attempt > self._size:
                        await asyncio.sleep(_PAUSE)
        raise AssertionError("unreachable")

    async def _attempt(self, work: Unit[T], deadline: float) -> T:
        """Run a unit once; that the server takes no writes any more is a broken connection where it took some."""
        async with self._connection(deadline) as connection:
            try:
                return await work(connection)
            except psycopg.errors.ReadOnlySqlTransaction as error:
                # The next connection may lead to the server that takes them now.
                await connection.close()
                self._refused_at = time.monotonic()
                if not self._took_writes or time.monotonic() > deadline:
                    raise
                raise psycopg.OperationalError(str(error)) from error
            except psycopg.errors.InternalError as error:
                if error.sqlstate not in _ENDED:
                    raise
                # The server has ended the session, and with it what had begun.
                raise psycopg.OperationalError(primary_message(error)) from error

    @asynccontextmanager
    async def _connection(self, deadline: float) -> AsyncIterator[Connection]:
        """Take a connection of the pool, which is asked again and again: each time, it tries to make one at once."""
        pool = self._open_pool()
        while True:
            patience = min(_ASKED_AGAIN, max(_PAUSE, deadline - time.monotonic()))
            try:
                connection = await pool.getconn(patience)
                break
            except PoolTimeout:
                if time.monotonic() > deadline - _PAUSE:
                    raise
        try:
            async with connection:
                yield connection
        finally:
            await pool.putconn(connection)

    async def _look_for_agent(self) -> None:
        """Look again for an agent that nobody had stored anything for."""
        async with self._open_pool().connection() as connection:
            await connection.probe()
            number = await _number(connection, self.table, self._agent_id)
        if number != NOBODY:
            self.scope.number = number
            self._settings = self._settings._replace(agent=number)
            await self.open(self._agent_id)  # the sessions are set up for nobody

    async def outside(self, statement: str) -> None:
        """Run a statement that no transaction may be around; its names say which schema they are in."""
        with translated(self.url):
            async with self._open_pool().connection() as connection:
                await connection.execute(statement, prepare=False)


def _schema(name: str) -> str:
    """Return the name of a schema as the server keeps it; one that is too long it would cut off in silence."""
    if (
        not name.strip()
        or "\x00" in name
        or len(name.encode(errors="replace")) > _LONGEST_NAME
        or name.startswith("pg_")
    ):
        raise ConfigurationError(
            f"backend_config.schema is {name!r}",
            hint=f"give a name of at most {_LONGEST_NAME} bytes that does not begin with pg_, such as agentmem",
        )
    return name


async def _number(connection: Connection, table: Callable[[str], str], agent_id: str) -> int:
    """Return an agent's number; a new one is made known where that is possible."""
    # The driver looks for places of values in a statement that has any.
    names, agents = (table(name).replace("%", "%%") for name in ("agent_name", "agent"))
    query = f"select number from {names} where id = %s"
    row = await (await connection.execute(query, (agent_id,))).fetchone()
    if row is None and connection.read_only:
        return NOBODY
    if row is not None:
        return int(row[0])
    try:
        async with connection.transaction():
            await connection.execute(
                f"insert into {names} (id) values (%s) on conflict do nothing", (agent_id,)
            )
            row = await (await connection.execute(query, (agent_id,))).fetchone()
            assert row is not None
            # A new agent has nothing that an earlier version wrote.
            await connection.execute(
                f"insert into {agents} (number, layout, analyser) values (%s, %s, %s) on conflict do nothing",
                (row[0], FORM, ANALYSER),
            )
    except psycopg.errors.InsufficientPrivilege:
        return NOBODY  # who may only read finds nothing of an agent that is not there
    return int(row[0])
