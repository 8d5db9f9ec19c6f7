"""From backend to backend over real servers, and back to where it began: nothing is lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from servers.postgres import PostgresServer
from servers.redis import redis_search

from agent_memory.storage.base import Store
from agent_memory.storage.changes import Add, Operation, Replace
from agent_memory.storage.registry import create_store
from agent_memory.testing import builders
from agent_memory.transfer import moving, switching
from agent_memory.transfer.stream import Parts

from .filling import WITH_VECTORS, exported, fill
from .test_switching import Writer, told

pytestmark = [
    pytest.mark.anyio,
    # What Chroma's client itself warns of.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
HISTORY = Parts(history=True, usage=True, vectors=True)


@pytest.fixture
async def chain(tmp_path: Path, anyio_backend: object) -> AsyncIterator[list[Store]]:
    """Open one store after the other: sqlite, postgres, redis, chroma, sqlite."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        redis = stack.enter_context(redis_search())
        stores = [
            create_store("sqlite", "tester", {"path": tmp_path / "first.db"}),
            create_store(postgres.url, "tester", {}),
            create_store(redis.url, "tester", {}),
            create_store("chroma", "tester", {"path": tmp_path / "chroma"}),
            create_store("sqlite", "tester", {"path": tmp_path / "last.db"}),
        ]
        for store in stores:
            await store.open()
            stack.push_async_callback(store.close)
        yield stores


async def _many(store: Store, count: int) -> None:
    """Store so many of all six types, with a vector each, and change a third of them."""
    makers = (
        builders.note,
        builders.fact,
        builders.message,
        builders.event,
        builders.document,
        builders.skill,
    )
    given = builders.random_vectors(100, seed=3)
    records = [makers[number % 6](f"memory {number} über 記憶") for number in range(count)]
    vectors = {builders.digest(record): [given[number % 100]] for number, record in enumerate(records)}
    written = await store.commit(Operation(verb="add"), [Add(record) for record in records], vectors)
    for verb in ("update", "tag"):
        changed = [
            replace(write.record, tags=(verb,), content=f"{write.record.content} {verb}")
            for write in written[: count // 3]
        ]
        written = await store.commit(Operation(verb=verb), [Replace(item, verb) for item in changed])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.soak)])
async def test_all_come_back_as_they_went(chain: list[Store], count: int) -> None:
    await fill(chain[0])
    await _many(chain[0], count)
    first, full = await exported(chain[0], WITH_VECTORS), await exported(chain[0], HISTORY)
    for source, target in pairwise(chain):
        assert (await moving.migrate(source, target, dry_run=True)).added == count + 13
        done = await moving.migrate(source, target)
        assert (done.added, done.gone, done.verified) == (count + 13, 2, count + 15)
        assert await exported(target, WITH_VECTORS) == first, target.name
        if target.capabilities.journal and source.capabilities.journal:
            assert await exported(target, HISTORY) == full, target.name
            assert done.notices == []
    assert await chain[0].count(moving.EVERYTHING) == await chain[-1].count(moving.EVERYTHING) == count + 13
    assert await chain[-1].check() == []
    again = await moving.migrate(chain[0], chain[1])
    assert (again.changed, again.verified) == (0, count + 15)
    for source, target in pairwise(chain[:3]):
        await _move_while_written_to(source, target)


async def _move_while_written_to(source: Store, target: Store) -> None:
    """Move what is there already, and what somebody writes meanwhile."""
    writer = Writer(source)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.run)
        done = await switching.switch(source, target)
    assert writer.acknowledged
    assert "moved to" in writer.refusal
    assert done.refused_seconds < 2
    assert await told(target) == await told(source)
    assert await target.check() == []
