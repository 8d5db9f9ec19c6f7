"""Reads where nothing can be written, or not now: they answer, and say in one line what could not be done."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent_memory import AgentMemory, SyncAgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.sqlite import driver

_PENDING = 60
_CHILD = f"""
import io, os, resource, sys
from agent_memory import BackendError, MemoryConfig, SyncAgentMemory

path, expected = sys.argv[1:]
config = MemoryConfig(backend_config=dict(path=path), embedding_provider="dummy")

def reads(memory):
    found = memory.search("lion")
    assert len(found) == 3, found
    assert len(found.notices) == 1 and expected in found.notices[0], found.notices
    assert "found by words only, as what is pending" in found.notices[0], found.notices
    assert len(memory.search("lion", mode="keyword")) == 3
    assert "lion 1" in memory.recall("lion", 300).text and memory.recall(None, 300).text
    assert memory.get(found[0].memory.id).content == found[0].memory.content
    assert memory.count() == len(memory.list(None)) == {_PENDING + 1}
    assert memory.long_term.search_similar("lion 1")
    assert memory.export_to(io.BytesIO(), history=True).memories == {_PENDING + 1}
    assert memory.get_status()["owed_embeddings"] >= {_PENDING}

def refuses_writes(memory):
    for verb in (
        lambda: memory.long_term.store_fact("new " * 9000),
        lambda: memory.forget([each.id for each in memory.list(None)], purge=True),
        lambda: memory.index(),
    ):
        try:
            verb()
        except BackendError as error:
            assert expected in str(error) and "\\n" not in str(error), error
        else:
            raise AssertionError("it was written")
"""
_OPENED = (
    _CHILD
    + """
with SyncAgentMemory(None, config) as memory:
    reads(memory)
    refuses_writes(memory)
print("fine")
"""
)
_OPENED_BEFORE = (
    _CHILD
    + """
with SyncAgentMemory(None, config) as memory:
    memory.count()  # now it has its log and the index of that
    with open(os.path.dirname(path) + "/fill", "wb", 0) as fill:
        try:
            while True:
                fill.write(bytes(4096))
        except OSError:
            pass
    reads(memory)
    refuses_writes(memory)
print("fine")
"""
)
_LIMITED = (
    _CHILD
    + """
with SyncAgentMemory(None, config) as memory:
    memory.count()
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))  # as much as the index of the log has
    reads(memory)
    refuses_writes(memory)
print("fine")
"""
)
_DRIVERS = [item for item in ("sqlite3", "pysqlite3") if importlib.util.find_spec(item)]


def _fill(path: Path, *, searched: bool) -> None:
    """Store a memory that is embedded, if it was searched, and many whose embedding is owed."""
    settings = Settings(backend_config={"path": str(path)}, embedding_provider="dummy", embed_on_write=False)
    with SyncAgentMemory(None, settings) as memory:
        memory.long_term.store_fact("a lion 0")
        if searched:
            memory.search("lion")
        names = ["lion", "lion", *["crane"] * (_PENDING - 2)]
        memory.long_term.add_many([f"a {name} {n} {'reed ' * 90}" for n, name in enumerate(names, 1)])


def _run(code: str, path: Path, expected: str, library: str, *before: str) -> None:
    """Run a child, with what has to be done before it in a shell whose mounts are its own."""
    environment = {**os.environ, "AGENTMEM_SQLITE_DRIVER": library}
    command = [sys.executable, "-c", code, str(path), expected]
    if before:
        script = " && ".join((*before, 'exec "$@"'))
        command = ["unshare", "-Urm", "sh", "-c", script, "sh", *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
    assert "Traceback" not in done.stderr


def _has_mounts() -> bool:
    """Return whether this user may have a small disk of their own."""
    if shutil.which("unshare") is None:
        return False
    command = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


with_a_small_disk = pytest.mark.skipif(not _has_mounts(), reason="needs a disk of its own")


def _small_disk(source: Path, disk: Path) -> list[str]:
    """Return what puts a file on a disk of 1.5 MB."""
    disk.mkdir()
    return [f"mount -t tmpfs -o size=1500k none '{disk}'", f"cp '{source}' '{disk}/a.db'"]


@with_a_small_disk
@pytest.mark.parametrize("library", _DRIVERS)
@pytest.mark.parametrize("searched", [True, False])
def test_a_full_disk_stops_no_read(tmp_path: Path, library: str, searched: bool) -> None:
    _fill(tmp_path / "a.db", searched=searched)
    disk = tmp_path / "disk"
    prepared = _small_disk(tmp_path / "a.db", disk)
    full = f"{{ dd if=/dev/zero of='{disk}/fill' bs=512 2>/dev/null || true; }}"
    _run(_OPENED, disk / "a.db", "is full", library, *prepared, full)


@with_a_small_disk
@pytest.mark.parametrize("library", _DRIVERS)
def test_a_disk_that_fills_up_meanwhile_stops_no_read(tmp_path: Path, library: str) -> None:
    _fill(tmp_path / "a.db", searched=True)
    disk = tmp_path / "disk"
    _run(_OPENED_BEFORE, disk / "a.db", "is full", library, *_small_disk(tmp_path / "a.db", disk))


@with_a_small_disk
@pytest.mark.parametrize("library", _DRIVERS)
def test_a_read_only_disk_stops_no_read(tmp_path: Path, library: str) -> None:
    _fill(tmp_path / "a.db", searched=False)
    disk = tmp_path / "disk"
    prepared = _small_disk(tmp_path / "a.db", disk)
    # bind: without it the file system's own options are read again, and the user's number is none in the namespace.
    read_only = f"mount -o remount,bind,ro '{disk}'"
    _run(_OPENED, disk / "a.db", "is read-only", library, *prepared, read_only)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
@pytest.mark.parametrize("library", _DRIVERS)
def test_a_log_that_may_not_grow_stops_no_read_and_leaves_the_file_sound(
    tmp_path: Path, library: str
) -> None:
    path = tmp_path / "a.db"
    _fill(path, searched=True)
    _run(_LIMITED, path, "reading or writing", library)
    with closing(driver.connect(str(path))) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert connection.execute("select count(*) from memory").fetchone() == (_PENDING + 1,)


@pytest.mark.anyio
async def test_a_search_does_not_wait_for_somebody_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    _fill(path, searched=False)
    settings = Settings(backend_config={"path": str(path)}, embedding_provider="dummy")
    other = driver.connect(str(path))
    try:
        async with AgentMemory(None, settings) as memory:
            other.execute("begin immediate")
            before = time.monotonic()
            found = await memory.search("lion")
            assert (
                time.monotonic() - before < 5
            )  # SQLite's own patience is twice that, and ours thrice as much
            assert len(found) == 3
            assert len(found.notices) == 1
            assert "is locked by another process" in found.notices[0]
            other.execute("rollback")
            assert not (await memory.search("lion", limit=3)).notices
    finally:
        other.close()
