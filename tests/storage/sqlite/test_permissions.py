"""Files that may only be read, or not even that, tried by a process without rights beyond those of their owner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory.testing import builders

from .support import add, opened

pytestmark = pytest.mark.anyio

_WITHOUT_RIGHTS = """
import os
if os.geteuid() == 0:
    # Root may read and write whatever it likes. It stays the owner of all that is imported
    # below, and gives up the rest: another user could not read a checkout that only root may enter.
    import ctypes, struct
    version_3, this_process, nothing = 0x20080522, 0, bytes(24)
    header = struct.pack("=Ii", version_3, this_process)
    assert ctypes.CDLL(None).capset(header, nothing) == 0
"""
_READING_ONLY = f"""{_WITHOUT_RIGHTS}
import asyncio, os, sys
from agent_memory.errors import BackendError
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders

async def main():
    store = SqliteStore("tester", path=sys.argv[1])
    await store.open()
    (record,) = await store.select(Where())
    await store.touch([record.id])
    assert (await store.by_keyword(["lion"], Where(), 5))[0][0] == record.id
    assert (await store.by_vector(builders.vector(1), Where(), 5))[0][0] == record.id
    assert (await store.describe()).level == "read-only"
    assert await store.check() == []
    for write in (
        lambda: store.commit(Operation(verb="add"), [Add(builders.fact())]),
        lambda: store.set_setting("a", "b"),
        lambda: store.rebuild(),
        lambda: store.secure_vacuum(),
    ):
        try:
            await write()
        except BackendError as error:
            assert "read-only" in str(error), error
        else:
            raise AssertionError("it was written")
    await store.close()

asyncio.run(main())
print("fine")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of another kind")
@pytest.mark.parametrize("folder_mode", [0o555, 0o777])
async def test_a_file_that_cannot_be_written_can_be_read(tmp_path: Path, folder_mode: int) -> None:
    folder = tmp_path / "medium"
    path = folder / "a.db"
    fact = builders.fact("a lion")
    async with opened(path) as store:
        await store.add_space(builders.space())
        await add(store, fact, vectors={builders.digest(fact): [builders.vector(1)]})
    path.chmod(0o444)
    folder.chmod(folder_mode)
    before = path.read_bytes()
    try:
        done = subprocess.run(
            [sys.executable, "-c", _READING_ONLY, str(path)], capture_output=True, text=True, timeout=60
        )
    finally:
        folder.chmod(0o755)
    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")
    assert path.read_bytes() == before


_NOT_EVEN_READING = f"""{_WITHOUT_RIGHTS}
import sys
from pathlib import Path
from agent_memory import BackendError, MemoryConfig, SyncAgentMemory
from agent_memory.memories.agents import list_agents, remove_agent, rename_agent

home = Path(sys.argv[1])
config = MemoryConfig(backend_config=dict(path=str(home / "shut.db")), embedding_provider="none")
for each in list_agents(home):
    print(each.agent_id, each.problem and each.problem.removeprefix(str(home)))
for use in (
    lambda: SyncAgentMemory("shut", config).open(),
    lambda: remove_agent("shut", home),
    lambda: rename_agent("shut", "open", home),
    lambda: rename_agent("bob", "shut", home),
    lambda: rename_agent("bob", "alice", home),
):
    try:
        use()
    except BackendError as error:
        print(error.message.replace(str(home), ""))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of another kind")
async def test_a_file_that_may_not_be_read_is_named_and_stops_nothing(tmp_path: Path) -> None:
    for name in ("bob", "shut"):
        async with opened(tmp_path / f"{name}.db", name) as store:
            await add(store, builders.fact())
    (tmp_path / "shut.db").chmod(0)
    (tmp_path / "bob.db").chmod(0o444)
    done = subprocess.run(
        [sys.executable, "-c", _NOT_EVEN_READING, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert (done.stderr, done.stdout.splitlines()) == (
        "",
        [
            "bob None",
            "None /shut.db may not be read",
            "/shut.db may not be read",
            "/shut.db may not be read",
            "the agent 'shut' cannot be read: /shut.db may not be read",
            "/shut.db may not be read",
            "/bob.db is read-only",
        ],
    )
