"""Inserting rows: a few as statements, many as one COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agent_memory.storage.postgres.session import Connection

MANY: Final = 20
"""Rows from which they are copied in bulk."""
_BINARY: Final = frozenset({"int4", "int8", "bytea", "vector"})
"""Types that are copied in their binary form: a vector as text takes a quarter of a millisecond to write."""


async def insert(
    connection: Connection, table: str, columns: Mapping[str, str], values: Iterable[Sequence[Any]]
) -> None:
    """Insert rows; `columns` says what type each value is of."""
    rows = list(values)
    if not rows:
        return
    names = ", ".join(columns)
    async with connection.cursor() as cursor:
        if len(rows) < MANY or connection.in_pipeline or connection.policed:  # which admit no COPY
            placeholders = ", ".join(f"%s::{kind}" for kind in columns.values())
            await cursor.executemany(f"insert into {table} ({names}) values ({placeholders})", rows)
            return
        binary = _BINARY.issuperset(columns.values())
        form = "binary" if binary else "text"
        async with cursor.copy(f"copy {table} ({names}) from stdin (format {form})") as copy:
            if binary:
                copy.set_types(list(columns.values()))
            for row in rows:
                await copy.write_row(row)
