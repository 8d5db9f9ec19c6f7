"""Many agents at once: each as a single one, and one that cannot be moved stops no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_memory.errors import (
    ConfigurationError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    StoreBusyError,
    StoreReadOnlyError,
    ValidationError,
)
from agent_memory.storage.registry import BACKENDS
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.sync.fleet import migrate_agents, reopen_agents
from agent_memory.testing import builders
from agent_memory.transfer import fleet
from agent_memory.transfer.fleet import Fleet, failed
from agent_memory.transfer.places import Place
from tests.storage.plain import PlainVectorStore

from .filling import fill, put
from .test_switching import Writer, told

pytestmark = pytest.mark.anyio


def folder(path: Path) -> Place:
    path.mkdir(exist_ok=True)
    return Place("sqlite", {"path": str(path)})


async def store_of(path: Path, agent_id: str) -> SqliteStore:
    store = SqliteStore(agent_id, path=path / f"{agent_id}.db")
    await store.open()
    return store


async def test_agents_are_moved_while_one_is_written_to(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    source, target = folder(here), folder(there)
    stores = [await store_of(here, name) for name in ("ann", "bob", "carl")]
    for store in stores:
        await fill(store)
    await put(stores[0], *(builders.event(f"event {number}") for number in range(200)))
    writer = Writer(stores[0])
    reports: list[tuple[str, str]] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(writer.run)
        results = await Fleet(source=source, jobs=2).migrate_to(
            target, switch=True, report=lambda agent_id, phase, *_: reports.append((agent_id, phase))
        )
    assert [result.agent_id for result in results] == ["ann", "bob", "carl"]
    assert not failed(results)
    assert all(result.moved and 0 < result.moved.refused_seconds < 2 for result in results)
    assert reports[:3] == [("ann", "waiting"), ("bob", "waiting"), ("carl", "waiting")]
    assert sorted(name for name, phase in reports if phase == "done") == ["ann", "bob", "carl"]
    assert writer.acknowledged
    assert "moved to" in writer.refusal
    for store in stores:
        other = await store_of(there, store.agent_id)
        assert await told(other) == await told(store)
        assert await other.check() == []
        await other.close()
        with pytest.raises(StoreReadOnlyError):
            await put(store, builders.fact("late"))
        await store.close()
    again = await Fleet(source=source).migrate_to(target, switch=True)
    assert all(result.moved and result.moved.notices for result in again)
    opened = await Fleet(source=source, agents=["a*", "bob"]).reopen()
    assert [result.agent_id for result in opened] == ["ann", "bob"]
    assert [result.agent_id for result in await Fleet(source=source).reopen()] == ["carl"]


async def test_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    source, target = folder(here), folder(there)
    for name in ("ann", "bob", "[x]"):
        store = await store_of(here, name)
        await put(store, builders.fact(name))
        await store.close()
    strange = SqliteStore("somebody else", path=there / "ann.db")
    await strange.open()
    await strange.close()
    (here / "broken.db").write_text("no database")
    results = await Fleet(source=source, agents=["ann", "b*", "[x]"]).migrate_to(target)
    assert [(result.agent_id, type(result.error)) for result in results] == [
        ("[x]", type(None)),
        ("ann", ConfigurationError),
        ("bob", type(None)),
    ]
    assert [result.agent_id for result in failed(results)] == ["ann"]


class Busy(SqliteStore):
    """A target that is busy at first."""

    refusals = 0

    async def _commit(self, *args: Any) -> Any:
        if Busy.refusals:
            Busy.refusals -= 1
            raise StoreBusyError("sqlite")
        return await super()._commit(*args)


@pytest.mark.parametrize("refusals", [2, 3])
async def test_what_passes_is_tried_again(
    tmp_path: Path, refusals: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = folder(tmp_path / "here"), folder(tmp_path / "there")
    store = await store_of(tmp_path / "here", "ann")
    await put(store, builders.fact("one"))
    await store.close()
    monkeypatch.setitem(BACKENDS.builtin, "sqlite", f"{__name__}:Busy")
    monkeypatch.setattr(fleet, "_PAUSE", 0)
    Busy.refusals = refusals
    (result,) = await Fleet(source=source).migrate_to(target, switch=True)
    assert isinstance(result.error, StoreBusyError) == (refusals == 3)


class Forgetful(PlainVectorStore):
    """A target without a journal that has lost everything, and loses it again."""

    forgets = False

    async def _read(self, ids: Any) -> Any:
        return {} if Forgetful.forgets else await super()._read(ids)


async def test_what_is_lost_behind_the_switch_is_not_called_moved_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await store_of(tmp_path, "ann")
    await put(store, builders.fact("one"))
    await store.close()
    monkeypatch.setitem(BACKENDS.builtin, "plain", f"{__name__}:Forgetful")
    monkeypatch.setattr(fleet, "_PAUSE", 0)
    monkeypatch.setattr(Forgetful, "forgets", False)

    def report(agent_id: str, phase: str, done: int = 0, total: int = 0) -> None:
        Forgetful.forgets = Forgetful.forgets or phase == "checking"

    (result,) = await Fleet(source=folder(tmp_path)).migrate_to(
        Place("plain", {}), switch=True, report=report
    )
    assert isinstance(result.error, IntegrityError)


async def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "here")
    store = await store_of(tmp_path / "here", "ann")
    await store.close()
    for one in (Fleet(source=source, agents=["x*"]), Fleet(source=source, agents=["ann", "x*"])):
        with pytest.raises(MemoryNotFoundError, match=r"x\*"):
            await one.migrate_to(folder(tmp_path / "there"))
    with pytest.raises(ValidationError, match="no folder"):
        await Fleet(source=Place("sqlite", {"path": str(tmp_path / "here" / "ann.db")})).chosen()
    (result,) = await Fleet(source=source).migrate_to(Place("sqlite", {"path": str(tmp_path / "nowhere")}))
    assert isinstance(result.error, ValidationError)
    with pytest.raises(ValidationError, match="0 at once"):
        await Fleet(source=source, jobs=0).chosen()
    with pytest.raises(PolicyError, match="offline"):
        await Fleet(source=source, offline=True).migrate_to(Place("redis://db.invalid", {}))


def test_it_is_the_same_without_await(tmp_path: Path, anyio_backend: object) -> None:
    many = Fleet(source=folder(tmp_path / "here"), home=tmp_path)

    async def make() -> None:
        store = await store_of(tmp_path / "here", "ann")
        await put(store, builders.fact("one"))
        await store.close()

    anyio.run(make)
    (result,) = migrate_agents(many, folder(tmp_path / "there"), switch=True)
    assert result.moved is not None
    assert result.moved.switched
    assert [one.agent_id for one in reopen_agents(many)] == ["ann"]
