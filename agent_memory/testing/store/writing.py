"""What a commit does, and what it leaves alone."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, ConflictError, ValidationError
from agent_memory.records import MemoryRecord, Status
from agent_memory.storage.base import Order, Store
from agent_memory.storage.changes import Add, Change, Operation, Remove, Replace, new_id
from agent_memory.storage.where import Where
from agent_memory.testing import builders, strategies
from agent_memory.testing.store.support import (
    EVERYTHING,
    StoreFactory,
    StoreTests,
    change,
    everything,
    examples,
    ids,
    opened,
    put,
    remove,
)

_LATER = datetime(2031, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
_FULL: dict[str, Any] = {
    "importance": 0.123456789,
    "created_at": datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC),
    "updated_at": datetime(2025, 2, 28, 23, 0, 0, 1, tzinfo=UTC),
    "occurred_at": datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    "expires_at": _LATER,
    "metadata": {
        "lang": "de",
        "stars": 3,
        "ratio": 0.1,
        "yes": True,
        "none": None,
        "deep": {"list": [1, "x", {}]},
    },
    "tags": ("a", "größe", "日本"),
    "key": "the key",
    "source": "https://example.org/?q=1&r='2'",
    "session": "session 1",
    "pinned": True,
}
_SAMPLES: dict[str, MemoryRecord] = {
    "note": builders.note(kind="working", context_type="task", value={"step": [1, 2.5, None, "é"]}, **_FULL),
    "fact": builders.fact(category="home", superseded_by=new_id(), **_FULL),
    "preference": builders.preference(**_FULL),
    "message": builders.message(role="assistant", name="Eve", position=7, **{**_FULL, "session": "chat-1"}),
    "summary": builders.message(kind="summary", **{**_FULL, "session": "chat-1"}),
    "event": builders.event(
        event_type="deploy",
        outcome="worked",
        success=False,
        participants=("Ann", "Bo, the 2nd"),
        location="Zürich",
        duration=0.25,
        **_FULL,
    ),
    "document": builders.document(document_id=new_id(), title="Python", position=0, **_FULL),
    "skill": builders.skill(
        kind="workflow",
        category="ops",
        triggers=("429", "rate limit"),
        steps=("wait", "try again"),
        use_count=12,
        success_count=11,
        last_used_at=clock.to_text(_LATER),
        **_FULL,
    ),
    "bare note": builders.note(),
    "bare fact": builders.fact(),
    "bare message": builders.message(),
    "bare event": builders.event(),
    "bare document": builders.document(),
    "bare skill": builders.skill(),
    "archived": builders.fact(status=Status.ARCHIVED),
    "superseded": builders.fact(status=Status.SUPERSEDED, superseded_by=new_id()),
    "no importance": builders.event(importance=0.0, duration=0.0, success=True),
    "false and nothing": builders.note(
        kind="working", value=False, metadata={"a": False, "b": 0, "c": "", "d": []}
    ),
}
_TEXTS = {
    "emoji": "👩‍👩‍👧‍👦 at the 🏖️, flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "line ends": "one\r\ntwo\rthree\n\n\tfour\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029five ",
    "controls": "bell \x07 escape \x1b[31m delete \x7f",
    "quotes": "'; drop table memory; -- \" ` \\ %_*",
    "combining": "e\u0301 is not é, A\u030a is not Å",
    "right to left": "שלום \u202eעולם\u202c مرحبا",
    "unassigned": "\u0378 \ufffe \uffff \U0010ffff \ue000",
    "byte order mark": "\ufefftext\ufeff",
    "markup": "<b>&amp;</b> {{x}} ${y} [red]z[/red]",
    "chinese": "今天天气很好",
    "one letter": "a",
    "punctuation": "?!…",
    "very long": "All work and no play makes Jack a dull boy. " * 25_000,
    "one long word": "x" * 100_000,
}


class WritingTests(StoreTests):
    """What a commit does, and what it leaves alone."""

    # --- what goes in comes out ----------------------------------------------------------------------------

    @pytest.mark.parametrize("name", _SAMPLES)
    async def test_every_field_of_every_type_comes_back(self, store: Store, name: str) -> None:
        given_record = _SAMPLES[name]
        stored = (await put(store, given_record))[0]
        for source in (stored, (await store.get([given_record.id]))[given_record.id]):
            assert type(source) is type(given_record)
            for each in fields(given_record):
                if each.name in ("agent_id", "revision"):
                    continue
                expected, actual = getattr(given_record, each.name), getattr(source, each.name)
                if each.name == "position" and name == "bare message":
                    expected = 0
                assert actual == expected, each.name
                assert type(actual) is type(expected), each.name
            assert source.agent_id == store.agent_id
            assert len(source.revision) == 20
        assert await everything(store) == {stored.id: stored}

    @pytest.mark.parametrize("name", _TEXTS)
    async def test_any_text_comes_back_letter_for_letter(self, store: Store, name: str) -> None:
        text = _TEXTS[name]
        short = text[:200].strip()
        record = builders.event(
            text,
            metadata={short: text, "list": [text]},
            tags=(short,),
            key=short,
            source=short,
            session=short,
            event_type=short,
            participants=(short, "b"),
        )
        await put(store, record)
        found = (await store.get([record.id]))[record.id]
        assert found == replace(record, agent_id=found.agent_id, revision=found.revision)
        assert ids(await store.select(Where(tags_any=(short,), keys=(short,), sources=(short,)))) == [
            record.id
        ]

    async def test_big_metadata_comes_back(self, store: Store) -> None:
        metadata = {f"key {number}": {"list": list(range(20)), "text": "é" * 50} for number in range(2_000)}
        record = builders.fact(metadata=metadata)
        await put(store, record)
        assert (await store.get([record.id]))[record.id].metadata == metadata

    @examples
    @given(record=strategies.records(content=strategies.texts))
    async def test_whatever_is_stored_comes_back(
        self, store_factory: StoreFactory, anyio_backend: object, record: MemoryRecord
    ) -> None:
        with clock.fixed(strategies.NOW):
            async with opened(store_factory, f"agent {new_id()}") as fresh:
                stored = (await put(fresh, record))[0]
                found = await fresh.get([record.id])
                assert found == {record.id: stored}
                position = {"position": stored.position} if hasattr(stored, "position") else {}
                own = {"agent_id": stored.agent_id, "revision": stored.revision}
                assert stored == replace(record, **own, **position)
                assert await fresh.check() == []

    async def test_changing_what_was_given_or_got_changes_nothing_stored(self, store: Store) -> None:
        metadata: dict[str, Any] = {"list": [1]}
        value: dict[str, Any] = {"deep": [1]}
        record = builders.note(metadata=metadata, value=value)
        await put(store, record)
        metadata["list"].append(2)
        value["deep"].append(2)
        for _ in range(2):
            got: Any = (await store.get([record.id]))[record.id]
            listed: Any = (await store.select(Where()))[0]
            for source in (got, listed):
                assert (source.metadata, source.value) == ({"list": [1]}, {"deep": [1]})
                source.metadata["list"].append(3)
                source.value["deep"].append(3)

    async def test_many_at_once_stay_in_order(self, store: Store) -> None:
        moment = clock.now()
        records = [builders.event(f"event {number}", created_at=moment) for number in range(1_500)]
        assert ids(await put(store, *records)) == ids(records)
        assert ids(await store.select(Where(), Order("created", descending=False))) == ids(records)

    async def test_nothing_to_write_writes_nothing(self, store: Store) -> None:
        assert await store.commit(Operation(verb="add"), []) == []
        assert await everything(store) == {}
        if store.capabilities.journal:
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
        assert [(each.id, each.outcome) for each in written] == [(first.id, "updated")]
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
        assert [each.outcome for each in written] == ["unchanged"]
        assert await everything(store) == {first.id: first}
        second = await change(store, first, metadata={"flag": 1})
        assert second.revision != first.revision
        found: Any = (await store.get([first.id]))[first.id]
        assert found.metadata["flag"] is not True
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
        for gone in (Replace(replace(fresh, content="four")), Remove(fresh)):
            with pytest.raises(ConflictError, match=stale.id):
                await store.commit(Operation(verb="update"), [gone])
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
            if store.capabilities.journal:
                assert len(await store.operations()) == 3
            if store.capabilities.full_text:
                assert await store.by_words(["new"], EVERYTHING, 5) == []
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

    # --- keys ----------------------------------------------------------------------------------------------

    async def test_the_key_of_a_memory_stores_a_new_version_of_it(self, store: Store) -> None:
        first = (await put(store, builders.fact("Lisbon", key="city", pinned=True, tags=("a",))))[0]
        written = await store.commit(
            Operation(verb="add"), [Add(builders.fact("Porto", key="city", tags=("b",)))]
        )
        assert [(each.id, each.outcome) for each in written] == [(first.id, "updated")]
        stored = (await everything(store))[first.id]
        assert (stored.content, stored.tags, stored.created_at) == ("Porto", ("b",), first.created_at)
        assert stored.pinned
        assert len(await everything(store)) == 1
        again = await store.commit(Operation(verb="add"), [Add(replace(stored, id=new_id()))])
        assert [(each.id, each.outcome) for each in again] == [(first.id, "unchanged")]

    async def test_a_key_belongs_to_one_type(self, store: Store) -> None:
        records = [builders.fact(key="k"), builders.event(key="k"), builders.skill(key="k")]
        stored = await put(store, *records)
        assert ids(stored) == ids(records)
        assert len(await store.select(Where(keys=("k",)))) == 3

    async def test_a_key_twice_in_one_commit_is_two_versions(self, store: Store) -> None:
        written = await store.commit(
            Operation(verb="add"),
            [Add(builders.fact(text, key="city")) for text in ("Lisbon", "Porto", "Faro")],
        )
        assert len({each.id for each in written}) == 1
        assert [each.outcome for each in written] == ["added", "updated", "updated"]
        assert [record.content for record in (await everything(store)).values()] == ["Faro"]

    async def test_the_key_of_a_memory_that_was_put_away_is_free(self, store: Store) -> None:
        first = (await put(store, builders.fact("Lisbon", key="city")))[0]
        archived = await change(store, first, "archive", status=Status.ARCHIVED)
        second = (await put(store, builders.fact("Porto", key="city")))[0]
        assert second.id != first.id
        before = await everything(store)
        with pytest.raises(ValidationError, match="city"):
            await change(store, archived, "restore", status=Status.ACTIVE)
        assert await everything(store) == before
        await remove(store, second)
        assert (await change(store, archived, "restore", status=Status.ACTIVE)).content == "Lisbon"

    async def test_a_put_away_memory_with_a_key_is_stored_beside_the_active_one(self, store: Store) -> None:
        active = (await put(store, builders.fact("Lisbon", key="city")))[0]
        archived = (await put(store, builders.fact("Porto", key="city", status=Status.ARCHIVED)))[0]
        assert archived.id != active.id
        assert (await everything(store))[active.id] == active

    async def test_a_key_passes_from_one_memory_to_another(self, store: Store) -> None:
        first, second = await put(store, builders.fact("one", key="k"), builders.fact("two", key="l"))
        changes: list[Change] = [
            Replace(replace(first, key="m")),
            Replace(replace(second, key="k")),
            Add(builders.fact("3", key="l")),
        ]
        written = await store.commit(Operation(verb="update"), changes)
        assert {each.record.key: each.record.content for each in written} == {
            "m": "one",
            "k": "two",
            "l": "3",
        }
        with pytest.raises(ValidationError, match="'k'"):
            await change(store, written[0].record, key="k")

    async def test_the_key_of_an_expired_memory_begins_anew(self, store: Store) -> None:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        old = builders.note("old", key="step", created_at=long_ago, expires_at=long_ago + timedelta(hours=1))
        await put(store, old)
        new = (await put(store, builders.note("new", key="step")))[0]
        assert new.id == old.id
        assert new.created_at > long_ago
        assert new.expires_at is None
        assert ids(await store.select(Where())) == [old.id]

    # --- duplicates ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("make", [builders.fact, builders.preference, builders.document, builders.skill])
    async def test_exact_duplicates_are_one_memory(self, store: Store, make: Any) -> None:
        first = (await put(store, make("the  same text", tags=("b",))))[0]
        written = await store.commit(
            Operation(verb="add"), [Add(make("the same\ntext", tags=("a",), importance=1.0))]
        )
        assert [(each.id, each.outcome) for each in written] == [(first.id, "known")]
        assert await everything(store) == {first.id: written[0].record}
        merged = written[0].record
        assert (merged.tags, merged.content, merged.importance) == (
            ("a", "b"),
            "the  same text",
            first.importance,
        )
        again = await store.commit(Operation(verb="add"), [Add(make("the same text", tags=("b",)))])
        assert [(each.id, each.outcome, each.record) for each in again] == [(first.id, "known", merged)]
        assert len(ids(await put(store, make("The same text")))) == 1
        assert len(await everything(store)) == 2

    @pytest.mark.parametrize("make", [builders.event, builders.message, builders.note])
    async def test_events_messages_and_notes_are_never_duplicates(self, store: Store, make: Any) -> None:
        stored = await put(store, make("the same text"), make("the same text"))
        stored += await put(store, make("the same text"))
        assert len(set(ids(stored))) == 3
        assert len(await everything(store)) == 3

    async def test_duplicates_within_one_commit_are_one_memory(self, store: Store) -> None:
        written = await store.commit(
            Operation(verb="add"), [Add(builders.fact("the same", tags=(tag,))) for tag in "abca"]
        )
        assert len({each.id for each in written}) == 1
        assert [each.outcome for each in written] == ["added", "known", "known", "known"]
        assert [record.tags for record in (await everything(store)).values()] == [("a", "b", "c")]
        await put(store, *(builders.fact("the same", tags=(tag,)) for tag in "xyz"))
        assert [record.tags for record in (await everything(store)).values()] == [
            ("a", "b", "c", "x", "y", "z")
        ]

    async def test_a_duplicate_can_be_forced(self, store: Store) -> None:
        first = (await put(store, builders.fact("the same")))[0]
        second = (await put(store, builders.fact("the same"), even_if_known=True))[0]
        assert second.id != first.id
        third = (await put(store, builders.fact("the same")))[0]
        assert third.id in (first.id, second.id)
        assert len(await everything(store)) == 2

    async def test_what_tells_memories_apart_makes_them_no_duplicates(self, store: Store) -> None:
        records = [
            builders.preference("yes", category="coffee"),
            builders.preference("yes", category="tea"),
            builders.fact("yes"),
            builders.fact("yes", key="answer"),
            builders.document("yes"),
            builders.document("yes", document_id="d", position=0),
            builders.document("yes", document_id="d", position=1),
            builders.skill("yes", name="one"),
            builders.skill("yes", name="two"),
        ]
        assert ids(await put(store, *records)) == ids(records)

    async def test_a_twin_that_was_put_away_or_expired_is_not_revived(self, store: Store) -> None:
        archived = (await put(store, builders.fact("the same")))[0]
        await change(store, archived, "archive", status=Status.ARCHIVED)
        expired = builders.fact("the same", expires_at=clock.now() - timedelta(seconds=1))
        await put(store, expired, even_if_known=True)
        new = (await put(store, builders.fact("the same")))[0]
        assert new.id not in (archived.id, expired.id)
        assert (await everything(store))[archived.id].status is Status.ARCHIVED
        assert ids(await store.select(Where())) == [new.id]
        put_away = (await put(store, builders.fact("the same", status=Status.ARCHIVED)))[0]
        assert put_away.id not in (new.id, archived.id)

    # --- messages ------------------------------------------------------------------------------------------

    async def test_messages_get_their_positions(self, store: Store) -> None:
        first = await put(store, *(builders.message(text) for text in "abc"))
        other = await put(store, builders.message("x", conversation_id="chat-2"), builders.message("d"))
        assert [record.position for record in [*first, *other]] == [0, 1, 2, 0, 3]
        await change(store, other[1], "archive", status=Status.ARCHIVED)
        summary = builders.message("so far", kind="summary")
        assert [record.position for record in await put(store, summary, builders.message("e"))] == [None, 4]
        far = await put(store, builders.message("f", position=10), builders.message("g"))
        assert [record.position for record in far] == [10, 11]

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
        if store.capabilities.full_text:
            assert await store.by_words(["apples"], Where(), 5) == []
        restored = await change(store, archived, "restore", status=Status.ACTIVE)
        assert await store.select(Where()) == [restored]
        assert replace(restored, revision="", updated_at=record.updated_at) == replace(record, revision="")
        if store.capabilities.full_text:
            assert len(await store.by_words(["apples"], Where(), 5)) == 1

    @pytest.mark.parametrize("erase", [False, True])
    async def test_what_is_removed_is_gone(self, store: Store, erase: bool) -> None:
        kept, record = await put(store, builders.event("stays"), builders.fact("goes", key="k", tags=("t",)))
        await store.touch([record.id])
        record = (await store.get([record.id]))[record.id]
        written = await remove(store, record, erase=erase)
        assert [(each.id, each.outcome, each.record) for each in written] == [(record.id, "removed", record)]
        assert ids((await everything(store)).values()) == [kept.id]
        assert await store.get([record.id]) == {}
        for reference in (record.id, record.id[:10], "k"):
            with pytest.raises(LookupError):
                await store.resolve(reference)
        if store.capabilities.full_text:
            assert await store.by_words(["goes"], EVERYTHING, 5) == []
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
        assert [each.outcome for each in written] == ["removed", "added"]
        assert [each.content for each in (await everything(store)).values()] == ["after"]
        new = builders.event("never seen")
        with pytest.raises(AgentMemoryError):
            await store.commit(Operation(verb="odd"), [Add(new), Remove(new)])
