"""What a commit does, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_memory.errors import AgentMemoryError, ConflictError
from agent_memory.records import Status
from agent_memory.storage.base import JournalStore, KeywordStore, Store
from agent_memory.storage.changes import Add, Change, Operation, Remove, Replace
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, StoreTests, change, everything, ids, put, remove


class WritingTests(StoreTests):
    """What a commit does, and what it leaves alone."""

    async def test_nothing_to_write_writes_nothing(self, store: Store) -> None:
        assert await store.commit(Operation(verb="add"), []) == []
        assert await everything(store) == {}
        if isinstance(store, JournalStore):
            assert await store.operations() == []

    # --- new versions --------------------------------------------------------------------------------------

    async def test_a_new_version_takes_the_place_of_the_old(self, store: Store) -> None:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        first = (
            await put(store, builders.fact("Alice lives in Lisbon", created_at=moment, tags=("a", "b")))
        )[0]
        written = await store.commit(
            Operation(verb="update"), [Replace(replace(first, content="Alice lives in Porto", tags=("c",)))]
        )
        assert [(write.id, write.outcome) for write in written] == [(first.id, "updated")]
        second = written[0].record
        assert second == replace(
            first,
            content="Alice lives in Porto",
            tags=("c",),
            revision=second.revision,
            updated_at=second.updated_at,
        )
        assert second.revision != first.revision
        assert second.updated_at > first.updated_at == moment
        assert await everything(store) == {first.id: second}
        assert await store.count(Where(tags_any=("a",))) == 0
        assert await store.count(Where(tags_any=("c",))) == 1

    async def test_a_version_like_the_one_before_is_none(self, store: Store) -> None:
        first = (await put(store, builders.note(metadata={"flag": True}, value=1)))[0]
        written = await store.commit(Operation(verb="update"), [Replace(first)])
        assert [write.outcome for write in written] == ["unchanged"]
        assert await everything(store) == {first.id: first}
        second = await change(store, first, metadata={"flag": 1})
        assert second.revision != first.revision
        stored: Any = (await store.get([first.id]))[first.id]
        assert stored.metadata["flag"] is not True
        third = await change(store, second, value=True)
        assert third.value is True

    async def test_what_somebody_changed_meanwhile_is_a_conflict(self, store: Store) -> None:
        stale = (await put(store, builders.fact("one")))[0]
        fresh = await change(store, stale, content="two")
        before = await everything(store)
        for attempt in (Replace(replace(stale, content="three")), Remove(stale)):
            with pytest.raises(ConflictError, match=stale.id):
                await store.commit(Operation(verb="update"), [attempt])
            assert await everything(store) == before
        await remove(store, fresh)
        for tombstoned in (Replace(replace(fresh, content="four")), Remove(fresh)):
            with pytest.raises(ConflictError, match=stale.id):
                await store.commit(Operation(verb="update"), [tombstoned])
        assert await everything(store) == {}

    async def test_one_bad_change_undoes_all(self, store: Store) -> None:
        stale = (await put(store, builders.fact("one", tags=("a",))))[0]
        other = (await put(store, builders.message("two")))[0]
        await change(store, stale, content="one more")
        before, version = await everything(store), await store.version()
        changes: list[Change] = [
            Add(builders.fact("new")),
            Replace(replace(other, content="changed")),
            Add(builders.message("new message")),
            Remove(stale),
        ]
        with pytest.raises(ConflictError):
            await store.commit(Operation(verb="update"), changes)
        if store.capabilities.transactions:
            assert await everything(store) == before
            assert await store.version() == version
            if isinstance(store, JournalStore):
                assert len(await store.operations()) == 3
            if isinstance(store, KeywordStore):
                assert await store.by_keyword(["new"], EVERYTHING, 5) == []
            assert (await put(store, builders.message("next")))[0].position == 1

    async def test_an_id_that_is_taken_is_a_conflict(self, store: Store) -> None:
        first = (await put(store, builders.event("one")))[0]
        await change(store, first, status=Status.ARCHIVED)
        before = await everything(store)
        for taken in (builders.event("two", id=first.id), builders.fact("two", id=first.id, key="key")):
            with pytest.raises(ConflictError, match=first.id):
                await put(store, taken)
        new = builders.event("three")
        with pytest.raises(ConflictError, match=new.id):
            await put(store, new, replace(new, content="four"))
        assert await everything(store) == before

    # --- messages ------------------------------------------------------------------------------------------

    async def test_messages_get_their_positions(self, store: Store) -> None:
        first = await put(store, *(builders.message(text) for text in "abc"))
        other = await put(store, builders.message("x", conversation_id="chat-2"), builders.message("d"))
        assert [record.position for record in [*first, *other]] == [0, 1, 2, 0, 3]
        await change(store, other[1], "archive", status=Status.ARCHIVED)
        summary = builders.message("so far", kind="summary")
        assert [record.position for record in await put(store, summary, builders.message("e"))] == [None, 4]
        far = [builders.message("f", position=10), builders.message("old", position=5), builders.message("g")]
        assert [record.position for record in await put(store, *far)] == [10, 5, 11]

    async def test_a_message_with_a_key_keeps_its_position(self, store: Store) -> None:
        await put(store, builders.message("one"), builders.message("two", key="k"), builders.message("three"))
        assert (await put(store, builders.message("two, corrected", key="k")))[0].position == 1

    # --- putting away and taking out -----------------------------------------------------------------------

    async def test_what_is_archived_is_out_of_sight_until_it_is_restored(self, store: Store) -> None:
        record = (await put(store, builders.fact("apples are red", tags=("fruit",))))[0]
        archived = await change(store, record, "archive", status=Status.ARCHIVED)
        assert await store.select(Where()) == []
        assert await store.count(Where(tags_any=("fruit",))) == 0
        assert await store.groups(Where(), "tag") == []
        assert await store.select(Where(statuses=(Status.ARCHIVED,))) == [archived]
        if isinstance(store, KeywordStore):
            assert await store.by_keyword(["apples"], Where(), 5) == []
        restored = await change(store, archived, "restore", status=Status.ACTIVE)
        assert await store.select(Where()) == [restored]
        assert replace(restored, revision="", updated_at=record.updated_at) == replace(record, revision="")
        if isinstance(store, KeywordStore):
            assert len(await store.by_keyword(["apples"], Where(), 5)) == 1

    @pytest.mark.parametrize("erase", [False, True])
    async def test_what_is_removed_is_gone(self, store: Store, erase: bool) -> None:
        kept, record = await put(store, builders.event("stays"), builders.fact("goes", key="k", tags=("t",)))
        await store.touch([record.id])
        record = (await store.get([record.id]))[record.id]
        written = await remove(store, record, erase=erase)
        assert [(write.id, write.outcome, write.record) for write in written] == [
            (record.id, "removed", record)
        ]
        assert ids((await everything(store)).values()) == [kept.id]
        assert await store.get([record.id]) == {}
        for reference in (record.id, record.id[:10], "k"):
            with pytest.raises(LookupError):
                await store.resolve(reference)
        if isinstance(store, KeywordStore):
            assert await store.by_keyword(["goes"], EVERYTHING, 5) == []
            assert (await store.word_statistics(["goes"])).documents == 1

    async def test_what_was_removed_can_be_stored_again(self, store: Store) -> None:
        record = (await put(store, builders.fact("here", tags=("t",), key="k")))[0]
        await store.touch([record.id])
        await remove(store, record)
        back = (await put(store, record))[0]
        assert back.id == record.id
        assert back.content == "here"
        assert (await everything(store)) == {record.id: back}
        assert back.access_count == 0

    async def test_taken_out_and_put_back_in_one_commit(self, store: Store) -> None:
        record = (await put(store, builders.event("before")))[0]
        written = await store.commit(
            Operation(verb="swap"), [Remove(record), Add(replace(record, content="after"))]
        )
        assert [write.outcome for write in written] == ["removed", "added"]
        assert [item.content for item in (await everything(store)).values()] == ["after"]
        new = builders.event("never seen")
        with pytest.raises(AgentMemoryError):
            await store.commit(Operation(verb="odd"), [Add(new), Remove(new)])
