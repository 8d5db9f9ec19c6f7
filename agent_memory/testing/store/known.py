"""What is known already: keys and exact duplicates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.errors import ConflictError, ValidationError
from agent_memory.records import ProceduralRecord, Status
from agent_memory.storage.base import Store
from agent_memory.storage.changes import Add, Change, Operation, Remove, Replace, new_id
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import StoreTests, change, everything, ids, put, remove


class KnownTests(StoreTests):
    """What is known already: keys and exact duplicates."""

    # --- keys ----------------------------------------------------------------------------------------------

    async def test_the_key_of_a_memory_stores_a_new_version_of_it(self, store: Store) -> None:
        first = (await put(store, builders.fact("Lisbon", key="city", pinned=True, tags=("a",))))[0]
        written = await store.commit(
            Operation(verb="add"), [Add(builders.fact("Porto", key="city", tags=("b",)))]
        )
        assert [(write.id, write.outcome) for write in written] == [(first.id, "updated")]
        stored = (await everything(store))[first.id]
        assert (stored.content, stored.tags, stored.created_at) == ("Porto", ("b",), first.created_at)
        assert stored.pinned
        assert len(await everything(store)) == 1
        again = await store.commit(Operation(verb="add"), [Add(replace(stored, id=new_id()))])
        assert [(item.id, item.outcome) for item in again] == [(first.id, "unchanged")]

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
        assert len({write.id for write in written}) == 1
        assert [write.outcome for write in written] == ["added", "updated", "updated"]
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
        assert {write.record.key: write.record.content for write in written} == {
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

    async def test_a_new_version_keeps_what_it_does_not_speak_of(self, store: Store) -> None:
        skill = builders.skill(
            "how",
            key="deploy",
            name="deploy",
            tags=("ops",),
            metadata={"n": 1},
            source="book",
            triggers=("ship it",),
            category="ci",
            use_count=3,
            success_count=2,
        )
        first = (await put(store, skill))[0]
        plain = builders.skill("how, better", key="deploy", name="deploy")
        kept = (await put(store, plain))[0]
        assert (kept.id, kept.content) == (first.id, "how, better")
        assert (kept.tags, kept.metadata, kept.source) == (("ops",), {"n": 1}, "book")
        assert isinstance(kept, ProceduralRecord)
        assert (kept.triggers, kept.category, kept.use_count) == (("ship it",), "ci", 3)
        said = builders.skill("how", key="deploy", name="deploy", tags=("x",), triggers=("go",))
        other = (await put(store, said))[0]
        assert isinstance(other, ProceduralRecord)
        assert (other.tags, other.triggers, other.success_count) == (("x",), ("go",), 2)

    # --- duplicates ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("make", [builders.fact, builders.preference, builders.document, builders.skill])
    async def test_exact_duplicates_are_one_memory(self, store: Store, make: Any) -> None:
        first = (await put(store, make("the  same text", tags=("b",))))[0]
        written = await store.commit(
            Operation(verb="add"), [Add(make("the same\ntext", tags=("a",), importance=1.0))]
        )
        assert [(write.id, write.outcome) for write in written] == [(first.id, "known")]
        assert await everything(store) == {first.id: written[0].record}
        merged = written[0].record
        assert (merged.tags, merged.content, merged.importance) == (
            ("a", "b"),
            "the  same text",
            1.0,
        )
        assert set(written[0].changed) == {"tags", "importance"}
        again = await store.commit(Operation(verb="add"), [Add(make("the same text", tags=("b",)))])
        assert [(item.id, item.outcome, item.record) for item in again] == [(first.id, "known", merged)]
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
        assert len({write.id for write in written}) == 1
        assert [write.outcome for write in written] == ["added", "known", "known", "known"]
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

    async def test_a_forced_duplicate_stands_for_the_one_that_goes(self, store: Store) -> None:
        first = (await put(store, builders.fact("the same")))[0]
        second = (await put(store, builders.fact("the same"), even_if_known=True))[0]
        changes: list[Change] = [Remove(first), Add(builders.fact("the same"))]
        written = await store.commit(Operation(verb="tidy"), changes)
        assert [(write.id, write.outcome) for write in written] == [
            (first.id, "removed"),
            (second.id, "known"),
        ]
        assert list(await everything(store)) == [second.id]

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

    async def test_a_duplicate_ends_when_the_last_one_to_say_so_said_and_stays_pinned(
        self, store: Store
    ) -> None:
        soon, late = clock.now() + timedelta(hours=1), clock.now() + timedelta(days=1)
        first = (await put(store, builders.fact("the same", expires_at=soon)))[0]
        merged = (await put(store, builders.fact("the same", expires_at=late, pinned=True)))[0]
        assert (merged.id, merged.expires_at, merged.pinned) == (first.id, late, True)
        merged = (await put(store, builders.fact("the same")))[0]
        assert (merged.expires_at, merged.pinned) == (late, True)
        merged = (await put(store, builders.fact("the same", expires_at=soon)))[0]
        assert (merged.id, merged.expires_at) == (first.id, soon)
        # What is over already ends nothing: it is a memory of its own.
        over = (await put(store, builders.fact("the same", expires_at=clock.now() - timedelta(hours=1))))[0]
        assert over.id != first.id
        assert (await everything(store))[first.id].expires_at == soon

    async def test_what_comes_with_a_known_fact_is_taken_over(self, store: Store) -> None:
        happened = datetime(2026, 1, 2, tzinfo=UTC)
        first = (await put(store, builders.fact("the same", metadata={"env": "dev", "by": "ann"})))[0]
        fact = builders.fact(
            "the same",
            metadata={"env": "prod", "n": 1},
            source="log",
            importance=0.9,
            occurred_at=happened,
            utc_offset=3600,
        )
        (written,) = await store.commit(Operation(verb="add"), [Add(fact)])
        assert (written.id, written.outcome) == (first.id, "known")
        assert set(written.changed) == {"metadata", "source", "importance", "occurred_at"}
        stored = (await everything(store))[first.id]
        assert stored.metadata == {"env": "prod", "n": 1, "by": "ann"}
        assert (stored.source, stored.importance) == ("log", 0.9)
        assert (stored.occurred_at, stored.utc_offset) == (happened, 3600)
        (again,) = await store.commit(Operation(verb="add"), [Add(replace(fact, id=new_id()))])
        assert (again.outcome, again.changed, again.record) == ("known", (), stored)

    async def test_only_what_was_named_is_taken_over_and_a_default_is_not(self, store: Store) -> None:
        first = (await put(store, builders.fact("the same", importance=0.9, source="log")))[0]
        default = Add(builders.fact("the same", importance=0.7), given_fields=frozenset({"tags"}))
        (written,) = await store.commit(Operation(verb="add"), [default])
        assert (written.outcome, written.changed) == ("known", ())
        assert written.record.importance == 0.9
        named = Add(builders.fact("the same", importance=0.5), given_fields=frozenset({"importance"}))
        (written,) = await store.commit(Operation(verb="add"), [named])
        assert (written.id, written.changed, written.record.importance) == (first.id, ("importance",), 0.5)
        assert written.record.source == "log"

    async def test_the_triggers_of_a_known_skill_are_united(self, store: Store) -> None:
        await put(store, builders.skill("how", name="deploy", triggers=("ship it", "release")))
        (stored,) = await put(store, builders.skill("how", name="deploy", triggers=("go live", "ship it")))
        assert isinstance(stored, ProceduralRecord)
        assert stored.triggers == ("ship it", "release", "go live")

    async def test_a_session_that_was_named_makes_a_fact_one_of_its_own(self, store: Store) -> None:
        plain = (await put(store, builders.fact("the same", session="ann")))[0]
        named = builders.fact("the same", session="ann", session_given=True)
        own = (await put(store, named))[0]
        other = (await put(store, builders.fact("the same", session="bob", session_given=True)))[0]
        assert len({plain.id, own.id, other.id}) == 3
        assert (await put(store, replace(named, id=new_id())))[0].id == own.id
        assert (await put(store, builders.fact("the same", session="somebody")))[0].id == plain.id
        assert (await everything(store))[plain.id].session == "ann"
        assert ids(await store.select(Where(sessions=("bob",)))) == [other.id]

    async def test_a_new_version_under_a_key_keeps_what_was_not_given(self, store: Store) -> None:
        late, happened = clock.now() + timedelta(days=1), datetime(2026, 1, 2, tzinfo=UTC)
        first = (
            await put(
                store,
                builders.fact(
                    "Lisbon",
                    key="city",
                    importance=0.9,
                    expires_at=late,
                    ttl_given=True,
                    occurred_at=happened,
                    utc_offset=-3600,
                    session="ann",
                    session_given=True,
                ),
            )
        )[0]
        kept = (await put(store, builders.fact("Porto", key="city")))[0]
        assert (kept.id, kept.content, kept.importance) == (first.id, "Porto", 0.9)
        assert (kept.expires_at, kept.ttl_given) == (late, True)
        assert (kept.occurred_at, kept.utc_offset) == (happened, -3600)
        assert (kept.session, kept.session_given) == ("ann", True)
        ended = Add(
            builders.fact("Faro", key="city", importance=0.5, ttl_given=True),
            given_fields=frozenset({"importance", "expires_at"}),
        )
        (written,) = await store.commit(Operation(verb="add"), [ended])
        assert (written.record.importance, written.record.expires_at) == (0.5, None)

    async def test_a_new_version_of_another_kind_keeps_what_every_memory_has(self, store: Store) -> None:
        skill = builders.skill(
            "how", key="deploy", name="deploy", importance=0.9, tags=("ops",), metadata={"n": 1}, source="book",
            triggers=("ship it",), use_count=3, success_count=2,
        )  # fmt: skip
        await put(store, skill)
        workflow = builders.skill("1. pull", key="deploy", name="deploy", kind="workflow", steps=("pull",))
        (kept,) = await put(store, workflow)
        assert isinstance(kept, ProceduralRecord)
        assert (kept.kind, kept.steps, kept.triggers) == ("workflow", ("pull",), ())
        assert (kept.importance, kept.tags, kept.metadata, kept.source) == (0.9, ("ops",), {"n": 1}, "book")
        assert (kept.use_count, kept.success_count) == (3, 2)

    async def test_a_new_version_of_a_message_stays_in_its_conversation(self, store: Store) -> None:
        message = builders.message("hello", key="greeting", conversation_id="lake", session="lake")
        (first,) = await put(store, message)
        elsewhere = builders.message("hi", key="greeting", conversation_id="sea", session="sea")
        (written,) = await store.commit(Operation(verb="add"), [Add(elsewhere, given_fields=frozenset())])
        stored: Any = written.record
        assert (stored.id, stored.content, stored.conversation_id, stored.session, stored.position) == (
            *(first.id, "hi", "lake", "lake", 0),
        )
        moved = Add(replace(elsewhere, id=new_id()), given_fields=frozenset({"conversation_id", "session"}))
        (written,) = await store.commit(Operation(verb="add"), [moved])
        moved_to: Any = written.record
        assert (moved_to.id, moved_to.conversation_id, moved_to.session) == (first.id, "sea", "sea")

    async def test_a_default_time_to_live_starts_anew_with_each_version(self, store: Store) -> None:
        soon, late = clock.now() + timedelta(minutes=5), clock.now() + timedelta(hours=1)
        await put(store, builders.note("one", key="step", expires_at=soon))
        again = Add(builders.note("two", key="step", expires_at=late), given_fields=frozenset())
        (written,) = await store.commit(Operation(verb="add"), [again])
        assert written.record.expires_at == late
        await put(store, builders.note("three", key="step", expires_at=soon, ttl_given=True))
        (written,) = await store.commit(
            Operation(verb="add"), [replace(again, record=replace(again.record, id=new_id()))]
        )
        assert (written.record.content, written.record.expires_at) == ("two", soon)

    # --- what comes back -----------------------------------------------------------------------------------

    async def test_what_comes_back_is_never_another_memory(self, store: Store) -> None:
        tombstoned = (await put(store, builders.fact("old", key="editor")))[0]
        duplicate = (await put(store, builders.event("the same"), builders.fact("the same")))[1]
        await remove(store, tombstoned)
        holder = (await put(store, builders.fact("new", key="editor")))[0]
        with pytest.raises(ValidationError, match="editor"):
            await store.commit(Operation(verb="restore"), [Add(tombstoned, brought_back=True)])
        assert (await everything(store))[holder.id].content == "new"
        await remove(store, duplicate)
        again = (await put(store, builders.fact("the same")))[0]
        (written,) = await store.commit(Operation(verb="restore"), [Add(duplicate, brought_back=True)])
        assert (written.id, written.outcome) == (duplicate.id, "added")
        assert {again.id, duplicate.id} <= (await everything(store)).keys()
        with pytest.raises(ConflictError):
            await store.commit(Operation(verb="restore"), [Add(duplicate, brought_back=True)])
