"""What FTS5 itself makes of a text: the judge of our own analysis, stems and scores."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

DRIVERS: list[ModuleType] = [
    sqlite3,
    *(import_module(f"{name}.dbapi2") for name in ("pysqlite3", "sqlean") if find_spec(name)),
]
"""Every SQLite there is here: the interpreter's own, which may be old, and the newest."""


def index(driver: ModuleType, rows: Iterable[str], tokenize: str = "porter unicode61") -> Any:
    """Return a connection to an FTS5 table `words` that holds the rows, numbered from 0."""
    connection = driver.connect(":memory:")
    connection.execute(f"create virtual table words using fts5(body, tokenize='{tokenize}')")
    connection.execute("create virtual table instance using fts5vocab(words, 'instance')")
    connection.execute("create virtual table vocabulary using fts5vocab(words, 'row')")
    connection.executemany("insert into words(rowid, body) values (?, ?)", enumerate(rows))
    return connection


def tokens(driver: ModuleType, rows: Sequence[str], tokenize: str) -> list[list[str]]:
    """Return the terms that FTS5 stores for each row, in order."""
    result: list[list[str]] = [[] for _ in rows]
    with closing(index(driver, rows, tokenize)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        for document, term in connection.execute("select doc, term from instance order by doc, offset"):
            result[document].append(term)
    return result


def matches(driver: ModuleType, rows: Sequence[str], terms: Iterable[str]) -> list[tuple[int, float]]:
    """Return the rows that hold any of the terms with FTS5's own score, positive."""
    expression = " OR ".join(f'"{term}"' for term in terms)
    with closing(index(driver, rows)) as connection:
        found = connection.execute(
            "select rowid, -bm25(words) from words where words match ? order by rowid", (expression,)
        )
        return [(row, score) for row, score in found]
