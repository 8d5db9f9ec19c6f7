"""What the program keeps in mind about derived tables: whole numbers by name."""

from __future__ import annotations

from agent_memory.storage.sqlite.driver import Connection

VECTOR_INDEX = "memory_vec_space"
"""The embedding space that `memory_vec` covers; not there where the index has to be made anew."""
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


def noted(connection: Connection, name: str) -> int | None:
    """Return a number, or None where there is none."""
    found = connection.execute("select value from bookkeeping where name = ?", (name,)).fetchone()
    return int(found[0]) if found else None


def note(connection: Connection, name: str, value: int) -> None:
    """Remember a number under a name."""
    connection.execute("insert or replace into bookkeeping (name, value) values (?, ?)", (name, value))


def drop(connection: Connection, name: str) -> None:
    """Forget a number."""
    connection.execute("delete from bookkeeping where name = ?", (name,))
