"""The journal, the log of operations, and what is no change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import clock
from agent_memory.errors import ConflictError
from agent_memory.records import Status, same_version
from agent_memory.storage.base import JournalStore, Store
from agent_memory.storage.changes import Add, Erase, Operation, Remove, Replace
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import StoreTests, change, needs, put, remove


class HistoryTests(StoreTests):
    """The journal, the log of operations, and what is no change."""

    @needs("journal")
    async def test_every_version_stays_and_names_the_one_before(self, store: JournalStore) -> None:
        first = (await put(store, builders.fact("one", tags=("t",), metadata={"n": 1})))[0]
        second = await change(store, first, content="two")
        third = await change(store, second, "archive", status=Status.ARCHIVED)
        await remove(store, third)
        versions = await store.history(first.id)
        assert [item.verb for item in versions] == ["add", "update", "archive", "purge"]
        assert [item.parent for item in versions] == [None, first.revision, second.revision, third.revision]
        assert [item.revision for item in versions][:3] == [first.revision, second.revision, third.revision]
        assert len({item.operation_id for item in versions}) == 4
        assert {item.memory_id for item in versions} == {first.id}
        stored = [first, second, third]
        for version, before, after in zip(versions, [None, *stored], [*stored, None], strict=True):
            for told, was in ((version.before, before), (version.after, after)):
                assert (told is None) == (was is None)
                if told is not None and was is not None:
                    assert type(told) is type(was)
                    assert same_version(told, was)
                    assert told.updated_at == was.updated_at
        assert [item.after.revision for item in versions if item.after] == [item.revision for item in stored]

    @needs("journal")
    async def test_a_version_is_told_as_it_was_stored(self, store: JournalStore) -> None:
        records = [
            builders.note("working", kind="working", key="w", value={"deep": [1, None]}),
            builders.message("said", name="Eve"),
            builders.event("done", participants=("A", "B"), duration=1.5, success=False),
            builders.skill("how", triggers=("x",), steps=("1", "2"), use_count=3),
            builders.preference("tea", category="drinks", expires_at=clock.now() + timedelta(days=1)),
            builders.document("text", title="T", document_id="d", position=2, metadata={"é": [True, 1.5]}),
        ]
        for stored in await put(store, *records):
            (version,) = await store.history(stored.id)
            assert version.before is None
            assert version.after == stored

    @needs("journal")
    async def test_the_log_tells_who_did_what(self, store: JournalStore) -> None:
        moment = datetime(2026, 5, 8, 12, tzinfo=UTC)
        add = Operation(verb="add", actor="ann", session="s-1", started_at=moment)
        first, second = [
            written.record
            for written in await store.commit(add, [Add(builders.fact("1")), Add(builders.event("2"))])
        ]
        update = Operation(verb="update", started_at=moment + timedelta(minutes=1))
        await store.commit(update, [Replace(replace(first, content="one"))])
        undo = Operation(verb="undo", undoes=update.id)
        current = (await store.get([first.id]))[first.id]
        await store.commit(undo, [Replace(replace(first, revision=current.revision), "undo")])
        log = await store.operations()
        assert [operation.id for operation in log] == [undo.id, update.id, add.id]
        assert [
            (operation.verb, operation.actor, operation.session, operation.changes, operation.undone_by)
            for operation in log
        ] == [
            ("undo", None, None, 1, None),
            ("update", None, None, 1, undo.id),
            ("add", "ann", "s-1", 2, None),
        ]
        assert [operation.started_at for operation in log][1:] == [update.started_at, moment]
        assert [operation.id for operation in await store.operations(limit=1)] == [undo.id]
        assert [item.memory_id for item in await store.changes_of(add.id)] == [first.id, second.id]
        assert [item.verb for item in await store.changes_of(undo.id)] == ["undo"]
        assert await store.changes_of("no such operation") == []
        assert await store.history("no such memory") == []

    @needs("journal")
    async def test_what_changed_nothing_is_not_in_the_log(self, store: JournalStore) -> None:
        record = (await put(store, builders.fact("one", tags=("t",))))[0]
        await store.commit(Operation(verb="update"), [Replace(record)])
        await put(store, builders.fact("one"), builders.fact("one", tags=("t",)))
        assert [operation.verb for operation in await store.operations()] == ["add"]
        assert [version.verb for version in await store.history(record.id)] == ["add"]

    @needs("journal")
    async def test_a_key_stores_a_version_in_the_history(self, store: JournalStore) -> None:
        record = (await put(store, builders.fact("Lisbon", key="city")))[0]
        await put(store, builders.fact("Porto", key="city"))
        versions = await store.history(record.id)
        assert [version.after.content for version in versions if version.after] == ["Lisbon", "Porto"]
        assert versions[1].parent == versions[0].revision

    @needs("journal")
    async def test_a_clock_that_is_set_back_reorders_nothing(self, store: JournalStore) -> None:
        moment = datetime(2030, 1, 1, tzinfo=UTC)
        with clock.fixed(moment):
            record = (await put(store, builders.fact("0")))[0]
        for number in range(1, 4):
            with clock.fixed(moment - timedelta(days=number)):
                record = await change(store, record, content=str(number))
        versions = await store.history(record.id)
        assert [version.after.content for version in versions if version.after] == ["0", "1", "2", "3"]
        assert [operation.verb for operation in await store.operations()] == ["update"] * 3 + ["add"]

    @needs("journal")
    async def test_short_term_memory_keeps_one_previous_version(self, store: JournalStore) -> None:
        record = (await put(store, builders.note("1", kind="working", key="step", value=1)))[0]
        for number in (2, 3, 4):
            record = (await put(store, builders.note(str(number), kind="working", key="step", value=number)))[
                0
            ]
        (version,) = await store.history(record.id)
        assert version.before is not None
        assert version.after is not None
        assert (version.before.content, version.after.content) == ("3", "4")
        await put(store, *(builders.note(text, key="other") for text in "abc"))
        other = (await store.select(Where(keys=("other",))))[0]
        (version,) = await store.history(other.id)
        assert version.before is not None
        assert version.before.content == "b"

    @needs("journal")
    async def test_what_is_purged_stays_in_history(self, store: JournalStore) -> None:
        record = (await put(store, builders.fact("gone")))[0]
        await remove(store, record)
        last = (await store.history(record.id))[-1]
        assert (last.verb, last.after) == ("purge", None)
        assert last.before is not None
        assert same_version(last.before, record)

    @needs("journal")
    async def test_of_what_is_erased_nothing_stays(self, store: JournalStore) -> None:
        other = (await put(store, builders.fact("harmless")))[0]
        record = (await put(store, builders.fact("secret one", tags=("secret",))))[0]
        record = await change(store, record, content="secret two")
        erasing = Operation(verb="forget")
        await store.commit(erasing, [Remove(record, erase=True)])
        versions = await store.history(record.id)
        assert [version.verb for version in versions] == ["add", "update", "shred"]
        assert all(version.before is None and version.after is None for version in versions)
        assert [item.verb for item in await store.changes_of(erasing.id)] == ["shred"]
        assert (await store.history(other.id))[0].after == other
        await store.secure_vacuum()
        assert await store.check() == []

    @needs("journal")
    async def test_the_session_goes_with_the_last_text_of_an_operation(self, store: JournalStore) -> None:
        both = [builders.fact("erased first"), builders.fact("erased last")]
        for name, records in (("shared", both), ("river", [builders.fact("stays")])):
            await store.commit(Operation(verb="add", session=name), [Add(item) for item in records])

        async def shred(record_id: str) -> list[str]:
            record = (await store.get([record_id]))[record_id]
            await store.commit(Operation(verb="shred", session="shared"), [Remove(record, erase=True)])
            assert await store.check() == []
            return sorted(operation.session or "" for operation in await store.operations(10))

        assert await shred(both[0].id) == ["", "river", "shared"]
        assert await shred(both[1].id) == ["", "", "", "river"]

    @needs("journal")
    async def test_what_was_purged_is_told_and_can_still_be_erased(self, store: JournalStore) -> None:
        stays, one, two = await put(store, *(builders.fact(text) for text in ("stays", "one", "two")))
        one = await change(store, one, content="secret")
        await remove(store, one)
        await remove(store, two)
        assert [record.content for record in await store.purged()] == ["secret", "two"]
        assert same_version((await store.purged())[0], one)
        with pytest.raises(ConflictError):
            await store.commit(Operation(verb="forget"), [Erase(stays)])
        (written,) = await store.commit(Operation(verb="forget"), [Erase(one)])
        assert (written.id, written.outcome) == (one.id, "removed")
        assert all(
            version.before is None and version.after is None for version in await store.history(one.id)
        )
        assert [record.id for record in await store.purged()] == [two.id]
        await store.commit(Operation(verb="restore"), [Add(two, brought_back=True)])
        assert await store.purged() == []
        assert await store.check() == []

    async def test_accesses_are_counted_and_are_no_change(self, store: Store) -> None:
        moment = datetime(2026, 5, 8, 12, tzinfo=UTC)
        first, second = await put(store, builders.fact("one"), builders.event("two"))
        assert (first.access_count, first.accessed_at) == (0, None)
        with clock.fixed(moment):
            await store.touch([first.id, second.id, "no such memory"])
        with clock.fixed(moment + timedelta(hours=1)):
            await store.touch([first.id])
        await store.touch([])
        records = await store.get([first.id, second.id])
        if not store.capabilities.usage:
            assert records == {first.id: first, second.id: second}
            return
        assert records == {
            first.id: replace(first, access_count=2, accessed_at=moment + timedelta(hours=1)),
            second.id: replace(second, access_count=1, accessed_at=moment),
        }
        assert {record.id: record for record in await store.select(Where())} == records
        if isinstance(store, JournalStore):
            assert len(await store.history(first.id)) == 1
            assert len(await store.operations()) == 1
        changed = await change(store, records[first.id], content="one more")
        assert (changed.access_count, (await store.get([first.id]))[first.id].access_count) == (2, 2)
