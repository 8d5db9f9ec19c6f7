"""Inserting rows: a few as statements, many as one COPY."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from agent_memory.storage.postgres.session import Connection

MANY: Final = 20
"""Rows from which they are copied in bulk."""


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
        async with cursor.copy(f"copy {table} ({names}) from stdin") as copy:
            for row in rows:
                await copy.write_row(row)
