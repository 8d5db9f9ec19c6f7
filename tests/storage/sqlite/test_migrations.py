"""Numbered steps in plain SQL, all in one transaction, whoever comes first."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from agent_memory.errors import IntegrityError
from agent_memory.records import OWN_FIELDS
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import connection as opening
from agent_memory.storage.sqlite import driver, history, migrate
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .. import first_version
from .support import add, opened, raw

pytestmark = pytest.mark.anyio
POSTGRES = migrate.FOLDER.parents[1] / "postgres" / "migrations"
SECOND = """-- A step that only this test knows.
alter table memory add column mood text;
create table mood (name text primary key); -- a comment; with a semicolon
insert into mood values ('calm; at ease');
"""


@pytest.fixture
def later_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this program one version newer."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    (folder / f"{migrate.newest() + 1:04}_later.sql").write_text(SECOND)
    monkeypatch.setattr(opening, "newest", lambda: migrate.newest(folder))
    monkeypatch.setattr(opening, "migrate", lambda connection: migrate.migrate(connection, folder))
    return folder


@pytest.fixture
def file_of_the_first_version(tmp_path: Path) -> Path:
    """Make a file as the first version made it, from its SQL alone."""
    path = tmp_path / "first.db"
    connection = driver.connect(str(path))
    for statement in migrate.statements((migrate.FOLDER / "0001_first.sql").read_text()):
        connection.execute(statement)
    connection.execute("pragma user_version = 1")
    connection.execute(f"pragma application_id = {migrate.APPLICATION_ID}")
    connection.execute("insert into setting values ('agent_id', 'tester')")
    connection.close()
    return path


async def test_a_file_of_the_first_version_is_brought_up_to_date(
    file_of_the_first_version: Path, later_version: Path
) -> None:
    with raw(file_of_the_first_version) as connection:
        connection.execute("insert into operation (id, verb, started_at) values ('o', 'add', '2026')")
    async with opened(file_of_the_first_version) as store:
        assert (await store.describe()).schema_version == migrate.newest() + 1
        await add(store, builders.fact())
        assert await store.check() == []
    with raw(file_of_the_first_version) as connection:
        assert connection.execute("select name from mood").fetchall() == [("calm; at ease",)]
        assert connection.execute("select count(*) from operation").fetchone() == (2,)


async def test_what_the_first_version_stored_is_there_afterwards(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with opened(tmp_path / "a.db") as store:
        before = await add(store, builders.fact(tags=("home",)), builders.event(), builders.skill())
    request.getfixturevalue("later_version")
    async with opened(tmp_path / "a.db") as store:
        assert sorted(await store.select(Where()), key=str) == sorted(before, key=str)
        assert await store.check() == []


async def test_a_newer_file_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path):
        pass
    with raw(path) as connection:
        connection.execute("pragma user_version = 99")
    before = path.read_bytes()
    with pytest.raises(IntegrityError, match=rf"schema 99, this one knows {migrate.newest()}.*upgrade"):
        async with opened(path):
            pass
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_nothing(file_of_the_first_version: Path, later_version: Path) -> None:
    (later_version / f"{migrate.newest() + 2:04}_broken.sql").write_text(
        "create table half (x);\ninsert into nowhere values (1);\n"
    )
    with pytest.raises(IntegrityError):
        opening.open_file(str(file_of_the_first_version), busy_timeout=1, synchronous="full")
    with raw(file_of_the_first_version) as connection:
        assert connection.execute("pragma user_version").fetchone() == (1,)
        tables = {row[0] for row in connection.execute("select name from sqlite_master")}
    assert not tables & {"mood", "half"}


def test_many_at_once_migrate_once(file_of_the_first_version: Path, later_version: Path) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            connection, refused = opening.open_file(
                str(file_of_the_first_version), busy_timeout=10, synchronous="full"
            )
            assert refused is None
            connection.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with raw(file_of_the_first_version) as connection:
        assert connection.execute("select count(*) from mood").fetchone() == (1,)


def test_steps_and_declarations_are_numbered_without_gaps() -> None:
    declared = {field.since for fields in OWN_FIELDS.values() for field in fields}
    steps = {step.number for step in migrate.migrations()}
    # From version 5 on both count alike, and a number may be that of a step of PostgreSQL alone.
    steps |= {step.number for step in migrate.migrations(POSTGRES)}
    assert steps | declared >= set(range(1, migrate.newest() + 1))
    assert not {number for number in declared if number > 4} & steps, "a database would not notice"


def test_statements_are_cut_at_their_ends_only() -> None:
    script = (
        "create table a (x);\n-- a comment; with a semicolon\ninsert into a values ('one; two');\n"
        "create trigger t after insert on a begin\n select 1;\nend; -- the end;\n"
    )
    assert len(list(migrate.statements(script))) == 3


async def test_what_the_first_schema_wrote_down_keeps_its_time_and_its_checksum(tmp_path: Path) -> None:
    memory_id = first_version.sqlite_file(tmp_path / "a.db")["skill"]
    with raw(tmp_path / "a.db") as connection:
        there = history.versions(connection, ReadContext("old", Damaged()), memory_id=memory_id)
        # As the first schema has it: no column for a time of its own.
        connection.execute("drop view history")
        connection.execute("alter table journal drop column at")
        first = migrate.statements((migrate.FOLDER / "0001_first.sql").read_text())
        connection.execute(next(item for item in first if "create view history" in item))
        connection.execute("pragma user_version = 1")
    async with opened(tmp_path / "a.db", agent_id="old") as store:
        kept = await store.history(memory_id)
        assert kept[: len(there)] == there
        assert await store.check() == []
