"""Making tables and columns out of what the record classes declare, where a schema lacks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_memory.records import OwnField

SQL_TYPES: Mapping[str, str] = {
    "text": 'text collate "C"',
    "integer": "bigint",
    "real": "double precision",
    "boolean": "boolean",
    "json": 'text collate "C"',
}
_COLUMNS = (
    "select column_name from information_schema.columns"
    " where table_schema = current_schema() and table_name = %s"
)
_TYPE_CHECK = (
    "select pg_get_constraintdef(oid) from pg_constraint"
    " where conrelid = 'memory'::regclass and conname = 'memory_type_check'"
)


async def add_missing(connection: Any, declared: Mapping[Any, Sequence[OwnField]]) -> None:
    """Create the table and the columns of each memory type where they are missing.

    Call it inside the transaction of the numbered steps, after them.

    Args:
        connection: one whose search path begins with our schema.
        declared: by name of a memory type, its own fields.
    """
    for memory_type, fields in declared.items():
        name = str(memory_type)
        rows = await (await connection.execute(_COLUMNS, (name,))).fetchall()
        columns = {row[0] for row in rows}
        if not columns:
            own = ", ".join(f"{field.name} {SQL_TYPES[field.kind]}" for field in fields)
            await connection.execute(
                f"create table {name} (agent bigint not null, memory bigint not null, {own},"
                " primary key (agent, memory),"
                " foreign key (agent, memory) references memory (agent, place) on delete cascade)"
            )
            continue
        for field in fields:
            if field.name not in columns:
                await connection.execute(
                    f"alter table {name} add column {field.name} {SQL_TYPES[field.kind]}"
                )
    await _admit(connection, [str(memory_type) for memory_type in declared])


async def _admit(connection: Any, names: Sequence[str]) -> None:
    """Let the base table take memories of every declared type; its rows need no check against the longer list."""
    row = await (await connection.execute(_TYPE_CHECK)).fetchone()
    if row is None or all(f"'{name}'" in row[0] for name in names):
        return
    admitted = ", ".join(f"'{name}'" for name in names)
    await connection.execute("alter table memory drop constraint memory_type_check")
    await connection.execute(
        f"alter table memory add constraint memory_type_check check (type in ({admitted})) not valid"
    )
