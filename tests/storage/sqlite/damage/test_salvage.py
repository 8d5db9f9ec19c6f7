"""Where SQLite cannot read on, what it can still reach is saved into a new file."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from agent_memory.errors import IntegrityError, MemoryNotFoundError, ValidationError
from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.salvage import salvage

from ..support import ALL, opened, raw
from .files import filled

pytestmark = pytest.mark.anyio
KEPT = ("memory", "journal", "operation", "embedding", "setting")
PAGE = 8192


def reachable(path: Path) -> dict[str, set[object]]:
    """Return what plain SQLite reads of each table: from either end, and of every key by itself."""
    found: dict[str, set[object]] = {}
    for table in KEPT:
        name = {"memory": "id", "setting": "name", "embedding": "text_hash", "operation": "id"}.get(
            table, "change_id"
        )
        queries = [f"select {name} from {table} not indexed order by 1 {way}" for way in ("asc", "desc")]
        if table != "setting":
            queries = [
                f"select {name}, * from {table} not indexed where rowid = {key}" for key in range(1, 2000)
            ]
        connection = driver.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        try:
            found[table] = set()
            for query in queries:
                try:
                    found[table] |= {row[0] for row in connection.execute(query)}
                except (driver.Error, UnicodeDecodeError):
                    continue
        finally:
            connection.close()
    return found


async def check_salvaged(damaged: Path, new: Path) -> None:
    before = reachable(damaged)
    whole = damaged.read_bytes()
    try:
        salvaged = salvage(damaged, new)
    except IntegrityError:
        assert not before["memory"]
        assert not before["journal"]
        assert not new.exists()
        return
    assert damaged.read_bytes() == whole
    after = reachable(new)
    for table in KEPT:
        assert before[table] - {""} <= after[table], table
    async with opened(new, None) as store:
        assert {record.id for record in await store.select(ALL)} >= {
            item for item in before["memory"] if item
        }
        assert salvaged.saved["memories"] >= len(before["memory"] - {None, ""})
        known = {item for item in before["memory"] if item and await store.history(str(item))}
        # Only of what the history has lost may a row be as the damage left it.
        assert [fault for fault in await store.check() if any(str(entry) in fault for entry in known)] == []


@pytest.mark.parametrize(("memories", "count"), [(500, 8), pytest.param(5_000, 50, marks=pytest.mark.soak)])
async def test_a_truncated_file(
    tmp_path: Path, memories: int, count: int, request: pytest.FixtureRequest
) -> None:
    soak = request.node.get_closest_marker("soak") is not None
    seed = random.randrange(10**6) if soak else 5
    print(f"seed {seed}")
    chance = random.Random(seed)
    path = tmp_path / "whole.db"
    await filled(path, memories)
    whole = path.read_bytes()
    for number in range(count):
        damaged = tmp_path / f"{number}.db"
        damaged.write_bytes(whole[: chance.randrange(600, len(whole))])
        await check_salvaged(damaged, tmp_path / f"{number}-new.db")
        told = await refusal(damaged)
        assert told is None or "salvage()" in told


async def refusal(path: Path) -> str | None:
    """Return what is said where a file cannot be read."""
    try:
        async with opened(path, None) as store:
            await store.select(ALL)
    except IntegrityError as error:
        return str(error)
    return None


@pytest.mark.parametrize("table", ["memory", "journal", "long_term", "embedding", "memory_tag", "operation"])
async def test_a_page_that_is_lost(tmp_path: Path, table: str) -> None:
    """The rest of the table is reached from both ends; memories come back from the history."""
    path = tmp_path / "whole.db"
    everything = {record.id: record for record in await filled(path, 500)}
    with raw(path) as connection:
        query = "select pageno from dbstat where name = ? and pagetype = 'leaf' order by pageno"
        try:
            pages = [row[0] for row in connection.execute(query, (table,))]
        except driver.Error:  # this SQLite cannot tell where a table lies
            pages = _leaves(
                path,
                connection.execute("select rootpage from sqlite_master where name = ?", (table,)).fetchone()[
                    0
                ],
            )
    content = bytearray(path.read_bytes())
    lost = pages[len(pages) // 2]
    content[(lost - 1) * PAGE : lost * PAGE] = bytes(PAGE)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)
    await check_salvaged(damaged, tmp_path / "new.db")
    async with opened(tmp_path / "new.db", None) as store:
        records = {record.id: record for record in await store.select(ALL)}
        assert records.keys() == everything.keys()
        if table != "memory_tag":
            assert all(records[item].content == everything[item].content for item in everything)


def _leaves(path: Path, root: int) -> list[int]:
    """Return the pages that hold a table's rows, below the page at its root."""
    whole = path.read_bytes()
    start = (root - 1) * PAGE
    if whole[start] not in (2, 5):
        return [root]
    cells = int.from_bytes(whole[start + 3 : start + 5], "big")
    below = [int.from_bytes(whole[start + 8 : start + 12], "big")]
    for cell in range(cells):
        at = start + int.from_bytes(whole[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
        below.append(int.from_bytes(whole[at : at + 4], "big"))
    return [leaf for page in below for leaf in _leaves(path, page)]


@pytest.mark.parametrize(
    ("sequence", "value"), [(3, 0), (16, 7), (18, 9), (21, 0), (28, 0xFF), (44, 9), (56, 3), (60, 9), (68, 1)]
)
async def test_a_byte_of_the_header(tmp_path: Path, sequence: int, value: int) -> None:
    path, new = tmp_path / "a.db", tmp_path / "new.db"
    everything = {record.id for record in await filled(path, 20)}
    content = bytearray(path.read_bytes())
    content[sequence] = value
    path.write_bytes(content)
    salvaged = salvage(path, new)
    assert (salvaged.restored, salvaged.lost) == ((), ())
    async with opened(new, None) as store:
        assert {record.id for record in await store.select(ALL)} == everything
        assert store.agent_id == "tester"
        assert await store.check() == []


async def test_the_definition_of_a_table_is_damaged(tmp_path: Path) -> None:
    path, new = tmp_path / "a.db", tmp_path / "new.db"
    everything = {record.id for record in await filled(path, 20)}
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CREATE TABLE memory (", b"CREATE TAXLE memory ("))
    with pytest.raises(IntegrityError, match=r"salvage\(\)"):
        async with opened(path, None):
            pass
    assert salvage(path, new).lost == ()
    async with opened(new, None) as store:
        assert {record.id for record in await store.select(ALL)} == everything


async def test_what_is_not_there_and_what_is_there_already(tmp_path: Path) -> None:
    path, new = tmp_path / "a.db", tmp_path / "new.db"
    with pytest.raises(MemoryNotFoundError):
        salvage(path, new)
    await filled(path, 3)
    new.write_text("mine")
    with pytest.raises(ValidationError, match="is there already"):
        salvage(path, new)
    assert new.read_text() == "mine"
    with pytest.raises(ValidationError, match="no folder"):
        salvage(path, tmp_path / "nowhere" / "new.db")
    shutil.copyfile(__file__, tmp_path / "text.db")
    with pytest.raises(IntegrityError, match="cannot be read"):
        salvage(tmp_path / "text.db", tmp_path / "other.db")
    assert not (tmp_path / "other.db").exists()
    assert not list(tmp_path.glob(".salvage-*"))
