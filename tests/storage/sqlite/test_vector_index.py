"""The vector index is in step with the vectors, whichever process changes them and whether it can load sqlite-vec."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace as changed
from pathlib import Path

import pytest

from agent_memory import clock
from agent_memory.records import MemoryRecord, Status
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .support import ALL, add, opened, raw, remove, replace

pytestmark = pytest.mark.anyio
DIMENSION = 64
SUPPLY = builders.random_vectors(12, dimension=DIMENSION, seed=12)
OUT_OF_STEP = Path(__file__).parent / "files" / "index_out_of_step.db.gz"
"""Made with release 0.1.0: `work set step one`, `search step`, two more `work set`, `search step`, a process each."""


def working(value: int) -> MemoryRecord:
    return builders.note(f"step {value}", key="step", kind="working", value=value)


async def set_working(store: SqliteStore, value: int) -> None:
    await store.commit(Operation(verb="set"), [Add(working(value))])


async def embed(store: SqliteStore, record: MemoryRecord, number: int) -> None:
    space = await store.current_space()
    assert space is not None
    await store.put_vectors(space, {builders.digest(record): [SUPPLY[number]]})


async def nearest(store: SqliteStore, number: int) -> tuple[str, float]:
    return (await store.by_vector(SUPPLY[number], Where(), 1))[0]


async def setting_again_and_again(store: SqliteStore) -> None:
    for value in (1, 2, 3):
        await set_working(store, value)


async def shredding(store: SqliteStore) -> None:
    await remove(store, *await store.select(ALL), erase=True)


async def purging_and_shredding(store: SqliteStore) -> None:
    (stored,) = await store.select(ALL)
    await remove(store, stored)
    await add(store, builders.fact("in between"))
    await shredding(store)


async def archiving_and_shredding(store: SqliteStore) -> None:
    (stored,) = await store.select(ALL)
    (archived,) = await replace(store, changed(stored, status=Status.ARCHIVED), verb="archive")
    await remove(store, archived, erase=True)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], object]:
    """Open a store as a process does that cannot load sqlite-vec."""

    @asynccontextmanager
    async def opening(path: Path) -> AsyncIterator[SqliteStore]:
        with monkeypatch.context() as here:
            here.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
            async with opened(path) as store:
                yield store

    return opening


@pytest.mark.parametrize(
    "deleting", [setting_again_and_again, shredding, purging_and_shredding, archiving_and_shredding]
)
@pytest.mark.parametrize("loaded", [True, False], ids=["with", "without"])
async def test_vectors_that_another_process_deleted_leave_nothing_behind(
    tmp_path: Path, without: Callable[[Path], object], deleting: Callable[[SqliteStore], object], loaded: bool
) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        await store.add_space(builders.space(dimension=DIMENSION))
        await set_working(store, 0)
        await embed(store, working(0), 0)
        await nearest(store, 0)
    async with opened(path) if loaded else without(path) as store:  # type: ignore[attr-defined]
        await deleting(store)  # type: ignore[misc]
        assert await store.check() == []
    async with opened(path) as store:
        await set_working(store, 9)
        await embed(store, working(9), 9)
        (record,) = await store.select(Where(keys=("step",)))
        assert await nearest(store, 9) == (record.id, pytest.approx(1.0, abs=5e-4))
        assert (await store.describe()).details["vector_index"] is True
        assert await store.check() == []


async def test_the_key_of_a_deleted_vector_is_not_used_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(builders.space(dimension=DIMENSION))
        used: set[int] = set()
        for number in range(4):
            fact = builders.fact(f"fact {number}")
            stored = await add(store, fact, vectors={builders.digest(fact): [SUPPLY[number]]})
            (key,) = await store._run(
                lambda connection: connection.execute("select id from embedding").fetchone()
            )
            assert key not in used
            used.add(key)
            await remove(store, *stored, erase=True)


async def test_a_file_that_is_out_of_step_already_is_put_right_by_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(gzip.decompress(OUT_OF_STEP.read_bytes()))
    async with opened(path, None) as store:
        (record,) = await store.select(ALL)
        assert record.content == "three"
        space = await store.current_space()
        assert space is not None
        (vector,) = builders.random_vectors(1, dimension=384)
        await store.put_vectors(space, {builders.digest(record): [vector]})
        with clock.fixed(record.created_at):  # before it expired
            assert await store.by_vector(vector, Where(), 3) == [(record.id, pytest.approx(1.0, abs=5e-4))]
        assert (await store.describe()).details["vector_index"] is True
        assert await store.check() == []


BREAKAGE = {
    "a part is missing": "drop table memory_vec_vector_chunks00",
    "a row where the next one goes": "insert into memory_vec_rowids (rowid) select max(id) + 1 from embedding",
    "another part is missing": "drop table memory_vec_rowids",
    "numbers are gone": "update memory_vec_chunks set rowids = zeroblob(3)",
}


@pytest.mark.parametrize("breakage", BREAKAGE)
async def test_a_broken_index_stops_no_write_and_no_search(tmp_path: Path, breakage: str) -> None:
    path = tmp_path / "a.db"
    first, second = builders.fact("first"), builders.fact("second")
    async with opened(path) as store:
        await store.add_space(builders.space(dimension=DIMENSION))
        await add(store, first, vectors={builders.digest(first): [SUPPLY[0]]})
    with raw(path) as connection:
        connection.execute(BREAKAGE[breakage])
    async with opened(path) as store:
        assert (await nearest(store, 0))[0] == first.id
        await add(store, second, vectors={builders.digest(second): [SUPPLY[1]]})
        assert (await nearest(store, 1))[0] == second.id
        await replace(store, changed((await store.get([first.id]))[first.id], status=Status.ARCHIVED))
        assert (await nearest(store, 1))[0] == second.id
    async with opened(path) as store:
        await store.rebuild()
        assert (await store.describe()).details["vector_index"] is True
        assert await store.check() == []
        assert (await nearest(store, 1))[0] == second.id


@pytest.mark.parametrize(
    "breakage",
    [
        "update memory_vec_chunks set validity = zeroblob(length(validity))",
        "update memory_vec_chunks set rowids = zeroblob(length(rowids))",
        "delete from memory_vec where rowid = 2",
    ],
)
async def test_an_index_that_lacks_some_hides_nothing(tmp_path: Path, breakage: str) -> None:
    path = tmp_path / "a.db"
    facts = [builders.fact(f"fact {number}") for number in range(4)]
    async with opened(path) as store:
        await store.add_space(builders.space(dimension=DIMENSION))
        given = {builders.digest(fact): [SUPPLY[number]] for number, fact in enumerate(facts)}
        await add(store, *facts[:2], vectors=given)
        await add(store, *facts[2:], vectors=given)
        assert not store.damaged
    with raw(path, extension=True) as connection:
        connection.execute(breakage)
    async with opened(path) as store:
        assert [(await nearest(store, number))[0] for number in range(4)] == [fact.id for fact in facts]
        assert "the vector index" in store.damaged
        await store.rebuild()
    async with opened(path) as store:
        assert [(await nearest(store, number))[0] for number in range(4)] == [fact.id for fact in facts]
        assert not store.damaged
