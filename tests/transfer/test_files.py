"""A file is whole or refused, and one that is written takes its place when it is whole."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent_memory.errors import (
    BackendError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    ValidationError,
)
from agent_memory.records import canonical_json
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.sqlite import SqliteStore, driver
from agent_memory.testing import builders
from agent_memory.transfer import moving
from agent_memory.transfer.reading import EVERYTHING

from .conftest import OpenStore
from .filling import ALL_PARTS, exported, fill, imported, put

pytestmark = pytest.mark.anyio


@pytest.fixture
async def text(open_store: OpenStore) -> bytes:
    one = await open_store("memory", "source")
    await fill(one)
    return await exported(one)


async def test_a_truncated_file_is_refused_wherever_it_ends(open_store: OpenStore, text: bytes) -> None:
    store = await open_store("memory")
    ends = [place for place, byte in enumerate(text) if byte == 10]
    assert len(ends) == 17
    for end in ends:
        for cut in (end - 3, end, end + 1):
            if cut == len(text):
                continue
            with pytest.raises(IntegrityError):
                await imported(store, text[:cut])
    assert await store.version() == 0


async def test_a_line_that_is_missing_twice_or_changed_is_noticed(open_store: OpenStore, text: bytes) -> None:
    store = await open_store("memory")
    lines = text.split(b"\n")
    broken = [
        [*lines[:3], *lines[4:]],
        [*lines[:4], *lines[3:]],
        [*lines[:2], lines[3], lines[2], *lines[4:]],
        [*lines, *lines],
        [lines[0].replace(b"chat-1", b"chat-2"), *lines[1:]],
    ]
    for item in broken:
        with pytest.raises(IntegrityError):
            await imported(store, b"\n".join(item))
    assert await store.version() == 0


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"", "not an export"),
        (b"{}\n", "not an export"),
        (b"hello\n", "not an export"),
        (b"\xff\n", "not UTF-8"),
        (b"[]\n", "not an export"),
        (b'{"agentmem":{"format":2}}\n', "version 2"),
        (b'{"agentmem":{"format":1}}\n', "cannot be read"),
    ],
)
async def test_what_is_no_export_of_this_version_is_refused(
    open_store: OpenStore, first: bytes, said: str
) -> None:
    with pytest.raises(IntegrityError, match=said):
        await imported(await open_store("memory"), first)


def _resealed(lines: list[bytes], number: int, said: dict[str, Any]) -> bytes:
    import hashlib

    body = [*lines[:number], canonical_json(said).encode(errors="surrogatepass"), *lines[number + 1 : -2]]
    joined = b"".join(line + b"\n" for line in body)
    end = json.loads(lines[-2])
    end["end"]["digest"] = hashlib.blake2b(joined, digest_size=32).hexdigest()
    return joined + canonical_json(end).encode() + b"\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "nothing"},
        {"content": 5},
        {"importance": 2},
        {"importance": "x"},
        {"created_at": "yesterday"},
        {"tags": [1]},
        {"metadata": []},
        {"mood": "calm"},
        {"content": "a\x00b"},
        {"content": "a\ud800b"},
        {"id": "../x"},
        {"revision": None},
        {"place": None},
        {"key": 7},
        {"usage": {}},
        {"vectors": ["?"]},
        {"history": [{"at": "2021-03-04T05:06:07.000009Z", "revision": "x", "verb": "add"}]},
        {"status": "asleep"},
        {"session_given": None},
        {"ttl_given": None},
        {"ttl_given": 1},
        {"utc_offset": "east"},
        {"source": 7},
    ],
    ids=str,
)
async def test_a_memory_that_is_none_is_refused_with_its_line(
    open_store: OpenStore, fields: dict[str, Any]
) -> None:
    one, other = await open_store("memory", "a"), await open_store("memory", "b")
    await put(one, builders.fact("one"))
    lines = (await exported(one)).split(b"\n")
    said = json.loads(lines[1])
    assert _resealed(lines, 1, said) == b"\n".join(lines)
    with pytest.raises(IntegrityError, match=r"line 2|not UTF-8"):
        await imported(other, _resealed(lines, 1, {**said, **fields}))
    assert await other.version() == 0


async def test_a_file_is_its_owners_and_takes_its_place_when_it_is_whole(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store("sqlite")
    await fill(store)
    path = tmp_path / "out.ndjson"
    path.write_text("what was there")
    link = tmp_path / "link"
    link.symlink_to(path)
    done = await moving.export(store, link, ALL_PARTS)
    assert (done.memories, done.gone) == (13, 2)
    assert path.read_bytes() == await exported(store)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(item.name for item in tmp_path.iterdir() if "ndjson" in item.name) == ["out.ndjson"]
    with pytest.raises(ValidationError, match="no folder"):
        await moving.export(store, tmp_path / "nowhere" / "x", ALL_PARTS)
    with pytest.raises(MemoryNotFoundError, match="no file"):
        await moving.import_(store, tmp_path / "nothing")


class Losing(InMemoryStore):
    """A store that gives less than it has."""

    async def _scan(self, *args: Any) -> Any:
        async for page in super()._scan(*args):
            yield page[1:]


async def test_a_partial_read_fails_and_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("what was there")
    store = Losing("tester")
    await store.open()
    await put(store, builders.fact("one"), builders.fact("two"))
    with pytest.raises(BackendError, match="counts 2 memories and gives 1"):
        await moving.export(store, path, ALL_PARTS)

    class Failing(InMemoryStore):
        async def _get(self, ids: Any) -> Any:
            raise BackendError("the line is cut")

    failing = Failing("tester")
    await failing.open()
    await put(failing, builders.fact("one"))
    with pytest.raises(BackendError, match="cut"):
        await moving.export(failing, path, ALL_PARTS)

    class Forgetting(InMemoryStore):
        async def _get(self, ids: Any) -> Any:
            return {}

    forgetting = Forgetting("tester")
    await forgetting.open()
    await put(forgetting, builders.fact("one"))
    with pytest.raises(BackendError, match="taken away"):
        await moving.export(forgetting, path, ALL_PARTS)
    assert path.read_text() == "what was there"
    assert [item.name for item in tmp_path.iterdir()] == ["out.ndjson"]


async def test_pipes_and_devices_are_written_and_read_as_they_are(
    open_store: OpenStore, text: bytes, tmp_path: Path
) -> None:
    import threading

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    store = await open_store("sqlite")
    writer = threading.Thread(target=pipe.write_bytes, args=(text,))
    writer.start()
    assert (await moving.import_(store, pipe)).added == 13
    writer.join()

    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    await moving.export(store, pipe, ALL_PARTS)
    reader.join()
    assert got == [text]


async def test_a_database_is_never_written_over_nor_read_as_an_export(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SqliteStore("tester", path=path)
    await store.open()
    await put(store, builders.fact("kept"))
    theirs = tmp_path / "theirs.db"
    with closing(driver.connect(str(theirs))) as connection:
        connection.execute("create table theirs (x)")
    (tmp_path / "link").symlink_to(path)
    for target in (path, tmp_path / "link", theirs):
        before = (target.stat().st_ino, target.stat().st_size, target.stat().st_mtime_ns)
        with pytest.raises(PolicyError, match="is a database, and is not written over"):
            await moving.export(store, target, ALL_PARTS)
        with pytest.raises(IntegrityError, match="is a database, not an export"):
            await moving.import_(store, target)
        assert (target.stat().st_ino, target.stat().st_size, target.stat().st_mtime_ns) == before
    # The store's locks are still there: another process does not get the file for itself.
    program = (
        "import sys; from pathlib import Path\n"
        "from agent_memory.storage.sqlite import ownership\n"
        "with ownership.alone(Path(sys.argv[1])): pass\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
    assert "StoreBusyError" in ran.stderr
    await store.close()


async def test_what_holds_no_export_is_neither_written_nor_read(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = await open_store("memory")
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to("round")
    for name, said in (("folder", "is a folder"), ("round", "in a circle")):
        with pytest.raises((ValidationError, BackendError), match=said):
            await moving.export(store, tmp_path / name, ALL_PARTS)
        with pytest.raises((ValidationError, BackendError), match=said):
            await moving.import_(store, tmp_path / name)
    assert (tmp_path / "round").is_symlink()


async def test_progress_is_told(open_store: OpenStore) -> None:
    one, other = await open_store("memory", "a"), await open_store("memory", "b")
    await put(one, *(builders.event(str(number)) for number in range(1200)))
    told: list[tuple[int, int]] = []
    file = io.BytesIO()
    await moving.export(one, file, ALL_PARTS, EVERYTHING, lambda *each: told.append(each))
    assert told == [(500, 1200), (1000, 1200), (1200, 1200)]
    told.clear()
    await moving.import_(other, io.BytesIO(file.getvalue()), progress=lambda *each: told.append(each))
    assert told == [(500, 1200), (1000, 1200), (1200, 1200)]
    assert await exported(other) == file.getvalue()
