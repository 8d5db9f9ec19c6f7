"""Making tables and columns out of what the record classes declare, where a file lacks them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.records import OwnField
from agent_memory.storage.sqlite.driver import Connection

_SQL_TYPES: Mapping[str, str] = {
    "text": "text",
    "integer": "integer",
    "real": "real",
    "boolean": "integer",
    "json": "text",
}
_TYPE_CHECK = re.compile(r"check \(type in \(([^)]*)\)\)")
_VIEW_END = re.compile(r"\s+from memory\b")
_VIEW = (
    "create view {0}_memory as select memory.id, memory.content, memory.status, memory.key, {1}, memory.importance,"
    " memory.source, memory.created_at from memory join {0} on {0}.memory = memory.pk"
)


def add_missing(connection: Connection, declared: Mapping[Any, Sequence[OwnField]]) -> None:
    """Create the table, the columns and the view of each memory type where they are missing.

    Call it inside a write transaction, after the numbered steps.

    Args:
        connection: the file's.
        declared: by name of a memory type, its own fields.
    """
    for memory_type, fields in declared.items():
        columns = {row[1] for row in connection.execute(f"pragma table_info({memory_type})")}
        if not columns:
            _create(connection, memory_type, fields)
        else:
            for field in fields:
                if field.name not in columns:
                    _add_column(connection, memory_type, field)
    _admit(connection, [str(memory_type) for memory_type in declared])


def _create(connection: Connection, memory_type: str, fields: Sequence[OwnField]) -> None:
    columns = ", ".join(f"{field.name} {_SQL_TYPES[field.kind]}" for field in fields)
    connection.execute(
        f"create table {memory_type} (memory integer primary key references memory (pk) on delete cascade,"
        f" {columns}, checksum blob not null)"
    )
    connection.execute(
        _VIEW.format(memory_type, ", ".join(f"{memory_type}.{field.name}" for field in fields))
    )


def _add_column(connection: Connection, memory_type: str, field: OwnField) -> None:
    connection.execute(f"alter table {memory_type} add column {field.name} {_SQL_TYPES[field.kind]}")
    view = f"{memory_type}_memory"
    row = connection.execute(
        "select sql from sqlite_master where type = 'view' and name = ?", (view,)
    ).fetchone()
    if row is not None:
        connection.execute(f"drop view {view}")
        connection.execute(_VIEW_END.sub(rf", {memory_type}.{field.name}\g<0>", row[0], count=1))


def _admit(connection: Connection, names: Sequence[str]) -> None:
    """Let the base table take memories of every declared type.

    SQLite cannot alter a CHECK. Its text is replaced in the schema, as SQLite's documentation of ALTER TABLE advises
    for a change that touches no row: copying the base table would take minutes in a large file.
    """
    (sql,) = connection.execute("select sql from sqlite_master where name = 'memory'").fetchone()
    match = _TYPE_CHECK.search(sql)
    if match is None:
        return
    known = re.findall(r"'(\w+)'", match[1])
    missing = [name for name in names if name not in known]
    if not missing:
        return
    admitted = ", ".join(f"'{name}'" for name in [*known, *missing])
    version = int(connection.execute("pragma schema_version").fetchone()[0])
    connection.execute("pragma writable_schema = on")
    try:
        connection.execute(
            "update sqlite_master set sql = ? where type = 'table' and name = 'memory'",
            (_TYPE_CHECK.sub(f"check (type in ({admitted}))", sql, count=1),),
        )
        connection.execute(f"pragma schema_version = {version + 1}")
    finally:
        connection.execute("pragma writable_schema = reset")
