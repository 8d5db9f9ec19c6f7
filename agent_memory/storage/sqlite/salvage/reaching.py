"""Reading every row of a damaged file that SQLite can still reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from agent_memory.records import MemoryType
from agent_memory.storage.sqlite.driver import Connection, Error

Row = tuple[Any, ...]
TABLES: Final = (
    *("setting", "operation", "journal", "memory", "memory_tag", "usage"),
    *(kind.value for kind in MemoryType),
    *("embedding_space", "embedding"),
)
"""What is saved; everything else is made anew."""
_NO_ROWID: Final = frozenset({"setting", "memory_tag"})
_GAP: Final = 1_000_000
"""Between the last row read from one end and the last from the other, so many keys are tried one by one."""


class Reached(NamedTuple):
    """The rows that were reached, and a line for each row or span of rows that was not."""

    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, list[Row]]
    """By table; a row of a table with a key of its own begins with it."""
    missed: list[str]


def everything(connection: Connection) -> Reached:
    """Read all tables as far as possible."""
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[Row]] = {}
    missed: list[str] = []
    for table in TABLES:
        try:
            present = [row[1] for row in connection.execute(f"pragma table_info({table})")]
        except Error:
            present = []
        columns[table] = tuple(name for name in present if name != "embedded_in")
        if not present:
            rows[table] = []
            missed.append(f"the table {table}, whose definition is damaged")
        elif table in _NO_ROWID:
            rows[table] = _from_both_ends(connection, table, columns[table], missed)
        else:
            rows[table] = _by_key(connection, table, columns[table], missed)
    return Reached(columns, rows, missed)


def _read(connection: Connection, query: str, values: tuple[Any, ...] = ()) -> tuple[list[Row], bool]:
    """Return rows until there are no more or SQLite cannot go on, and whether these are all."""
    rows: list[Row] = []
    try:
        rows.extend(connection.execute(query, values))  # what came before an error stays
    except Error:
        return rows, False
    return rows, True


def _by_key(connection: Connection, table: str, columns: tuple[str, ...], missed: list[str]) -> list[Row]:
    names = ", ".join(columns)
    query = f"select rowid, {names} from {table} not indexed"
    upwards, whole = _read(connection, f"{query} order by rowid")
    rows = {row[0]: row[1:] for row in upwards}
    if not whole:
        downwards, _ = _read(connection, f"{query} order by rowid desc")
        for row in downwards:
            rows.setdefault(row[0], row[1:])
        first = upwards[-1][0] + 1 if upwards else None
        last = downwards[-1][0] - 1 if downwards else None
        known = _indexed(connection, table) - rows.keys()
        for key in _tried(known, first, last, rows):
            for one in _read(connection, f"{query} where rowid = ?", (key,))[0]:
                rows[key] = one[1:]
        lost = sorted(known - rows.keys())
        missed += [_named(connection, table, key) for key in lost]
        if not lost:
            missed.append(
                f"some rows of {table} between {first or 'the first'} and {last or 'the last'}, if any"
            )
    return [rows[key] for key in sorted(rows)]


def _tried(
    known: Iterable[int], first: int | None, last: int | None, rows: Mapping[int, Row]
) -> Iterator[int]:
    """Give the keys to look up one by one: those that an index knows, and those in between."""
    tried = set(known)
    top = max((*tried, *rows), default=0)
    start, stop = 1 if first is None else first, top if last is None else last
    yield from sorted(tried)
    if stop - start < _GAP:
        yield from (key for key in range(start, stop + 1) if key not in tried and key not in rows)


def _indexed(connection: Connection, table: str) -> set[int]:
    """Return the keys that stand in the indexes of a table."""
    keys: set[int] = set()
    indexes, _ = _read(connection, f"pragma index_list({table})")
    for index in indexes:
        for way in ("asc", "desc"):
            name = str(index[1]).replace('"', "")
            columns, _ = _read(connection, f'pragma index_info("{name}")')
            if index[4] or not columns or columns[0][2] is None:
                continue  # it does not hold all rows, or not the values themselves
            query = f'select rowid from {table} indexed by "{name}" order by {columns[0][2]} {way}'
            keys.update(row[0] for row in _read(connection, query)[0])
    return keys


def _named(connection: Connection, table: str, key: int) -> str:
    if table == "memory":
        query = "select id from memory indexed by sqlite_autoindex_memory_1 where rowid = ?"
        for (memory_id,) in _read(connection, query, (key,))[0]:
            return f"memory {memory_id}"
    return f"row {key} of {table}"


def _from_both_ends(
    connection: Connection, table: str, columns: tuple[str, ...], missed: list[str]
) -> list[Row]:
    names = ", ".join(columns)
    key = "name" if table == "setting" else "memory"
    rows: dict[Row, None] = {}
    for way in ("", " desc"):
        some, whole = _read(connection, f"select {names} from {table} not indexed order by {key}{way}")
        rows |= dict.fromkeys(some)
        if whole:
            return list(rows)
    if table == "memory_tag":
        for way in ("", " desc"):
            tagged = f"select memory, tag from memory_tag indexed by memory_tag_tag order by tag{way}"
            rows |= dict.fromkeys(_read(connection, tagged)[0])
    missed.append(f"some rows of {table}")
    return list(rows)
