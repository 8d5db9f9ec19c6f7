"""What is exported, imported and exported again is the same, byte by byte, whatever the stores on the way."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import Status, to_dict
from agent_memory.storage.base import Order, Store
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders, strategies
from agent_memory.transfer import moving
from agent_memory.transfer.reading import EVERYTHING
from agent_memory.transfer.stream import Parts

from .conftest import OpenStore
from .filling import ALL_PARTS, PRESENT, WITH_VECTORS, change, exported, fill, imported, put, remove

pytestmark = pytest.mark.anyio
BOTH = pytest.mark.parametrize(("first", "second"), [("memory", "sqlite"), ("sqlite", "memory")])


@BOTH
@pytest.mark.parametrize(
    "parts", [PRESENT, WITH_VECTORS, Parts(history=True), Parts(usage=True), ALL_PARTS], ids=str
)
async def test_there_and_back(open_store: OpenStore, first: str, second: str, parts: Parts) -> None:
    one, other, back = (await open_store(first), await open_store(second), await open_store(first, "b"))
    await fill(one)
    text = await exported(one, parts)
    done = await imported(other, text)
    assert (done.added, done.updated, done.gone, done.same) == (13, 0, 2, 0)
    assert await exported(other, parts) == text
    assert await other.check() == []
    await imported(back, await exported(other, parts))
    assert await exported(back, parts) == text
    assert await back.check() == []


@BOTH
async def test_everything_that_can_be_asked_gives_the_same(
    open_store: OpenStore, first: str, second: str
) -> None:
    one, other = await open_store(first), await open_store(second)
    await fill(one)
    await imported(other, await exported(one))
    for by in ("created", "updated", "occurred", "used", "importance", "position"):
        for descending in (True, False):
            order = Order(by, descending)  # type: ignore[arg-type]
            ours, theirs = [
                [to_dict(record) for record in await item.select(EVERYTHING, order)] for item in (one, other)
            ]
            assert ours == theirs, by
    assert await one.pending_count() == await other.pending_count() > 0
    assert await other.setting("conversation") == "chat-1"
    assert [record.id for record in await one.purged()] == [record.id for record in await other.purged()]
    space, there = await one.current_space(), await other.current_space()
    assert space is not None
    assert there is not None
    assert (space.fingerprint, space.created_at) == (there.fingerprint, there.created_at)


async def test_a_second_import_changes_nothing(open_store: OpenStore) -> None:
    one = await open_store("memory")
    await fill(one)
    text = await exported(one)
    for backend in ("memory", "sqlite", "plain"):
        other = await open_store(backend)
        await imported(other, text)
        version = await other.version()
        again = await imported(other, text)
        assert (again.changed, again.same) == (0, 15)
        assert await other.version() == version


async def test_a_store_without_history_keeps_all_else(open_store: OpenStore) -> None:
    one, plain, back = await open_store("sqlite"), await open_store("plain"), await open_store("sqlite", "b")
    await fill(one)
    parts = Parts(usage=True, vectors=True)
    done = await imported(plain, await exported(one))
    assert "history is not kept" in done.notices[0]
    assert await exported(plain, WITH_VECTORS) == await exported(one, WITH_VECTORS)
    await imported(back, await exported(plain, WITH_VECTORS))
    assert await exported(back, WITH_VECTORS) == await exported(one, WITH_VECTORS)
    assert await exported(back, parts) != await exported(one, parts)
    assert await back.check() == []
    assert len(await back.tombstoned()) == 2


async def test_the_order_of_storing_survives_ties(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("memory")
    moment = clock.now()
    stored = await put(one, *(builders.event(str(number), created_at=moment) for number in range(40)))
    await imported(other, await exported(one))
    assert [record.id for record in await other.select(Where())] == [item.id for item in stored][::-1]


async def test_what_was_taken_over_goes_on(open_store: OpenStore) -> None:
    one, other = await open_store("sqlite"), await open_store("memory")
    here = await fill(one)
    await imported(other, await exported(one))
    fact = (await other.get([here["fact"].id]))[here["fact"].id]
    fact = await change(other, fact, content="Alice lives in Braga")
    assert [version.verb for version in await other.history(fact.id)] == ["add", "update", "tag", "update"]
    message = (await put(other, builders.message("next")))[0]
    assert message.position == 5
    # Back again: the newer version takes the place of the one that it was made upon.
    done = await imported(one, await exported(other))
    assert (done.added, done.updated, done.same) == (1, 1, 14)
    assert await exported(one) == await exported(other)
    # And an older export has nothing new to say.
    assert (await imported(other, await exported(one))).changed == 0


async def test_filters_leave_out_the_rest_and_what_is_gone(open_store: OpenStore) -> None:
    one = await open_store("sqlite")
    await fill(one)
    file = io.BytesIO()
    done = await moving.export(one, file, PRESENT, Where(statuses=(), expired=None, tags_any=("home",)))
    assert (done.memories, done.gone) == (1, 0)
    assert len(file.getvalue().splitlines()) == 3


async def test_nothing_is_said_of_the_machine(open_store: OpenStore) -> None:
    one = await open_store("sqlite")
    await fill(one)
    head = json.loads((await exported(one)).split(b"\n")[0])["agentmem"]
    assert sorted(head) == ["agent", "embedding", "format", "history", "settings", "usage", "vectors"]
    assert head["embedding"]["model"] == "filled"
    text = (await exported(one, PRESENT)).decode()
    assert "was purged" not in text
    assert "shredded" not in text.replace('"verb":"shred"', "")
    assert "was purged" in (await exported(one)).decode()
    assert "shredded" not in (await exported(one)).decode()


async def _round(records: list[Any], upheavals: list[tuple[str, int]], one: Store, other: Store) -> None:
    stored: list[Any] = []
    for record in records:
        try:
            stored += await put(one, record)
        except ValidationError:
            continue
    stored = list({item.id: item for item in stored}.values())
    for verb, number in upheavals:
        if not stored:
            break
        record = (await one.get([stored[number % len(stored)].id])).get(stored[number % len(stored)].id)
        if record is None:
            continue
        if verb == "change":
            await change(one, record, content=f"{record.content} {number}")
        elif verb == "archive":
            await change(one, record, "archive", status=Status.ARCHIVED)
        else:
            await remove(one, record, erase=verb == "shred")
            if verb == "restore":
                await one.commit(Operation(verb="restore"), [Add(record, brought_back=True, verb="restore")])
    text = await exported(one, Parts(history=True, usage=True))
    await imported(other, text)
    assert await exported(other, Parts(history=True, usage=True)) == text
    assert await other.check() == []
    assert (await imported(one, text)).changed == 0


@given(
    st.lists(strategies.records(content=strategies.contents | strategies.texts), max_size=8),
    st.lists(
        st.tuples(st.sampled_from(["change", "archive", "purge", "shred", "restore"]), st.integers(0, 20)),
        max_size=8,
    ),
    st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
def test_whatever_is_in_it(records: list[Any], upheavals: list[tuple[str, int]], from_file: bool) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = SqliteStore("tester", path=Path(folder) / "a.db", synchronous="normal")
            memory = InMemoryStore("tester")
            await file.open()
            await memory.open()
            await _round(records, upheavals, *((file, memory) if from_file else (memory, file)))
            await file.close()

    anyio.run(run)
