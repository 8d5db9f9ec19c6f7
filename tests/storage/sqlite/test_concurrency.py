"""Many processes and one file, new or not; a busy file; a fork; a cancelled call; a forgotten close."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent_memory.errors import BackendError, ClosedError, StoreBusyError
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .support import add, child, opened, raw

pytestmark = pytest.mark.anyio
ADDER = """
import asyncio, sys
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders

async def main(path, name, count):
    for number in range(count):
        store = SqliteStore("tester", path=path)
        await store.open()
        message = builders.message(f"lion {name} {number}", conversation_id="one")
        await store.commit(Operation(verb="add"), [Add(message)])
        await store.close()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def add_from_many(path: Path, processes: int, each: int) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", ADDER, str(path), str(number), str(each)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for process in running:
        _, said = process.communicate()
        assert (process.returncode, said) == (0, "")
    async with opened(path) as store:
        stored = await store.select(Where())
        assert len(stored) == processes * each
        assert sorted(record.position for record in stored) == list(range(processes * each))  # type: ignore[attr-defined]
        assert len(await store.by_keyword(["lion"], Where(), 10_000)) == processes * each
        assert await store.check() == []


async def test_eight_processes_add_to_one_new_file(tmp_path: Path) -> None:
    await add_from_many(tmp_path / "new.db", 8, 25)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_32_processes_add_to_ten_new_files(tmp_path: Path) -> None:
    for number in range(10):
        await add_from_many(tmp_path / f"new{number}.db", 32, 25)


async def test_threads_of_one_process_create_one_file(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    async def add_one(number: int) -> None:
        async with opened(tmp_path / "new.db") as store:
            await add(store, builders.fact(f"fact {number}"))

    def run(number: int) -> None:
        try:
            asyncio.run(add_one(number))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    async with opened(tmp_path / "new.db") as store:
        assert await store.count(Where()) == 12


async def test_a_busy_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path, busy_timeout=0.05) as store:
        await add(store, builders.fact("before"))
        with raw(path) as other:
            other.execute("begin immediate")
            started = time.monotonic()
            with pytest.raises(StoreBusyError, match=str(path)) as caught:
                await add(store, builders.fact("during"))
            assert 0.05 <= time.monotonic() - started < 2
            assert caught.value.__cause__ is not None
            # Reading goes on, and counting accesses gives up at once without a word.
            started = time.monotonic()
            (record,) = await store.select(Where())
            await store.touch([record.id])
            assert time.monotonic() - started < 0.04
            other.execute("rollback")
        assert (await store.get([record.id]))[record.id].access_count == 0
        await store.touch([record.id, record.id])
        await store.touch([record.id])
        assert (await store.get([record.id]))[record.id].access_count == 2
        await add(store, builders.fact("after"))


async def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        with raw(path) as other:
            other.execute("begin immediate")
            writing = asyncio.create_task(add(store, builders.fact()))
            await asyncio.sleep(0.2)
            assert not writing.done()
            other.execute("commit")
        assert len(await writing) == 1


async def test_a_cancelled_write_ends_before_the_next_begins(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        for number in range(20):
            facts = [Add(builders.fact(f"{number} {item}")) for item in range(200)]
            writing = asyncio.create_task(store.commit(Operation(verb="add"), facts))
            await asyncio.sleep(0.001 * (number % 5))
            writing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await writing
            assert await store.count(Where()) % 200 == 0  # all of a commit, or nothing of it
        await add(store, builders.fact("at last"))
        assert await store.check() == []


async def test_what_was_cancelled_before_it_began_never_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path, busy_timeout=1) as store:
        with raw(path) as other:
            other.execute("begin immediate")
            first = asyncio.create_task(add(store, builders.fact("waits for the lock")))
            second = asyncio.create_task(add(store, builders.fact("waits for the thread")))
            await asyncio.sleep(0.05)
            second.cancel()
            other.execute("commit")
        await first
        with pytest.raises(asyncio.CancelledError):
            await second
        assert await store.count(Where()) == 1


def test_a_forgotten_close_neither_hangs_nor_warns(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from agent_memory.storage.changes import Add, Operation\n"
        "from agent_memory.storage.sqlite import SqliteStore\n"
        "from agent_memory.testing import builders\n"
        "async def main():\n"
        "    store = SqliteStore('tester', path=sys.argv[1])\n"
        "    await store.open()\n"
        "    await store.commit(Operation(verb='add'), [Add(builders.fact())])\n"
        "    return store\n"
        "kept = asyncio.run(main())\n"
    )
    started = time.monotonic()
    child(program, tmp_path / "a.db", timeout=20)
    assert time.monotonic() - started < 15
    assert not Path(f"{tmp_path / 'a.db'}-wal").exists(), "the last one out empties the log"


def test_a_forgotten_store_ends_its_thread(tmp_path: Path) -> None:
    async def forget() -> None:
        store = SqliteStore("tester", path=tmp_path / "a.db")
        await store.open()
        assert any("a.db" in thread.name for thread in threading.enumerate())

    asyncio.run(forget())
    import gc

    gc.collect()
    deadline = time.monotonic() + 5
    while any("a.db" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_told_so_and_harms_nothing(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, sys\n"
        "from agent_memory.errors import BackendError, ClosedError\n"
        "from agent_memory.storage.sqlite import SqliteStore\n"
        "from agent_memory.storage.where import Where\n"
        "async def main():\n"
        "    store = SqliteStore('tester', path=sys.argv[1])\n"
        "    await store.open()\n"
        "    return store\n"
        "store = asyncio.run(main())\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        asyncio.run(store.count(Where()))\n"
        "    except BackendError as error:\n"
        "        print(error, flush=True)\n"
        "    asyncio.run(store.close())\n"
        "    sys.exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print(asyncio.run(store.count(Where())))\n"
        "asyncio.run(store.close())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "a.db")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    refused, count = done.stdout.splitlines()
    assert "fork" in refused
    assert count == "0"


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SqliteStore("tester", path=tmp_path / "a.db")
    with pytest.raises(BackendError, match="not open"):
        await store.count(Where())
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(ClosedError, match="the sqlite store is closed"):
        await store.count(Where())
    await store.open()
    assert await store.count(Where()) == 0
    await store.close()
