"""A writer killed at any moment leaves a file in which everything that was acknowledged is, and all agrees."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .support import ALL, opened

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
