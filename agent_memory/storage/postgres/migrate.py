"""Making the tables and bringing them up to date, under a lock that all who try at once wait for.

Tables and columns of the memory types need no numbered step: `declared.py` adds what the record classes declare.
"""

from __future__ import annotations

import asyncio
import re
import time
from importlib.resources import files
from typing import Any, Final

from psycopg import errors, sql

from agent_memory.errors import IntegrityError, MissingExtensionError
from agent_memory.records import NEWEST_FIELD, OWN_FIELDS, MemoryType
from agent_memory.redaction import redacted
from agent_memory.storage.postgres import add_function, declared
from agent_memory.storage.postgres.session import quoted_name, search_path

_LOCK_TIMEOUT: Final = "set local lock_timeout to '200ms'"
_PATIENCE: Final = 60.0
"""Seconds for which the steps are tried again while others use the tables without a pause."""
_PAUSE: Final = 0.3
_LOCK = 0x61676D65  # "agme": any number that nobody else takes


def steps() -> list[tuple[int, str]]:
    """Return the numbered steps, in order."""
    folder = files("agent_memory.storage.postgres") / "migrations"
    numbered = [
        (int(file.name[:4]), file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")
    ]
    return sorted(numbered)


_TOKENS: Final = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?P<tag>\$\w*\$).*?(?P=tag))"
    r"|(?P<end>;)|.",
    re.DOTALL,
)


def statements(text: str) -> list[str]:
    """Return the statements in a text, without the comments before and in them.

    They are sent one by one: a server that passes statements on to others passes on the whole text it was sent.

    Args:
        text: statements with semicolons between them.

    Returns:
        The statements.
    """
    parts = [""]
    for token in _TOKENS.finditer(text):
        if token["end"]:
            parts.append("")
        elif not token["comment"]:
            parts[-1] += token[0]
    return [part.strip() for part in parts if part.strip()]


def newest_version() -> int:
    """Return the version of the tables that this program makes: the newest step's, or the newest declared field's."""
    return max(steps()[-1][0], NEWEST_FIELD)


async def migrate(connection: Any, schema: str, url: str) -> int:
    """Make or update the tables, and return their version. Call it on a connection that commits by itself.

    Returns:
        The version.

    Raises:
        IntegrityError: a newer version of the program made them.
        MissingExtensionError: the server has no pgvector.
        LockNotAvailable: others used the tables for a minute without a pause.
    """
    newest = newest_version()
    there = await _version(connection, schema)
    deadline = time.monotonic() + _PATIENCE
    while there < newest:
        try:
            there = await _update(connection, schema, url)
        except errors.LockNotAvailable:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_PAUSE)
    if there > newest:
        raise IntegrityError(
            f"the tables in {redacted(url)} are of version {there}, this program knows {newest}",
            hint="use the newer agentmem that made them",
        )
    return there


async def _update(connection: Any, schema: str, url: str) -> int:
    """Carry out the steps that are left, in one transaction, and return the version after them.

    Whoever wants to use a table waits behind a step that waits for the table, so no step waits long.

    Returns:
        The version.
    """
    newest = newest_version()
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        await _extension(connection, url)
        await connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        await set_search_path(connection, schema, local=True)
        await connection.execute("create table if not exists schema_version (version integer primary key)")
        there = await _version(connection, schema)
        await connection.execute(_LOCK_TIMEOUT)
        for number, text in steps():
            if number > there:
                for statement in statements(text):
                    await connection.execute(statement)
                await connection.execute("insert into schema_version values (%s)", (number,))
        if there < newest:
            await declared.add_missing(connection, OWN_FIELDS)
            for statement in add_function.definition():
                await connection.execute(statement)
            if newest > steps()[-1][0]:
                await connection.execute("insert into schema_version values (%s)", (newest,))
    return max(there, newest)


async def _version(connection: Any, schema: str) -> int:
    row = await (
        await connection.execute("select to_regclass(%s)", (f"{quoted_name(schema)}.schema_version",))
    ).fetchone()
    if row[0] is None:
        return 0
    query = sql.SQL("select coalesce(max(version), 0) from {}.schema_version").format(sql.Identifier(schema))
    return int((await (await connection.execute(query)).fetchone())[0])


async def _extension(connection: Any, url: str) -> None:
    known = "select 1 from pg_extension where extname = 'vector'"
    if await (await connection.execute(known)).fetchone():
        return
    try:
        async with connection.transaction():
            await connection.execute("create extension if not exists vector")
    except (errors.FeatureNotSupported, errors.UndefinedFile) as error:
        raise MissingExtensionError(
            url, "pgvector", hint="install it on the server: https://github.com/pgvector/pgvector"
        ) from error
    except errors.InsufficientPrivilege as error:
        raise MissingExtensionError(
            url, "pgvector in this database", hint="let an administrator run: create extension vector"
        ) from error


async def set_search_path(connection: Any, schema: str, *, local: bool = False) -> None:
    """Set the search path to our schema and to the one that pgvector is installed in.

    Args:
        connection: any connection.
        schema: of our tables.
        local: only until the end of the transaction; behind a pooler the session is others' too.
    """
    query = "select nspname from pg_extension join pg_namespace n on n.oid = extnamespace where extname = 'vector'"
    row = await (await connection.execute(query)).fetchone()
    beside = row[0] if row else "public"
    await connection.execute(f"set {'local ' * local}search_path to {search_path(schema, beside)}")


POLICED = (
    *("memory", "memory_tag", "usage", *(memory_type.value for memory_type in MemoryType)),
    *("term", "embedding_space", "embedding", "embedding_attempt", "embedding_part"),
    *("setting", "operation", "journal"),
)


_UNPOLICED = (
    "select name from unnest(%s::text[]) as name where not exists"
    " (select 1 from pg_policies where schemaname = %s and tablename = name)"
)


_UNPOLICED_INDEXES = (
    "select c.relname::text, substring(c.relname from '^embedding_hnsw_([0-9]+)_') from pg_class as c"
    " join pg_namespace as n on n.oid = c.relnamespace where n.nspname = %s and c.relkind = 'r'"
    " and c.relname >= 'embedding_hnsw_' and c.relname < 'embedding_hnsw`' and not c.relrowsecurity"
)


async def police(connection: Any, schema: str) -> None:
    """Let the server itself refuse every row of another agent than the one that a connection is for."""
    unpoliced = (_UNPOLICED, (list(POLICED), schema))
    if not await (await connection.execute(*unpoliced)).fetchall():
        return
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        for (name,) in await (await connection.execute(*unpoliced)).fetchall():
            await police_one(connection, schema, name, "agent")
        for name, number in await (await connection.execute(_UNPOLICED_INDEXES, (schema,))).fetchall():
            await police_one(connection, schema, name, number)


async def police_one(connection: Any, schema: str, name: str, agent: str) -> None:
    """Enable row-level security on one table, so that the server refuses rows of other agents.

    Args:
        connection: a connection inside a transaction.
        schema: of our tables.
        name: of the table.
        agent: the column with the agent's number, or the number itself where all rows are one agent's.
    """
    table = f"{quoted_name(schema)}.{name}"
    await connection.execute(f"alter table {table} enable row level security")
    # Owners are let through otherwise; superusers are always.
    await connection.execute(f"alter table {table} force row level security")
    await connection.execute(
        f"create policy agent_only on {table}"
        f" using ({agent} = nullif(current_setting('agentmem.agent', true), '')::bigint)"
    )
