"""Tables and columns that the record classes declare and a file lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory.records import OWN_FIELDS, MemoryType, OwnField
from agent_memory.storage.sqlite import declared, driver, migrate
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .support import add, opened, raw

pytestmark = pytest.mark.anyio
LATER = {
    **OWN_FIELDS,
    "goal": (OwnField("due", "text"), OwnField("progress", "real"), OwnField("steps", "json")),
    MemoryType.EPISODIC: (*OWN_FIELDS[MemoryType.EPISODIC], OwnField("mood", "text", later=True)),
    MemoryType.SEMANTIC: (*OWN_FIELDS[MemoryType.SEMANTIC], OwnField("page", "integer", later=True)),
}
"""What a later version of the program might declare: a seventh type, and a field more of two others."""
_INSERT = (
    "insert into memory (id, type, content, importance, created_at, status, content_hash, embedded_hash, revision,"
    " checksum) values ('g', ?, 'Learn Dutch', 0.5, '2026', 'active', '', '', 'r', '')"
)


async def test_a_file_gets_what_a_later_version_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "a.db") as store:
        before = await add(store, builders.event(), builders.document(), builders.fact())
    known = migrate.newest()
    monkeypatch.setattr(migrate, "OWN_FIELDS", LATER)
    monkeypatch.setattr(migrate, "NEWEST_FIELD", known + 1)
    async with opened(tmp_path / "a.db") as store:
        assert (await store.describe()).schema_version == known + 1
        assert sorted(await store.select(Where()), key=str) == sorted(before, key=str)
        await add(store, builders.event("rain"))
        assert await store.check() == []
    with raw(tmp_path / "a.db") as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("select content, mood from episodic_memory order by id = 'x'").fetchall()
        assert connection.execute("select title, page from semantic_memory").fetchall() == [(None, None)]
        key = connection.execute(_INSERT, ("goal",)).lastrowid
        connection.execute(
            "insert into goal (memory, due, progress, checksum) values (?, 'May', 0.5, '')", (key,)
        )
        found = connection.execute("select content, due, progress, steps from goal_memory").fetchall()
        assert found == [("Learn Dutch", "May", 0.5, None)]
        connection.execute("delete from memory where id = 'g'")


async def test_a_type_that_nothing_declares_is_still_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        pass
    with raw(tmp_path / "a.db") as connection:
        connection.execute("begin immediate")
        declared.add_missing(connection, LATER)
        connection.execute("commit")
        with pytest.raises(driver.Error, match="CHECK"):
            connection.execute(_INSERT, ("nothing",))
    with raw(tmp_path / "a.db") as connection, pytest.raises(driver.Error, match="CHECK"):
        connection.execute(_INSERT, ("nothing",))


async def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db"):
        pass
    everything = "select type, name, sql from sqlite_master order by name"
    with raw(tmp_path / "a.db") as connection:
        before = connection.execute(everything).fetchall()
        declared.add_missing(connection, OWN_FIELDS)
        assert connection.execute(everything).fetchall() == before
        declared.add_missing(connection, LATER)
        later = connection.execute(everything).fetchall()
        declared.add_missing(connection, LATER)
        assert connection.execute(everything).fetchall() == later
