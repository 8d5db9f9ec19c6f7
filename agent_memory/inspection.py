"""A memory file as SQL sees it: queries, tables and the schema, for reading only.

    from agent_memory.inspection import open_sql

    with open_sql(path) as sql:
        for row in sql.query("select type, count(*) as n from memory group by type"):
            print(row["type"], row["n"])

The queries run on a `sqlite_utils.Database`, which only this module imports, and only when a file is opened here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from agent_memory.errors import ValidationError

if TYPE_CHECKING:
    from sqlite_utils import Database

    from agent_memory.storage.sqlite.inspection import Reader

TableKind = Literal["table", "view", "virtual"]
_INTERNAL: Final = ("sqlite_", "memory_vec_chunks", "memory_vec_rowids", "memory_vec_vector_chunks")
"""Beginnings of names that SQLite and sqlite-vec keep for themselves."""


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table or view of a file."""

    name: str
    kind: TableKind
    rows: int | None
    """None where they cannot be counted: a virtual table whose extension is not loaded."""
    columns: tuple[str, ...]


class SqlReader:
    """Read-only SQL on one memory file. Made by `open_sql`."""

    def __init__(self, reader: Reader, database: Database) -> None:
        self._reader = reader
        self.database = database
        """For everything else that sqlite-utils can do with a database that is only read."""

    def query(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Run one statement that returns rows, and yield them one by one.

        Args:
            sql: a `select`, `with`, `values`, `explain`, or a `pragma` that only reads.
            params: values for `?` (a sequence) or `:name` (a mapping).

        Yields:
            One mapping for each row; columns of the same name are numbered.

        Raises:
            PolicyError: the statement would do more than read.
            ValidationError: SQLite does not understand it, or it fails as it runs.
            StoreBusyError: others hold the file.
            IntegrityError: the file is damaged.
        """
        if not sql.strip():
            raise ValidationError("there is no SQL", hint="give a statement, such as: select * from memory")
        with self._reader.translated():
            yield from self.database.query(sql, dict(params) if isinstance(params, Mapping) else params)

    def tables(self) -> list[TableInfo]:
        """List the tables and views, those left out that only SQLite and its extensions use.

        Returns:
            Tables first, then virtual tables, then views, each by name.
        """
        infos = [
            (str(row["name"]), str(row["type"]))
            for row in self.query("pragma table_list")
            if row["schema"] == "main" and row["type"] != "shadow" and not row["name"].startswith(_INTERNAL)
        ]
        order: dict[str, TableKind] = {"table": "table", "virtual": "virtual", "view": "view"}
        ranked = sorted(infos, key=lambda item: (list(order).index(item[1]), item[0]))
        return [self._table(name, order[kind]) for name, kind in ranked]

    def _table(self, name: str, kind: TableKind) -> TableInfo:
        quoted = '"' + name.replace('"', '""') + '"'
        try:
            columns = tuple(
                row["name"] for row in self.query("select name from pragma_table_info(?)", (name,))
            )
            rows = next(self.query(f"select count(*) as n from {quoted}"))["n"]
        except ValidationError:  # the extension of a virtual table is not loaded
            return TableInfo(name, kind, None, ())
        return TableInfo(name, kind, rows, columns)

    def schema(self) -> str:
        """Return the SQL that makes the tables, indexes and views of this file."""
        statements = self.query("select name, sql from sqlite_master where sql is not null order by rowid")
        shown = [row["sql"] for row in statements if not row["name"].startswith(_INTERNAL)]
        return "".join(f"{text.rstrip(';')};\n" for text in shown)


@contextmanager
def open_sql(path: str | Path) -> Iterator[SqlReader]:
    """Open a memory file for reading in SQL, with the vector extension where that can be loaded.

    The file is opened with `mode=ro`, and an authorizer refuses writing, `attach`, `load_extension` and every
    `pragma` that could change something. Others may write to the file meanwhile.

    Args:
        path: the SQLite file of an agent; it is not created.

    Yields:
        What runs the queries, until the block is left.

    Raises:
        MemoryNotFoundError: there is no such file.
        IntegrityError: it is not a memory, or damaged.
        BackendError: it cannot be read.
    """
    from sqlite_utils import Database

    from agent_memory.storage.sqlite.inspection import reading

    with reading(Path(path)) as reader:
        yield SqlReader(reader, Database(reader.connection, recursive_triggers=False, execute_plugins=False))
