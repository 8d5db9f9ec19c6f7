"""A value of the wrong kind in any column of a memory: the memory is named, and the others are there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from agent_memory.storage.sqlite import driver
from agent_memory.storage.where import Where

from ..support import ALL, opened
from .files import filled

pytestmark = pytest.mark.anyio

_WRONG: tuple[Any, ...] = (None, -0.5, "", "no such thing", b"\xff\xfe")


def _columns(path: Path, table: str) -> list[str]:
    connection = driver.connect(str(path))
    try:
        return [row[1] for row in connection.execute(f"pragma table_info({table})")]
    finally:
        connection.close()


def _damage(path: Path, table: str, column: str, value: Any, memory: int) -> bool:
    """Put a value into a row, and say whether that was possible and changed it."""
    connection = driver.connect(str(path))
    key = "pk" if table == "memory" else "memory"
    query = f"select {column}, typeof({column}) from {table} where {key} = ?"
    connection.text_factory = bytes
    try:
        for pragma in ("ignore_check_constraints = on", "foreign_keys = off"):
            connection.execute(f"pragma {pragma}")
        before = connection.execute(query, (memory,)).fetchall()
        with connection:
            if isinstance(value, bytes):
                connection.execute(
                    f"update {table} set {column} = cast(? as text) where {key} = ?", (value, memory)
                )
            else:
                connection.execute(f"update {table} set {column} = ? where {key} = ?", (value, memory))
        return bool(before) and connection.execute(query, (memory,)).fetchall() != before
    except driver.Error:
        return False  # SQLite itself does not let it in
    finally:
        connection.close()


@pytest.mark.parametrize(
    "table", ["memory", "episodic", "conversation", "semantic", "procedural", "short_term", "long_term"]
)
async def test_a_wrong_value_stops_nothing_but_its_memory(tmp_path: Path, table: str) -> None:
    whole = tmp_path / "whole.db"
    everything = {record.id: record for record in await filled(whole, 8)}
    connection = driver.connect(str(whole))
    kind = "long_term" if table == "memory" else table
    query = "select pk, id from memory where type = ? order by pk limit 1"
    ((pk, memory_id),) = connection.execute(query, (kind,)).fetchall()
    connection.close()
    tried = 0
    for column in _columns(whole, table):
        for value in _WRONG if column not in ("pk", "memory") else ():
            path = tmp_path / "damaged.db"
            shutil.copyfile(whole, path)
            if not _damage(path, table, column, value, pk):
                continue
            tried += 1
            said = f"{table}.{column} = {value!r}"
            async with opened(path, None) as store:
                assert await store.check() != [], said
                listed = {record.id for record in await store.select(Where())}
                exported = {record.id async for page in store.scan(ALL) for record in page}
                assert everything.keys() - {memory_id} <= listed & exported, said
                for record in everything.values():
                    if record.id != memory_id and "word" in record.content:
                        found = await store.by_keyword([record.content.split()[1]], Where(), 20)
                        assert record.id in dict(found), said
                assert await store.count(Where()) in (len(everything), len(everything) - 1), said
                if len(listed) < len(everything):  # else it is there under what is now its name
                    assert any(memory_id in name or str(pk) in name for name in store.damaged), said
            path.unlink()
    assert tried > 3
