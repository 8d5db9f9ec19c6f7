"""`memory_fts`, the full-text index: making it anew, or another in its place, where it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import reading, virtual
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


def integrity_errors(connection: Connection) -> Iterator[str]:
    """Compare the index with one of the same words that is made anew, in memory; FTS5 does not look at every byte.

    Yields:
        One line for each difference.

    Raises:
        driver.Error: it cannot be read.
    """
    _drop_fresh(connection)
    connection.execute(_DECLARED.format("temp").replace("memory_fts", "fresh_fts"))
    try:
        connection.execute(
            "insert into temp.fresh_fts (rowid, words) select id, c0 from main.memory_fts_content"
        )
        for name, schema in (("memory_fts", "main"), ("fresh_fts", "temp")):
            connection.execute(
                f"create virtual table temp.{name}_places using fts5vocab({schema}, {name}, instance)"
            )
        there, wanted = (
            connection.execute(f"select term, doc, offset from temp.{name}_places")
            for name in ("memory_fts", "fresh_fts")
        )
        if any(actual != position for actual, position in zip_longest(there, wanted)):
            yield "the full-text index holds other words than the memories"
        # A search goes another way to a word than who reads them all.
        connection.execute(
            "create virtual table temp.memory_fts_terms using fts5vocab(main, memory_fts, row)"
        )
        for (term,) in connection.execute("select distinct term from temp.fresh_fts_places").fetchall():
            holders = connection.execute("select 1 from temp.memory_fts_terms where term = ?", (term,))
            if holders.fetchone() is None:
                yield f"the full-text index does not find the word {term!r}"
                return
    finally:
        _drop_fresh(connection)


def _drop_fresh(connection: Connection) -> None:
    for name in ("memory_fts_terms", "memory_fts_places", "fresh_fts_places", "fresh_fts"):
        connection.execute(f"drop table if exists temp.{name}")


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
            [(row["pk"], analysed_text(indexed_text(record))) for row, record in page],
        )
