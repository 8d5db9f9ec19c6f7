"""Whose file it is, who may read it, and what happens with files that are none of ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from agent_memory import paths
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    ConfigurationError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    StoreBusyError,
    ValidationError,
)
from agent_memory.storage.sqlite import SqliteStore, driver
from agent_memory.storage.sqlite.errors import translated
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .support import add, opened, raw

pytestmark = pytest.mark.anyio


# --- agents ----------------------------------------------------------------------------------------------------


async def test_each_agent_has_a_file_of_its_own() -> None:
    names = ["a/b", "a_b", "Bob", "bob", "日本", "x" * 500]
    for name in names:
        store = SqliteStore(name)
        await store.open()
        await add(store, builders.fact(f"I am {name}"))
        await store.close()
        assert store.path.parent == paths.home()
    assert len(list(paths.home().glob("*.db"))) == len(names)
    for name in names:
        store = SqliteStore(name)
        await store.open()
        assert [record.content for record in await store.select(Where())] == [f"I am {name}"]
        await store.close()


async def test_the_file_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path, "alice") as store:
        assert store.agent_id == "alice"
    async with opened(path, None) as store:
        assert store.agent_id == "alice"
        (record,) = await add(store, builders.fact())
        assert record.agent_id == "alice"
    with pytest.raises(ConfigurationError, match="belongs to the agent 'alice', not to 'bob'"):
        async with opened(path, "bob"):
            pass
    async with opened(tmp_path / "new.db", None) as store:
        assert store.agent_id == "default"


async def test_the_agent_is_no_setting(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        with pytest.raises(ValidationError):
            await store.set_setting("agent_id", "mallory")


# --- files -----------------------------------------------------------------------------------------------------


async def test_new_files_and_folders_are_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "a.db"
    before = os.umask(0)
    try:
        async with opened(path) as store:
            await add(store, builders.fact())
            for item in path.parent.iterdir():
                assert stat.S_IMODE(item.stat().st_mode) == 0o600, item
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_link_leads_to_the_file(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "real.db")
    async with opened(link) as store:
        await add(store, builders.fact())
    assert stat.S_IMODE((tmp_path / "real.db").stat().st_mode) == 0o600
    async with opened(tmp_path / "real.db") as store:
        assert await store.count(Where()) == 1


async def test_a_file_is_only_made_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "a.db"
    assert not SqliteStore.exists(path=path)
    with pytest.raises(MemoryNotFoundError, match=r"a\.db"):
        async with opened(path, create=False):
            pass
    assert not path.parent.exists()
    async with opened(path):
        pass
    assert SqliteStore.exists(path=path)
    assert not SqliteStore.exists("somebody")
    async with opened(path, create=False) as store:
        assert await store.count(Where()) == 0


@pytest.mark.parametrize(
    "content", [b"not a database at all", b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 5000]
)
async def test_what_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="not a database"):
        async with opened(path):
            pass
    assert path.read_bytes() == content


async def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with raw(path) as connection:
        connection.execute("create table theirs (x)")
    before = path.read_bytes()
    with pytest.raises(IntegrityError, match="another program"):
        async with opened(path):
            pass
    assert path.read_bytes() == before


async def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="is a folder"):
        async with opened(tmp_path):
            pass


@pytest.mark.timeout(30)
@pytest.mark.parametrize("suffix", ["", "-wal", "-journal", "-shm"])
async def test_what_is_no_file_is_not_waited_for(tmp_path: Path, suffix: str) -> None:
    os.mkfifo(tmp_path / f"a.db{suffix}")
    with pytest.raises(BackendError, match="is a named pipe"):
        async with opened(tmp_path / "a.db"):
            pass
    with pytest.raises(BackendError, match="is a device"):
        async with opened(Path("/dev/null")):
            pass
    (tmp_path / "round.db").symlink_to("round.db")
    for use in (opened, lambda path: opened(path, create=False)):
        with pytest.raises(BackendError, match="lead in a circle"):
            async with use(tmp_path / "round.db"):
                pass
    with pytest.raises(BackendError, match="lead in a circle"):
        SqliteStore.exists(path=tmp_path / "round.db")


@pytest.mark.parametrize("content", [b"\n", b"x", b"PK", b"x" * 511])
async def test_what_is_too_small_for_a_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(content)
    for create in (True, False):
        with pytest.raises(IntegrityError, match="not a database"):
            async with opened(path, create=create):
                pass
    assert path.read_bytes() == content


async def test_an_empty_file_becomes_a_memory(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    async with opened(tmp_path / "a.db") as store:
        await add(store, builders.fact())
        assert await store.count(Where()) == 1


async def test_only_a_file_of_ours_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        await add(store, builders.fact())
    path.rename(tmp_path / "kept.db")
    path.write_text("a letter")
    with pytest.raises(PolicyError, match="another program's"):
        await store.drop()
    assert path.read_text() == "a letter"
    store = SqliteStore("tester", path=tmp_path / "kept.db")
    await store.drop()
    assert not (tmp_path / "kept.db").exists()


async def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackendError, match="cannot create"):
        async with opened(tmp_path / "file" / "a.db"):
            pass


# --- settings --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"path": ""},
        {"path": ":memory:"},
        {"path": 7},
        {"busy_timeout": -1},
        {"busy_timeout": True},
        {"busy_timeout": "long"},
        {"synchronous": "off"},
        {"create": "yes"},
        {"pathh": "a.db"},
    ],
)
def test_settings_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        SqliteStore("tester", **options)


@pytest.mark.parametrize(("setting", "level"), [("full", 2), ("normal", 1)])
async def test_synchronous_reaches_the_connection_and_survives_a_touch(
    tmp_path: Path, setting: str, level: int
) -> None:
    async with opened(tmp_path / "a.db", synchronous=setting) as store:
        (record,) = await add(store, builders.fact())
        await store.touch([record.id])
        found = await store._run(lambda connection: connection.execute("pragma synchronous").fetchone())
        assert found == (level,)
        found = await store._run(lambda connection: connection.execute("pragma busy_timeout").fetchone())
        assert found == (10_000,)


# --- errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ("database is locked", StoreBusyError, "a.db"),
        ("database table is locked: memory", StoreBusyError, "a.db"),
        ("attempt to write a readonly database", BackendError, "read-only"),
        ("database or disk is full", BackendError, "full"),
        ("file is not a database", IntegrityError, "a.db"),
        ("database disk image is malformed", IntegrityError, "backup"),
        ("unable to open database file", BackendError, "cannot open"),
        ("disk I/O error", BackendError, "disk"),
        ("something that nobody has seen yet", BackendError, "something that nobody"),
    ],
)
def test_every_error_of_the_driver_is_translated(said: str, error: type[AgentMemoryError], told: str) -> None:
    with pytest.raises(error, match=told) as caught, translated("a.db"):
        raise driver.module.OperationalError(said)
    assert isinstance(caught.value.__cause__, driver.Error)
    assert caught.value.hint


def test_every_class_of_error_is_translated() -> None:
    for name in ("DatabaseError", "IntegrityError", "DataError", "InternalError", "NotSupportedError"):
        with pytest.raises(BackendError), translated("a.db"):
            raise getattr(driver.module, name)("constraint failed")


async def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await add(store, builders.fact("before"))
        pages = await store._run(lambda connection: connection.execute("pragma page_count").fetchone()[0])
        await store._run(lambda connection: connection.execute(f"pragma max_page_count = {pages}").fetchone())
        with pytest.raises(BackendError, match="full"):
            await add(store, *(builders.fact(f"{number} " + "long " * 500) for number in range(50)))
        assert await store.count(Where()) == 1
        assert await store.check() == []


async def test_numbers_and_texts_that_sqlite_cannot_hold_are_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        with pytest.raises(ValidationError, match="too large"):
            await add(store, builders.document(position=2**70))
        with pytest.raises(ValidationError, match="surrogate"):
            await add(store, builders.fact("lone \ud800 surrogate"))
        assert await store.count(Where()) == 0
