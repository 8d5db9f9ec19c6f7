"""The servers, each started once for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from servers.postgres import NEWEST, OLDEST, PostgresServer

from agent_memory.storage.postgres import add_function
from agent_memory.storage.postgres.session import ADD_FUNCTION


@pytest.fixture(scope="session")
def newest() -> Iterator[PostgresServer]:
    with PostgresServer(NEWEST) as server:
        yield server


@pytest.fixture(scope="session")
def oldest() -> Iterator[PostgresServer]:
    with PostgresServer(OLDEST) as server:
        yield server


def empty(server: PostgresServer) -> str:
    """Forget all agents, and return the server's URL."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        if connection.execute("select to_regclass('agentmem.agent_name')").fetchone() != (None,):
            connection.execute("delete from agentmem.agent_name")
            query = "select oid::regclass::text from pg_class where relkind = 'r' and relname like 'embedding_hnsw_%'"
            for (table,) in connection.execute(query).fetchall():
                connection.execute(f"drop table {table}")
    return server.url


@contextmanager
def without_add_function(server: PostgresServer) -> Iterator[None]:
    """Take the function away that stores new memories, and bring it back in the end."""
    with psycopg.connect(server.url, autocommit=True, options="-c search_path=agentmem,public") as connection:
        connection.execute(f"drop function if exists agentmem.{ADD_FUNCTION}")
        yield
        if connection.execute("select to_regclass('agentmem.memory')").fetchone() != (None,):
            for statement in add_function.definition():
                connection.execute(statement)
