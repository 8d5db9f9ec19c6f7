"""Taking over what another store had: revisions, times, order, accesses, vectors, history, and what is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.errors import ConflictError, ValidationError
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import JournalStore, KeywordStore, Store, VectorStore
from agent_memory.storage.changes import Change, Import, Operation, Tombstone, Written, new_id
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, StoreTests, change, ids, needs, put, remove

LONG_AGO = clock.from_text("2021-03-04T05:06:07.000009Z")


def from_elsewhere(record: MemoryRecord, **fields: Any) -> Any:
    """Return a memory as another store has it: with a revision, and written long ago."""
    values = {"created_at": LONG_AGO, "updated_at": LONG_AGO + timedelta(seconds=1), "revision": new_id()}
    return replace(record, **{**values, **fields})


async def take(store: Store, *changes: Change, **arguments: Any) -> list[Written]:
    """Take over in one commit."""
    return await store.commit(Operation(verb="import"), changes, **arguments)


async def stored(store: Store, record: MemoryRecord) -> MemoryRecord:
    """Return a memory as the store has it, in the name of nobody."""
    return replace((await store.get([record.id]))[record.id], agent_id=record.agent_id)


def version(record: MemoryRecord, **fields: Any) -> Version:
    """Describe the first version of a memory of another store."""
    values: dict[str, Any] = {
        "memory_id": record.id,
        "revision": record.revision,
        "parent": None,
        "operation_id": "",
        "verb": "add",
        "at": record.updated_at,
        "before": None,
        "after": record,
    }
    return Version(**{**values, **fields})


def told(versions: list[Version]) -> list[tuple[Any, ...]]:
    """Return what has to be the same of versions in every store."""

    def plain(record: MemoryRecord | None) -> MemoryRecord | None:
        return None if record is None else replace(record, agent_id="", accessed_at=None, access_count=0)

    return [
        (item.revision, item.parent, item.verb, item.at, plain(item.before), plain(item.after))
        for item in versions
    ]


class MovingTests(StoreTests):
    """Taking over what another store had."""

    async def test_what_is_taken_over_is_as_it_was(self, store: Store) -> None:
        records = [
            from_elsewhere(builders.fact("one", tags=("a", "b"), key="k", metadata={"x": [1, {"y": None}]})),
            from_elsewhere(builders.fact("one"), status=Status.ARCHIVED),
            from_elsewhere(builders.message("two"), position=7),
            from_elsewhere(builders.event("three", pinned=True), expires_at=LONG_AGO),
            from_elsewhere(builders.skill("four", steps=("a", "b")), status=Status.SUPERSEDED),
            from_elsewhere(builders.note("five", kind="working", value={"z": 1})),
            from_elsewhere(builders.document("six", document_id="d", title="t", position=3)),
        ]
        written = await take(store, *map(Import, records))
        assert [(write.id, write.outcome) for write in written] == [
            (record.id, "added") for record in records
        ]
        assert [await stored(store, record) for record in records] == records
        assert {item.agent_id for item in (await store.get(ids(records))).values()} == {store.agent_id}

    async def test_it_is_never_a_duplicate_and_stands_in_the_given_order(self, store: Store) -> None:
        same = [from_elsewhere(builders.fact("the same")) for _ in range(300)]
        await take(store, *map(Import, same[:200]))
        await take(store, *map(Import, same[200:]))
        assert [item.id async for page in store.scan(EVERYTHING, 64) for item in page] == ids(same)
        assert ids(await store.select(EVERYTHING)) == ids(same)[::-1]

    async def test_what_is_there_in_that_revision_stays(self, store: Store) -> None:
        record = from_elsewhere(builders.fact("one"))
        await take(store, Import(record))
        [written] = await take(store, Import(record, onto="something else"))
        assert written.outcome == "unchanged"
        assert await stored(store, record) == record

    async def test_a_newer_version_takes_the_place_of_the_one_it_was_made_upon(self, store: Store) -> None:
        first = from_elsewhere(builders.fact("the older words", tags=("a",)))
        await take(store, Import(first))
        second = replace(first, content="newer speech", tags=("b",), revision=new_id())
        [written] = await take(store, Import(second, onto=first.revision))
        assert written.outcome == "updated"
        assert await stored(store, second) == second
        if isinstance(store, KeywordStore):
            assert await store.by_keyword(["older"], EVERYTHING, 5) == []
            assert ids_of(await store.by_keyword(["newer"], EVERYTHING, 5)) == [first.id]

    async def test_what_changed_meanwhile_is_a_conflict(self, store: Store) -> None:
        first = from_elsewhere(builders.fact("one"))
        await take(store, Import(first))
        other = replace(first, content="two", revision=new_id())
        for onto in (None, new_id()):
            with pytest.raises(ConflictError, match=first.id):
                await take(store, Import(other, onto=onto))
        absent = from_elsewhere(builders.fact("three"))
        with pytest.raises(ConflictError, match=absent.id):
            await take(store, Import(absent, onto=new_id()))
        assert await stored(store, first) == first
        assert await store.count(EVERYTHING) == 1

    async def test_a_key_that_another_has_is_refused(self, store: Store) -> None:
        await put(store, builders.fact("mine", key="k"))
        with pytest.raises(ValidationError, match="'k'"):
            await take(store, Import(from_elsewhere(builders.fact("theirs", key="k"))))
        away = from_elsewhere(builders.fact("theirs", key="k"), status=Status.ARCHIVED)
        await take(store, Import(away), Import(from_elsewhere(builders.note("theirs", key="k"))))
        assert await store.count(EVERYTHING) == 3

    async def test_accesses_come_along_if_asked_for(self, store: Store) -> None:
        used = from_elsewhere(builders.fact("one"), accessed_at=LONG_AGO, access_count=3)
        fresh = replace(used, id=new_id())
        await take(store, Import(used, usage=True), Import(fresh))
        if store.capabilities.usage:
            assert await stored(store, used) == used
            await store.touch([used.id])
            assert (await stored(store, used)).access_count == 4
        left = await stored(store, fresh)
        assert (left.accessed_at, left.access_count) == (None, 0)

    @needs("vectors")
    async def test_vectors_come_along(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        records = [from_elsewhere(builders.fact("one")), from_elsewhere(builders.fact("two"))]
        records.append(replace(records[1], id=new_id(), status=Status.ARCHIVED))
        segments = [builders.vector(1), builders.vector(0, 1)]
        await take(store, *map(Import, records), vectors=builders.vectors_of(two=segments), space=space)
        vectors = await store.vectors(ids(records))
        assert vectors == {records[1].id: segments, records[2].id: segments}
        assert ids(await store.pending(5)) == [records[0].id]
        assert ids_of(await store.by_vector(segments[1], EVERYTHING, 1)) in (
            [record.id] for record in records[1:]
        )

    # --- history -------------------------------------------------------------------------------------------

    @needs("journal")
    async def test_history_comes_along_with_its_times(self, store: JournalStore) -> None:
        first = from_elsewhere(builders.fact("one"))
        second = replace(
            first, content="two", revision=new_id(), updated_at=LONG_AGO + timedelta(microseconds=1)
        )
        versions = [
            version(first, at=LONG_AGO),
            version(second, parent=first.revision, verb="tag", at=LONG_AGO, before=first),
        ]
        await take(store, Import(second, history=versions))
        assert told(await store.history(second.id)) == told(versions)
        third = await change(store, await stored(store, second), content="three")
        fourth = from_elsewhere(third, content="four", revision=new_id())
        later = version(fourth, parent=third.revision, verb="update", before=third)
        await take(store, Import(fourth, history=[later], onto=third.revision))
        history = await store.history(second.id)
        assert told([*history[:2], history[3]]) == told([*versions, later])
        assert history[2].at > LONG_AGO + timedelta(days=1)
        assert await stored(store, fourth) == fourth

    @needs("journal")
    async def test_without_history_it_is_told_as_one_step(self, store: JournalStore) -> None:
        record = from_elsewhere(builders.fact("one"))
        await take(store, Import(record))
        assert told(await store.history(record.id)) == told([version(record, verb="import")])
        other = replace(record, content="two", revision=new_id())
        await take(store, Import(other, onto=record.revision))
        step = version(other, verb="import", parent=record.revision, before=record)
        assert told(await store.history(record.id))[1:] == told([step])

    @needs("journal")
    async def test_what_was_taken_out_elsewhere_is_known_to_be_gone(self, store: JournalStore) -> None:
        record, bare = from_elsewhere(builders.fact("one")), new_id()
        purge = version(
            record, revision=new_id(), parent=record.revision, verb="purge", before=record, after=None
        )
        only = replace(purge, memory_id=bare, before=None)
        assert (
            await take(store, Tombstone(record.id, [version(record), purge]), Tombstone(bare, [only])) == []
        )
        assert await store.tombstoned() == sorted([record.id, bare])
        assert told(await store.history(record.id)) == told([version(record), purge])
        assert told(await store.history(bare)) == told([only])
        assert [(item.id, item.content, item.revision) for item in await store.purged()] == [
            (record.id, "one", record.revision)
        ]
        assert await store.count(EVERYTHING) == 0
        present = (await put(store, builders.fact("two")))[0]
        with pytest.raises(ConflictError, match=present.id):
            await take(store, Tombstone(present.id, [only]))
        await take(store, Import(record, history=[version(record, verb="restore", parent=purge.revision)]))
        assert await store.tombstoned() == [bare]

    @needs("journal")
    async def test_what_is_gone_and_many_histories_are_read_at_once(self, store: JournalStore) -> None:
        kept, purged, shredded = await put(
            store, builders.fact("one"), builders.fact("two"), builders.event("three")
        )
        assert await store.tombstoned() == []
        await change(store, kept, content="new")
        await remove(store, purged)
        await remove(store, shredded, erase=True)
        assert await store.tombstoned() == sorted([purged.id, shredded.id])
        wanted = ids([shredded, kept, purged])
        histories = await store.histories([*wanted, new_id(), kept.id])
        assert histories == {item: await store.history(item) for item in wanted}
        assert [len(histories[item]) for item in wanted] == [2, 2, 2]
        assert [result.after for result in histories[shredded.id]] == [None, None]
        assert await store.histories([]) == {}


def ids_of(pairs: list[tuple[str, float]]) -> list[str]:
    """Return the ids of what a search found."""
    return [memory_id for memory_id, _ in pairs]
