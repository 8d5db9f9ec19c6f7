"""From store to store: counted and compared, stopped and gone on with, and the source as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_memory import AgentMemory, SyncAgentMemory, clock
from agent_memory.errors import BackendError, IntegrityError, StoreUnreachableError, ValidationError
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders
from agent_memory.transfer import moving
from agent_memory.transfer.stream import Parts

from .conftest import OpenStore
from .filling import WITH_VECTORS, change, exported, fill, put

pytestmark = pytest.mark.anyio


async def test_a_chain_of_stores_ends_with_what_it_began_with(open_store: OpenStore) -> None:
    chain = [
        await open_store(backend, str(number))
        for number, backend in enumerate(["sqlite", "memory", "sqlite", "plain", "sqlite"])
    ]
    await fill(chain[0])
    await put(chain[0], *(builders.event(f"event {number}") for number in range(1200)))
    first, full = await exported(chain[0], WITH_VECTORS), await exported(chain[0])
    for number in range(4):
        source, target = chain[number : number + 2]
        version = await source.version()
        done = await moving.migrate(source, target)
        assert (done.added, done.gone, done.verified) == (1213, 2, 1215)
        assert await source.version() == version
        assert bool(done.notices) == (target.name == "plain")
        if number < 2:
            assert await exported(target) == full
    assert await exported(chain[4], WITH_VECTORS) == first
    assert await chain[4].check() == []


async def test_a_second_run_changes_nothing_and_a_dry_one_neither(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite", "a"), await open_store("sqlite", "b")
    await fill(one)
    version = await other.version()
    done = await moving.migrate(one, other, dry_run=True)
    assert (done.added, done.gone, done.verified) == (13, 2, 0)
    assert await other.version() == version
    await moving.migrate(one, other)
    version = await other.version()
    again = await moving.migrate(one, other)
    assert (again.changed, again.same, again.verified) == (0, 15, 15)
    assert await other.version() == version


class Interrupted(SqliteStore):
    """A store whose server goes away in the middle."""

    left = 2

    async def _commit(self, *args: Any) -> Any:
        if self.left == 0:
            raise StoreUnreachableError("sqlite", "gone")
        self.left -= 1
        return await super()._commit(*args)


async def test_a_stopped_run_is_gone_on_with(open_store: OpenStore, tmp_path: Path) -> None:
    one = await open_store("sqlite", "a")
    await put(one, *(builders.event(f"event {number}") for number in range(1700)))
    await fill(one)
    broken = Interrupted("tester", path=tmp_path / "b.db")
    await broken.open()
    with pytest.raises(StoreUnreachableError):
        await moving.migrate(one, broken)
    await broken.close()
    other = await open_store("sqlite", "b")
    done = await moving.migrate(one, other)
    assert (done.same, done.added, done.gone) == (1000, 713, 2)
    assert await exported(other) == await exported(one)
    assert await other.check() == []


class Careless(InMemoryStore):
    """A store that does not keep what it was given."""

    fault = ""

    async def _get(self, ids: Sequence[str]) -> Any:
        found = await super()._get(ids)
        if self.fault == "text":
            return {key: replace(item, content=f"{item.content}.") for key, item in found.items()}
        return found

    async def _vectors(self, ids: Sequence[str], space: Any) -> Any:
        found = await super()._vectors(ids, space)
        return {key: item[::-1] for key, item in found.items()} if self.fault == "vectors" else found


@pytest.mark.parametrize("fault", ["text", "vectors"])
async def test_what_does_not_arrive_is_noticed(open_store: OpenStore, fault: str) -> None:
    one, other = await open_store("sqlite"), Careless("tester")
    other.fault = fault
    await other.open()
    await fill(one)
    with pytest.raises(IntegrityError, match="are not the same in both stores"):
        await moving.migrate(one, other)


async def test_what_went_on_there_is_left_alone(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("memory")
    here = await fill(one)
    await moving.migrate(one, other)
    fact = (await other.get([here["fact"].id]))[here["fact"].id]
    await change(other, fact, content="newer there")
    again = await moving.migrate(one, other)
    assert (again.changed, again.same, again.verified) == (0, 15, 15)
    assert (await other.get([fact.id]))[fact.id].content == "newer there"


async def test_changes_that_follow_are_brought_along(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("memory")
    here = await fill(one)
    await moving.migrate(one, other)
    await change(one, (await one.get([here["fact"].id]))[here["fact"].id], content="newer here")
    await put(one, builders.fact("and one more"))
    done = await moving.migrate(one, other)
    assert (done.added, done.updated, done.same) == (1, 1, 14)
    parts = Parts(history=True, vectors=True)
    assert await exported(other, parts) == await exported(one, parts)


# --- as the library gives it -----------------------------------------------------------------------------------

WORDS_ONLY = Settings(embedding_provider="none", actor="a test")


def memory_of(store: Store) -> AgentMemory:
    return AgentMemory("tester", WORDS_ONLY, backend=store)


async def test_the_library_exports_imports_and_migrates(tmp_path: Path) -> None:
    path = tmp_path / "out.ndjson"
    async with memory_of(SqliteStore("tester", path=tmp_path / "a.db")) as memory:
        await fill(memory.backend)
        done = await memory.export_to(path, history=True, usage=True, with_vectors=True)
        assert (done.memories, done.gone) == (13, 2)
        assert path.read_bytes() == await exported(memory.backend)
        few = await memory.export_to(tmp_path / "few", types="fact", tags="home")
        assert (few.memories, few.gone) == (1, 0)
        moved = await memory.migrate_to("sqlite", {"path": tmp_path / "b.db"})
        assert (moved.verified, moved.notices) == (15, [])
    async with memory_of(InMemoryStore("tester")) as memory:
        assert (await memory.import_from(path)).added == 13
        assert await exported(memory.backend) == path.read_bytes()
        assert [(operation.verb, operation.actor, operation.changes) for operation in await memory.log()] == [
            ("import", "a test", 15)
        ]
        # An import is no command of this store's: there is nothing to take back, and what follows can be.
        assert await memory.undo() == []
        new = await memory.long_term.add("new")
        assert [item.verb for item in await memory.undo()] == ["add"]
        assert await memory.get(new) is None
        assert (await memory.import_from(path)).changed == 0
    with SyncAgentMemory("tester", WORDS_ONLY, backend=SqliteStore("tester", path=tmp_path / "b.db")) as sync:
        sync.export_to(tmp_path / "again", history=True, usage=True, with_vectors=True)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


async def test_vectors_are_used_where_they_arrive(tmp_path: Path) -> None:
    settings = Settings(embedding_provider="dummy")
    async with AgentMemory("tester", settings, backend=InMemoryStore("tester")) as memory:
        kept = await memory.long_term.add("The staging database runs in Oslo")
        other = SqliteStore("tester", path=tmp_path / "b.db")
        assert (await memory.migrate_to(other)).pending == 0
    async with AgentMemory(
        "tester", settings, backend=SqliteStore("tester", path=tmp_path / "b.db")
    ) as memory:
        found = await memory.search("The staging database runs in Oslo", mode="vector")
        assert found[0].memory.id == kept
        assert found[0].similarity == pytest.approx(1, abs=0.001)


async def test_a_store_that_cannot_be_opened_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_text("no database")
    async with memory_of(InMemoryStore("tester")) as memory:
        await put(memory.backend, builders.fact())
        with pytest.raises(BackendError):
            await memory.migrate_to("sqlite", {"path": tmp_path / "b.db"})


async def test_what_was_embedded_here_later_and_is_over_by_now_needs_no_vectors_there(
    tmp_path: Path,
) -> None:
    start = clock.now()
    settings = Settings(
        backend_config={"path": tmp_path / "a.db"}, embedding_provider="dummy", embed_on_write=False
    )
    async with AgentMemory("a", settings) as memory:
        with clock.fixed(start):
            await memory.long_term.add("over soon", ttl="1h")
            await memory.migrate_to("sqlite", {"path": tmp_path / "b.db"})
            await memory.index()
        with clock.fixed(start + timedelta(days=1)):
            await memory.long_term.add("stays")
            moved = await memory.migrate_to("sqlite", {"path": tmp_path / "b.db"})
    assert (moved.added, moved.verified) == (1, 2)


async def test_a_backend_that_would_end_with_the_call_takes_nothing(tmp_path: Path) -> None:
    async with AgentMemory("tester", backend=SqliteStore("tester", path=tmp_path / "a.db")) as memory:
        await memory.long_term.add("one")
        for switch in (False, True):
            with pytest.raises(ValidationError, match="gone right afterwards"):
                await memory.migrate_to("memory", switch=switch)
        assert (await memory.migrate_to("memory", dry_run=True)).added == 1
        await memory.long_term.add("two")
