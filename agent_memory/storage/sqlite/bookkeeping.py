"""What the program keeps in mind about derived tables: whole numbers by name."""

from __future__ import annotations

from agent_memory.storage.sqlite import checked, driver
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import checksum

VECTOR_INDEX = "memory_vec_space"
"""The embedding space that `memory_vec` covers; not there where the index has to be made anew."""
VECTOR_KEYS = "memory_vec_keys"
"""The sum of the keys in `memory_vec`, each one more than it is: tells whether all that it should hold is there."""
GENERATION = "vector_generation"
"""Moves when the vectors of active memories change."""
LAST_VECTOR = "last_vector"
"""The highest key that a deleted vector ever had: keys of `embedding` are not used again."""

ANALYSER = "analyser"
"""Whose rules the words of new memories are indexed by, and of old ones up to `RENEWED`."""
RENEWED = "renewed_up_to"
OUTDATED = "outdated_up_to"
"""Memories with keys above `RENEWED` up to this one have words that an older analyser indexed."""
FORM = "form"
"""The number of the form that memories are in, as `storage.renewal` has it; not there in the first."""


DAMAGED = "damaged"
"""There once something of this was damaged, and until `doctor --fix` has been told so."""
WITHOUT_CHECKSUM = "without_checksum"
"""Up to this operation a row without a checksum is one of an earlier version."""


def noted(connection: Connection, name: str) -> int | None:
    """Return a number, or None where there is none, or one that is damaged."""
    row = connection.execute("select * from bookkeeping where name = ?", (name,)).fetchone()
    if row is None or (len(row) > 2 and not checked.sound(row[:2], row[2])):
        return None
    return row[1] if isinstance(row[1], int) else None


def note(connection: Connection, name: str, value: int) -> None:
    """Remember a number under a name."""
    row = (name, value)
    insert = "insert or replace into bookkeeping (name, value, checksum) values (?, ?, ?)"
    try:
        connection.execute(insert, (*row, checksum(row)))
    except driver.Error:
        sort(connection)
        connection.execute(insert, (*row, checksum(row)))


def drop(connection: Connection, name: str) -> None:
    """Forget a number."""
    connection.execute("delete from bookkeeping where name = ?", (name,))


def sort(connection: Connection) -> None:
    """Write the table anew without what is damaged: damaged names are out of order, and hide others."""
    rows = connection.execute("select name, value, checksum from bookkeeping").fetchall()
    connection.execute("delete from bookkeeping")
    connection.executemany(
        "insert or replace into bookkeeping (name, value, checksum) values (?, ?, ?)",
        [row for row in rows if checked.sound(row[:2], row[2])],
    )
