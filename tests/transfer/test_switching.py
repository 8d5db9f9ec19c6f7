"""Moving an agent that is written to: nothing acknowledged is lost, and nothing is written behind the switch."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_memory import AgentMemory, SyncAgentMemory
from agent_memory.errors import (
    AgentMemoryError,
    CapabilityError,
    IntegrityError,
    StoreReadOnlyError,
    StoreUnreachableError,
    ValidationError,
)
from agent_memory.settings import Settings
from agent_memory.storage.base import Store
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.moved import MoveMark
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, texts
from agent_memory.transfer import moving, switching

from .conftest import OpenStore
from .filling import WITH_VECTORS, change, exported, fill, put, remove

pytestmark = pytest.mark.anyio


async def told(store: Store) -> list[Any]:
    """Return what an export tells, without when and by which change memories were taken out, and in which order."""
    lines = [json.loads(line) for line in (await exported(store, WITH_VECTORS)).splitlines()[1:-1]]
    return [line["id"] if "gone" in line else {**line, "place": 0} for line in lines]


class Writer:
    """Somebody who writes all kinds of things until it is refused."""

    def __init__(self, store: Store, *, removes: bool = True) -> None:
        self.store = store
        self.acknowledged = 0
        self.refusal = ""
        self._removes = removes
        self._random = random.Random(7)
        self._mine: list[Any] = []

    async def run(self) -> None:
        while not self.refusal:
            try:
                await self.write()
                self.acknowledged += 1
            except StoreReadOnlyError as error:
                self.refusal = str(error)
            await anyio.sleep(0.001)

    async def write(self) -> None:
        number, what = self.acknowledged, self._random.random()
        if what < 0.5 or not self._mine:
            self._mine += await put(self.store, builders.event(f"new {number}"))
        elif what < 0.7:
            place = self._random.randrange(len(self._mine))
            self._mine[place] = await change(self.store, self._mine[place], content=f"changed {number}")
        elif what < 0.8 and self._removes:
            await remove(self.store, self._mine.pop(), erase=self._random.random() < 0.5)
        elif what < 0.9:
            await put(self.store, builders.fact(f"fact {number}", key=f"key {number % 3}"))
        else:
            await put(
                self.store, builders.note(str(number), kind="working", key=f"w{number % 3}", value=number)
            )


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
async def test_an_agent_is_moved_while_somebody_writes(
    open_store: OpenStore, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "memory":
        monkeypatch.setattr(switching, "_UNVERIFIED", 0)  # as if there were always much to compare again
    one, beside = await open_store("sqlite", "a"), await open_store("sqlite", "a")
    other = await open_store(backend, "b")
    await fill(one)
    await put(one, *(builders.event(f"event {number}") for number in range(400)))
    writer = Writer(beside)
    phases: list[str] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.run)
        await anyio.sleep(0.02)
        done = await switching.switch(one, other, phase=phases.append)
    assert phases == ["copying", "catching up", "comparing", "catching up", "switching", "checking"]
    assert done.switched
    assert 0 < done.refused_seconds < 2
    assert writer.acknowledged
    assert "moved to" in writer.refusal
    assert await told(other) == await told(one)
    assert await other.check() == []
    await put(other, builders.fact("written there"))
    assert (await switching.switch(one, other)).notices
    with pytest.raises(ValidationError, match="was moved to"):
        await switching.switch(one, await open_store("sqlite", "c"))
    with pytest.raises(StoreReadOnlyError, match="was moved to"):
        await switching.switch(other, one)


class Interrupted(SqliteStore):
    """A target that goes away at some commit."""

    left = 0

    async def _commit(self, *args: Any) -> Any:
        if self.left == 0:
            raise StoreUnreachableError("sqlite", "gone")
        self.left -= 1
        return await super()._commit(*args)


class Busy(SqliteStore):
    """A source that somebody writes to, and embeds for, just before it is closed."""

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        if before is None:
            await put(self, builders.event("at the last moment"))
            space = await self.current_space()
            assert space is not None
            newest = {builders.digest(record): [builders.vector(1)] for record in await self.pending(50)}
            await self.put_vectors(space, newest)
        return await super()._set_moved(before, after)


@pytest.mark.parametrize("commits", [0, 1, 2])
async def test_what_was_stopped_leaves_the_source_open_and_is_gone_on_with(
    open_store: OpenStore, tmp_path: Path, commits: int
) -> None:
    one = Busy("tester", path=tmp_path / "a.db")
    await one.open()
    here = await fill(one)
    await put(one, *(builders.event(f"event {number}") for number in range(500)))
    broken = Interrupted("tester", path=tmp_path / "b.db")
    broken.left = commits
    await broken.open()
    with pytest.raises(StoreUnreachableError):
        await switching.switch(one, broken)
    await broken.close()
    fact = (await one.get([here["fact"].id]))[here["fact"].id]
    await remove(one, fact, erase=True)
    await remove(one, here["skill"])
    await change(one, await change(one, here["work"], value=7), value=8)
    other = await open_store("sqlite", "b")
    done = await switching.switch(one, other)
    assert done.switched
    assert await told(other) == await told(one)
    assert await one.pending_count() == await other.pending_count() > 0  # type: ignore[attr-defined]
    assert sorted(texts(await other.purged())) == sorted(texts(await one.purged()))
    assert await other.check() == []
    await one.close()


async def test_a_run_that_was_killed_in_the_switch_is_gone_on_with(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite", "a"), await open_store("memory")
    await fill(one)
    await moving.migrate(one, other)
    await one.set_moved(MoveMark(to="there", done=False), instead_of=None)
    with pytest.raises(StoreReadOnlyError, match="is being moved to there"):
        await put(one, builders.fact("refused"))
    assert (await switching.switch(one, other)).switched
    assert (await one.moved()).done  # type: ignore[union-attr]


async def test_two_runs_at_once_do_not_both_switch(open_store: OpenStore) -> None:
    one, other, third = [await open_store("sqlite", name) for name in "abc"]
    await put(one, *(builders.event(f"event {number}") for number in range(600)))
    results: list[Any] = []

    async def move(target: Store) -> None:
        try:
            results.append(await switching.switch(one, target))
        except AgentMemoryError as error:
            results.append(error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(move, other)
        tasks.start_soon(move, third)
    mark = await one.moved()
    switched = [result for result in results if isinstance(result, moving.Moved)]
    assert len(switched) <= 1
    assert (mark is not None and mark.done) == bool(switched)


async def test_what_is_not_the_same_opens_the_source_again(open_store: OpenStore) -> None:
    class Careless(InMemoryStore):
        async def _get(self, ids: Any) -> Any:
            return {key: value for key, value in (await super()._get(ids)).items() if key != lost}

    one, other = await open_store("sqlite"), Careless("tester")
    await other.open()
    lost = (await fill(one))["skill"].id
    with pytest.raises((IntegrityError, AgentMemoryError)):
        await switching.switch(one, other)
    assert await one.moved() is None
    await put(one, builders.fact("goes on"))


@contextmanager
def forgetting(file: Path) -> Iterator[dict[str, Callable[..., None]]]:
    """Put a file back to what it held before, as a failover to a replica that was behind does to a server."""
    with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(":memory:")) as earlier:
        yield {"keep": lambda *_: live.backup(earlier), "forget": lambda *_: earlier.backup(live)}


@pytest.mark.parametrize("moment", ["switching", "checking", "afterwards"])
async def test_what_the_target_forgets_is_copied_again(
    open_store: OpenStore, tmp_path: Path, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    one, other = await open_store("sqlite"), await open_store("sqlite", "b")
    here = await fill(one)
    await put(one, *(builders.event(f"event {number}") for number in range(30)))
    await switching.switch(one, other)
    await switching.reopen(one)
    await remove(one, here["skill"])
    await change(one, (await one.get([here["fact"].id]))[here["fact"].id], content="changed since")
    await put(one, *(builders.event(f"later {number}") for number in range(30)))
    with forgetting(tmp_path / "b.db") as server:
        server["keep"]()
        moments: list[str] = []

        def phase(name: str) -> None:
            moments.append(name)
            if name == moment and moments.count(name) == 1:
                server["forget"]()

        done = await switching.switch(one, other, phase=phase)
        if moment == "afterwards":
            server["forget"]()
            again = await switching.switch(one, other)
            assert again.added == 32
        assert done.switched
        assert "missing there again" in caplog.text
    assert await told(other) == await told(one)
    assert await other.check() == []


async def test_what_was_changed_or_taken_out_at_the_new_place_stays_so(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("sqlite", "b")
    here = await fill(one)
    await switching.switch(one, other)
    await remove(other, here["skill"])
    await change(other, (await other.get([here["fact"].id]))[here["fact"].id], content="changed there")
    await put(other, builders.fact("new there"))
    before = await told(other)
    assert (await switching.switch(one, other)).added == 0
    assert await told(other) == before


async def test_a_conflict_is_refused_before_anything_is_closed(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("memory")
    here = await fill(one)
    await moving.migrate(one, other)
    copy = (await other.get([here["fact"].id]))[here["fact"].id]
    await change(other, copy, content="changed there")
    await change(one, (await one.get([copy.id]))[copy.id], content="changed here")
    with pytest.raises(ValidationError, match="conflict"):
        await switching.switch(one, other)
    assert await one.moved() is None
    done = await switching.switch(one, other, on_conflict="replace")
    assert (done.settled, done.switched) == (1, True)


async def test_a_store_is_not_moved_into_itself(open_store: OpenStore) -> None:
    one, same = await open_store("sqlite", "a"), await open_store("sqlite", "a")
    await fill(one)
    with pytest.raises(ValidationError, match="the same store"):
        await switching.switch(one, same)
    assert await one.moved() is None


async def test_a_store_without_history_is_moved_too(open_store: OpenStore) -> None:
    one, other = await open_store("plain"), await open_store("sqlite")
    await put(one, *(builders.event(f"event {number}") for number in range(30)))
    assert (await switching.switch(one, other)).verified == 30
    with pytest.raises(StoreReadOnlyError, match="was moved"):
        await put(one, builders.fact())
    # And back, after the mark was taken off.
    await switching.reopen(one)
    await remove(other, (await other.select(EVERYTHING))[0])
    done = await switching.switch(other, one)
    assert (done.gone, await one.count(EVERYTHING)) == (1, 29)


async def test_a_backend_that_cannot_refuse_writes_says_so(open_store: OpenStore) -> None:
    class Open(InMemoryStore):
        _set_moved: Callable[..., Any] = Store._set_moved

    one = Open("tester")
    await one.open()
    with pytest.raises(CapabilityError, match="memory"):
        await switching.switch(one, await open_store("sqlite"))


async def test_migrations_take_turns() -> None:
    turns, events = switching.Turns(), list[str]()

    async def copy(name: str) -> None:
        for _ in range(3):
            async with turns.step():
                events.append(f"{name} begins")
                await anyio.sleep(0.01)
                events.append(f"{name} ends")

    async def stop() -> None:
        await anyio.sleep(0.005)
        async with turns.stop():
            events.append("stopped")
            await anyio.sleep(0.02)
            events.append("on again")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(copy, "a")
        tasks.start_soon(copy, "b")
        tasks.start_soon(stop)
    assert events[:4] == ["a begins", "b begins", "a ends", "b ends"]
    assert events[4:6] == ["stopped", "on again"]
    assert len(events) == 14


async def test_the_library_switches_and_opens_again(tmp_path: Path) -> None:
    settings = Settings(embedding_provider="none")
    path = {"path": tmp_path / "b.db"}
    async with AgentMemory("t", settings, backend=SqliteStore("t", path=tmp_path / "a.db")) as memory:
        await memory.add("one")
        assert not (await memory.migrate_to("sqlite", path, switch=True, dry_run=True)).switched
        await memory.add("two")
        assert (await memory.migrate_to("sqlite", path, switch=True)).added == 2
        with pytest.raises(StoreReadOnlyError, match=r"was moved to .*b\.db"):
            await memory.add("three")
        assert [item.memory.content for item in await memory.search("two", mode="keyword")] == ["two"]
        assert await memory.reopen() == str(tmp_path / "b.db")
        assert await memory.reopen() is None
        await memory.add("three")
    with SyncAgentMemory("t", settings, backend=SqliteStore("t", path=tmp_path / "a.db")) as sync:
        assert sync.migrate_to("sqlite", path, switch=True).added == 1
        assert sync.reopen() is not None
