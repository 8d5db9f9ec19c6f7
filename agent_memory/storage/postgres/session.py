"""What a unit of work needs of its connection: where names are looked up, limits, and whose rows it may see.

A direct connection is one session of the server and is set up once. Behind a pooler in transaction mode every
transaction may run in another session, which other clients use in between. There each transaction sets what it needs
for itself alone, and nothing may be left behind in the session: no setting, no prepared statement.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import cached_property
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.types import TypeInfo

from agent_memory.storage.postgres.plans import NEW_PLANS, Plans

_PROBE: Final = (
    "select pg_backend_pid(), pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'"
)
_EXTENSION: Final = (
    "select n.nspname, e.extversion, t.oid::bigint, t.typarray::bigint,"
    " coalesce(row_security_active(to_regclass(%s)), false),"
    " to_regproc(%s) is not null and not exists (select 1 from pg_extension where extname = 'citus')"
    " from pg_extension as e"
    " join pg_namespace as n on n.oid = e.extnamespace"
    " join pg_type as t on t.typnamespace = n.oid and t.typname = 'vector' where e.extname = 'vector'"
)

ADD_FUNCTION: Final = "add_new_memories"
"""The name of the function that `add_function` makes."""


class Connection(psycopg.AsyncConnection[Any]):
    """A connection, and what was learnt of it when it was made."""

    direct: bool = False
    """Whether all that is sent reaches one session of the server, with no pooler in between."""
    policed: bool = False
    """Whether the server refuses rows of other agents, and so any COPY into a table."""
    adds_by_function: bool = False
    """Whether new memories are stored by the function of the database."""
    read_only: bool = False
    """Whether the server took no writes: a replica, or a database that is set so."""
    replayed: float = 0
    """Of a replica: how far in the primary's log it was when it was last asked."""
    opening: str | None = None
    """Outside a transaction: the query that every statement needs before it, where the session is not set up.

    None in a transaction, and outside any unit of work.
    """
    batches: int = 0
    """How many batches of statements were sent."""

    @cached_property
    def batch_names(self) -> dict[bytes, bytes]:
        """The prepared statements of batches, by text."""
        return {}

    @cached_property
    def plans(self) -> Plans:
        """What the session does with plans."""
        return Plans()

    @property
    def in_pipeline(self) -> bool:
        """Whether statements are sent without waiting for the answers."""
        return self.pgconn.pipeline_status != psycopg.pq.PipelineStatus.OFF

    @contextmanager
    def looking_up(self, *, in_large: bool) -> Iterator[None]:
        """Look rows up by keys alone: in large tables, the server keeps the plans of the statements within."""
        with self.plans.keeping() if in_large and self.direct else nullcontext():
            yield

    @asynccontextmanager
    async def at_once(self) -> AsyncIterator[None]:
        """Send statements without waiting for the answers, behind what they need of the session."""
        due = self._due()
        with self.plans.changing() if due and self.direct else nullcontext():
            async with self.pipeline():
                for statement in due:
                    await super().execute(statement, prepare=False)
                yield

    async def execute(self, *arguments: Any, **named: Any) -> Any:
        """Run a statement, as the driver's connection does; in one round trip with what it needs before."""
        if self.in_pipeline or not self._due():
            return await super().execute(*arguments, **named)
        async with self.at_once():
            return await super().execute(*arguments, **named)

    def _due(self) -> list[str]:
        """Return what has to be sent before a statement outside a transaction."""
        if self.opening is None:
            return []
        return self.plans.due() if self.direct else [self.opening]

    async def probe(self) -> None:
        """Ask who answers.

        A pooler tells each client a process id of its own making, since the server's process changes. Where the id
        told is that of the process that answers, nothing is in between that could change it.
        """
        process, self.read_only = (await (await self.execute(_PROBE)).fetchall())[0]
        self.direct = process == self.info.backend_pid
        if not self.direct:
            self.prepare_threshold = None


class Extension(NamedTuple):
    """The server's pgvector."""

    schema: str
    version: tuple[int, ...]
    oid: int
    array_oid: int
    policed: bool
    """Whether policies hold for this user."""
    adds_by_function: bool
    """Whether our function is there to be used: not where Citus, which looks into none, spreads the tables."""

    def register(self, connection: Connection) -> None:
        """Register pgvector's types with a connection, without a query."""
        from pgvector.psycopg.vector import register_vector_info

        connection.policed = self.policed
        connection.adds_by_function = self.adds_by_function
        register_vector_info(connection, TypeInfo("vector", self.oid, self.array_oid))


async def extension(connection: Connection, schema: str) -> Extension:
    """Return what the server's pgvector is, which is there, and whether policies hold for the tables in a schema."""
    names = [f"{quoted_name(schema)}.{name}" for name in ("memory", ADD_FUNCTION)]
    row = (await (await connection.execute(_EXTENSION, names)).fetchall())[0]
    return Extension(row[0], tuple(map(int, row[1].split(".")[:2])), *row[2:])


class Settings(NamedTuple):
    """What the statements of one agent count on."""

    schema: str
    """Of our tables."""
    extension: str
    """The schema of pgvector's types."""
    agent: int
    pgvector: tuple[int, ...]

    def for_session(self) -> str:
        """Write the query that sets up a direct connection."""
        return _setting({**self._values(), **NEW_PLANS}, local=False)

    def for_transaction(self) -> str:
        """Write the query that sets up a transaction in a session that others share."""
        return _setting(self._values(), local=True)

    def _values(self) -> dict[str, str]:
        values = {
            "search_path": search_path(self.schema, self.extension),
            "timezone": "UTC",
            # The driver reads moments in no other form.
            "datestyle": "ISO",
            "agentmem.agent": str(self.agent),
            "lock_timeout": "30s",
            "hnsw.ef_search": "200",
            # Compiling a query that takes a millisecond takes fifty.
            "jit": "off",
        }
        if self.pgvector >= (0, 8):
            values["hnsw.iterative_scan"] = "strict_order"
        return values


def _setting(values: Mapping[str, str], *, local: bool) -> str:
    calls = (f"set_config('{name}', {_literal(value)}, {local})" for name, value in values.items())
    return f"select {', '.join(calls)}"


def _literal(text: str) -> str:
    """Write a text so that nothing in it is syntax, whatever `standard_conforming_strings` is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def search_path(schema: str, beside: str) -> str:
    """Write the schemas in which unqualified names are looked up: ours, pgvector's, and `public`."""
    return ", ".join(map(quoted_name, dict.fromkeys([schema, beside, "public"])))


def quoted_name(name: str) -> str:
    """Write a name so that nothing in it is syntax."""
    return '"' + name.replace('"', '""') + '"'
