"""A writer killed at any moment leaves a file in which everything that was acknowledged is, and all agrees."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.sqlite.handle import FEW_ROWS
from agent_memory.testing import builders

from .support import ALL, add, opened, raw

pytestmark = pytest.mark.anyio
WRITER = """
import asyncio, sys
from dataclasses import replace
from agent_memory.records import Status
from agent_memory.storage.changes import Add, Operation, Replace
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders

async def main(path):
    store = SqliteStore("tester", path=path)
    await store.open()
    await store.add_space(builders.space(dimension=16))
    number = 0
    while True:
        facts = [builders.fact(f"lion {number} {each}") for each in range(3)]
        supply = builders.random_vectors(2, dimension=16, seed=number)
        given = {builders.digest(fact): [vector] for fact, vector in zip(facts, supply)}
        written = await store.commit(Operation(verb="add"), [Add(fact) for fact in facts], given)
        print(*(each.id for each in written), flush=True)
        put_away = [Replace(replace(written[0].record, status=Status.ARCHIVED), "archive")]
        await store.commit(Operation(verb="archive"), put_away)
        number += 1

asyncio.run(main(sys.argv[1]))
"""


def kill_one(path: Path, chance: random.Random) -> set[str]:
    """Let a writer write, kill it at a random moment, and return the ids that it had acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stderr is not None
    try:
        first = writer.stdout.readline()
        assert first, writer.stderr.read()
        time.sleep(chance.uniform(0, 0.15))
    finally:
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read()
        writer.stderr.close()
        writer.stdout.close()
        writer.wait()
    whole = (first + rest).rpartition("\n")[0]
    return set(whole.split())


async def kill_many(path: Path, times: int) -> None:
    chance, acknowledged = random.Random(11), set[str]()
    for _ in range(times):
        acknowledged |= kill_one(path, chance)
    async with opened(path) as store:
        there = {record.id async for page in store.scan(ALL) for record in page}
        assert acknowledged <= there
        assert await store.check() == []
        found = await store.by_keyword(["lions"], ALL, len(there))
        assert {memory_id for memory_id, _ in found} == there


async def test_a_writer_killed_a_few_times(tmp_path: Path) -> None:
    await kill_many(tmp_path / "a.db", 5)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_writer_killed_200_times(tmp_path: Path) -> None:
    await kill_many(tmp_path / "a.db", 200)


async def counted(store: SqliteStore, ids: list[str], seen: list[str] | None = None) -> list[str]:
    """Count accesses, and return how each transaction meanwhile waits for the disk."""
    statements: list[str] = [] if seen is None else seen
    await store._run(lambda connection: connection.set_trace_callback(statements.append))
    await store.touch(ids)
    await store._run(lambda connection: connection.set_trace_callback(None))
    waits = [statement.rpartition(" ")[2] for statement in statements if "synchronous =" in statement]
    assert waits[-1] == "full"
    return waits[:-1:2]


async def test_counting_accesses_waits_for_the_disk_only_where_others_wrote_before(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        records = await add(store, *(builders.fact(f"lion {number}") for number in range(FEW_ROWS + 1)))
        ids = [record.id for record in records]
        assert await counted(store, ids[:1]) == ["normal"]
    async with opened(path) as store:
        assert await counted(store, ids) == ["normal"]
    async with opened(path) as store:
        assert await counted(store, ids[:-1]) == ["off"]
        assert await counted(store, ids[:1]) == ["normal"]
    with raw(path) as connection:
        total = connection.execute("select sum(access_count) from usage").fetchone()[0]
    assert total == 1 + len(ids) + len(ids) - 1 + 1


async def test_a_log_that_somebody_begins_in_between(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        (record,) = await add(store, builders.fact("lion"))
    with raw(path) as other:

        class Meanwhile(list[str]):
            def append(self, statement: str) -> None:
                super().append(statement)
                if statement.endswith("= off"):
                    other.execute("insert into setting (name, value) values ('one', 'x')")
                    other.commit()

        async with opened(path) as store:
            assert await counted(store, [record.id], Meanwhile()) == ["off", "normal"]
        assert other.execute("select access_count from usage").fetchall() == [(1,)]


async def test_a_file_without_a_log_is_written_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        (record,) = await add(store, builders.fact("lion"))
        mode = await store._run(lambda open_: open_.execute("pragma journal_mode = delete").fetchone())
        assert mode == ("delete",)
        assert await counted(store, [record.id]) == ["normal"]
