"""Virtual tables (FTS5, sqlite-vec), which lie in ordinary tables beside them: dropping them, even broken ones."""

from __future__ import annotations

from collections.abc import Callable

from agent_memory.storage.sqlite.driver import Connection, Error

_PARTS = (
    *("data", "idx", "content", "docsize", "config"),  # of FTS5
    *("info", "chunks", "rowids", "vector_chunks00"),  # of sqlite-vec
)


def drop(connection: Connection, name: str) -> None:
    """Drop a virtual table, if it is there. Call it inside a write transaction.

    Its own library has to open it for that; where it cannot, the tables that it lies in are dropped one by one.
    """
    if not in_savepoint(connection, connection.execute, f"drop table if exists {name}"):
        for part in _PARTS:
            connection.execute(f"drop table if exists {name}_{part}")
        connection.execute("pragma writable_schema = on")
        try:
            connection.execute("delete from sqlite_master where name = ?", (name,))
        finally:
            connection.execute("pragma writable_schema = reset")


def in_savepoint(connection: Connection, function: Callable[..., object], *arguments: object) -> bool:
    """Do something whole or not at all, and say whether it was done."""
    connection.execute("savepoint attempt")
    try:
        function(*arguments)
    except Error:
        connection.execute("rollback to attempt")
        return False
    finally:
        connection.execute("release attempt")
    return True
