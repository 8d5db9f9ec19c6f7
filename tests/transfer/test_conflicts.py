"""What differs in both places is refused, kept or replaced, and nothing is ever deleted."""

from __future__ import annotations

import io
from typing import Any

import pytest

from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.records import Status
from agent_memory.storage.base import Store
from agent_memory.testing import builders
from agent_memory.transfer import moving
from agent_memory.transfer.deciding import OnConflict
from agent_memory.transfer.stream import Parts

from .conftest import OpenStore
from .filling import PRESENT, change, exported, fill, imported, put, remove

pytestmark = pytest.mark.anyio
BACKENDS = pytest.mark.parametrize("backend", ["memory", "sqlite", "plain"])
WITH_HISTORY = Parts(history=True)


async def _get(store: Store, record: Any) -> Any:
    return (await store.get([record.id]))[record.id]


@BACKENDS
async def test_changed_on_both_sides(open_store: OpenStore, backend: str) -> None:
    one, other = await open_store("memory", "a"), await open_store(backend, "b")
    fact, rest = await put(one, builders.fact("one"), builders.fact("rest"))
    await imported(other, await exported(one, WITH_HISTORY))
    await change(other, await _get(other, fact), content="mine")
    await change(one, fact, content="theirs")
    await put(one, builders.fact("new"))
    text, version = await exported(one, WITH_HISTORY), await other.version()
    for given in ({}, {"dry_run": True}):
        with pytest.raises(
            ValidationError, match=rf"1 of 3 .*nothing was written: {fact.id} is here in anot"
        ):
            await imported(other, text, **given)
    assert await other.version() == version

    done = await imported(other, text, on_conflict="keep", dry_run=True)
    assert (done.added, done.updated, done.same, done.kept) == (1, 0, 1, 1)
    assert await other.version() == version
    await imported(other, text, on_conflict="keep")
    assert (await _get(other, fact)).content == "mine"

    done = await imported(other, text, on_conflict="replace")
    assert (done.added, done.updated, done.same, done.settled) == (0, 1, 2, 1)
    assert await _get(other, fact) == await _get(one, fact)
    assert (await _get(other, rest)).content == "rest"
    assert await other.check() == []
    if other.capabilities.journal:
        told = [item.after.content for item in await other.history(fact.id) if item.after]
        assert told == ["one", "mine", "theirs"]
    assert (await imported(other, text)).changed == 0


@BACKENDS
@pytest.mark.parametrize("parts", [PRESENT, WITH_HISTORY], ids=str)
async def test_taken_out_here(open_store: OpenStore, backend: str, parts: Parts) -> None:
    one, other = await open_store("memory", "a"), await open_store(backend, "b")
    (fact,) = await put(one, builders.fact("one"))
    text = await exported(one, parts)
    await imported(other, text)
    await remove(other, await _get(other, fact))
    if not other.capabilities.journal:
        assert (await imported(other, text)).added == 1  # it has no way to know
        return
    with pytest.raises(ValidationError, match="was taken out here"):
        await imported(other, text)
    assert (await imported(other, text, on_conflict="keep")).kept == 1
    assert await other.tombstoned() == [fact.id]
    assert (await imported(other, text, on_conflict="replace")).added == 1
    assert (await _get(other, fact)).content == "one"
    assert await other.check() == []
    assert [version.verb for version in await other.history(fact.id)][1:] == ["purge", "restore"]


@BACKENDS
async def test_taken_out_there_only(open_store: OpenStore, backend: str) -> None:
    one, other = await open_store("memory", "a"), await open_store(backend, "b")
    (fact,) = await put(one, builders.fact("one"))
    await imported(other, await exported(one))
    await remove(one, fact)
    done = await imported(other, await exported(one))
    assert (done.changed, done.kept) == (0, 1)
    assert (await _get(other, fact)).content == "one"


@BACKENDS
async def test_a_key_that_another_memory_has_here(open_store: OpenStore, backend: str) -> None:
    one, other = await open_store("memory", "a"), await open_store(backend, "b")
    (theirs,) = await put(one, builders.fact("theirs", key="k"))
    (mine,) = await put(other, builders.fact("mine", key="k"))
    text = await exported(one)
    with pytest.raises(ValidationError, match=f"has the key 'k', which {mine.id} has here"):
        await imported(other, text)
    await imported(other, text, on_conflict="keep")
    assert await other.get([theirs.id]) == {}
    await imported(other, text, on_conflict="replace")
    assert (await _get(other, mine)).status is Status.ARCHIVED
    assert (await _get(other, theirs)).key == "k"
    assert await other.check() == []


@BACKENDS
async def test_a_key_may_pass_from_one_memory_to_another(open_store: OpenStore, backend: str) -> None:
    one, other = await open_store("memory", "a"), await open_store(backend, "b")
    (first,) = await put(one, builders.fact("first", key="k"))
    await imported(other, await exported(one))
    await change(one, first, "archive", status=Status.ARCHIVED)
    await put(one, builders.fact("second", key="k"))
    done = await imported(other, await exported(one))
    assert (done.added, done.updated) == (1, 1)
    assert await exported(other, PRESENT) == await exported(one, PRESENT)


async def test_many_conflicts_are_counted_and_the_first_few_named(open_store: OpenStore) -> None:
    one, other = await open_store("memory", "a"), await open_store("sqlite", "b")
    facts = await put(one, *(builders.fact(str(number)) for number in range(9)))
    await imported(other, await exported(one))
    for fact in facts:
        await change(other, await _get(other, fact), content=f"{fact.content}!")
        await change(one, fact, content=f"{fact.content}?")
    with pytest.raises(ValidationError, match=r"9 of 9 memories conflict.*and 4 more.*on_conflict='keep'"):
        await imported(other, await exported(one))


async def test_there_is_no_fourth_way(open_store: OpenStore) -> None:
    one = await open_store("memory")
    way: OnConflict = "merge"  # type: ignore[assignment]
    with pytest.raises(ConfigurationError, match="refuse, keep, replace"):
        await moving.import_(one, io.BytesIO(await exported(one)), on_conflict=way)


async def test_another_embedder_in_use_keeps_its_own_vectors(open_store: OpenStore) -> None:
    one, other = await open_store("memory", "a"), await open_store("sqlite", "b")
    await fill(one)
    space = await other.add_space(builders.space("another", 4))
    done = await imported(other, await exported(one))
    assert await other.current_space() == space
    assert "another embedder" in done.notices[0]
    assert done.pending == await other.pending_count() == 10
    assert await exported(other, PRESENT) != await exported(one, PRESENT)  # the first line tells


async def test_vectors_that_come_later_are_added(open_store: OpenStore) -> None:
    one, other = await open_store("memory", "a"), await open_store("sqlite", "b")
    await fill(one)
    await imported(other, await exported(one, PRESENT))
    pending = await other.pending_count()
    await imported(other, await exported(one))
    assert pending > await other.pending_count() == await one.pending_count()
