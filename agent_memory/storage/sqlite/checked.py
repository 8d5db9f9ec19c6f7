"""Checksums of the small tables: whoever writes a row seals it, and a broken seal tells that it was damaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import checksum

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "operation": ("id", "verb", "actor", "session", "started_at", "undoes"),
    "usage": ("memory", "accessed_at", "access_count"),
    "setting": ("name", "value"),
    "embedding_space": (
        *("id", "provider", "model", "revision", "dimension", "pooling", "query_prefix", "document_prefix"),
        *("recipe", "fingerprint", "created_at", "current"),
    ),
    "bookkeeping": ("name", "value"),
}
"""What a row's checksum is made of, by table; the first column names the row."""
SINCE: Final = 3
"""The version of the schema that brought these checksums."""


def seal(connection: Connection, table: str, condition: str = "1", values: Sequence[Any] = ()) -> None:
    """Write the checksums of rows that were just written. `condition` says which, in SQL."""
    columns = ", ".join(COLUMNS[table])
    rows = connection.execute(f"select {columns} from {table} where {condition}", values).fetchall()
    connection.executemany(
        f"update {table} set checksum = ? where {COLUMNS[table][0]} = ?",
        [(checksum(row), row[0]) for row in rows],
    )


def sound(row: Sequence[Any], sealed: bytes | None) -> bool:
    """Return whether a row is as it was written; one of an earlier version, without a checksum, counts as such."""
    return sealed is None or checksum(row) == sealed


def broken(connection: Connection, table: str, condition: str) -> Iterator[Any]:
    """Give the names of the rows that are not as they were written; `condition` says which need no checksum."""
    columns = ", ".join(COLUMNS[table])
    query = f"select {columns}, checksum, {condition} from {table}"
    for *row, sealed, exempt in connection.execute(query):
        if not sound(row, sealed) or (sealed is None and not exempt):
            yield row[0]
