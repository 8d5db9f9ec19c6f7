"""`memory_fts`, the full-text index: making it anew, or another in its place, where it is damaged."""

from __future__ import annotations

from typing import Final

from agent_memory.storage.sqlite import reading, virtual
from agent_memory.storage.sqlite.damage import Damaged
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.text.analysis import analysed_text
from agent_memory.text.templates import indexed_text

_DECLARED: Final = "create virtual table {}.memory_fts using fts5(words, tokenize = 'porter unicode61')"
"""As the first migration has it."""


def check(connection: Connection) -> None:
    """Let FTS5 compare its index with the words in it; it counts as writing.

    Raises:
        driver.Error: they differ, or the index cannot be read.
    """
    connection.execute("insert into main.memory_fts (memory_fts) values ('integrity-check')")


def rebuild(connection: Connection, agent_id: str) -> None:
    """Make the index anew from the memories. Call it inside a write transaction."""
    virtual.drop(connection, "memory_fts")
    _fill(connection, "main", agent_id)


def stand_in(connection: Connection, agent_id: str) -> None:
    """Make an index in memory that hides the damaged one in the file from this connection's queries."""
    withdraw(connection)
    _fill(connection, "temp", agent_id)


def withdraw(connection: Connection) -> None:
    """Take away what `stand_in` made."""
    connection.execute("drop table if exists temp.memory_terms")
    connection.execute("drop table if exists temp.memory_fts")


def _fill(connection: Connection, schema: str, agent_id: str) -> None:
    connection.execute(_DECLARED.format(schema))
    for page in reading.pages(connection, agent_id, Damaged()):
        connection.executemany(
            f"insert into {schema}.memory_fts (rowid, words) values (?, ?)",
            [(row[0], analysed_text(indexed_text(record))) for row, record in page],
        )
