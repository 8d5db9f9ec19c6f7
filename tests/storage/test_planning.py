"""What a write means, compared with a model that takes one change at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import clock
from agent_memory.errors import AgentMemoryError, ConflictError, ValidationError
from agent_memory.records import MemoryRecord, MemoryType, Status, same_version, version_from_dict
from agent_memory.storage import planning
from agent_memory.storage.changes import (
    Add,
    Change,
    Erase,
    JournalEntry,
    Operation,
    Plan,
    Remove,
    Replace,
)
from agent_memory.testing import builders
from agent_memory.text.templates import content_hash

NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)
PAST = NOW - timedelta(days=1)


@dataclass
class Shelf:
    """The least that a plan can be carried out on."""

    records: dict[str, MemoryRecord] = field(default_factory=dict)
    journal: list[JournalEntry] = field(default_factory=list)
    tombstoned: dict[str, MemoryRecord] = field(default_factory=dict)
    """The last versions of what was taken out, also of what is back again."""

    def facts(self, needs: planning.Needs) -> planning.State:
        state = planning.State(last_hlc=self.journal[-1].hlc if self.journal else 0)
        for record in self.records.values():
            active = record.status is Status.ACTIVE
            key = (record.memory_type, record.key or "")
            if record.id in needs.ids:
                state.records[record.id] = record
            if active and not record.expired(NOW) and content_hash(record) in needs.hashes:
                state.by_hash.setdefault(content_hash(record), record.id)
                state.records[record.id] = record
            if active and record.key is not None and key in needs.keys:
                state.by_key[key] = record.id
                state.records[record.id] = record
            conversation = getattr(record, "conversation_id", None)
            if conversation in needs.conversations and record.position is not None:  # type: ignore[attr-defined]
                last = state.last_position.get(conversation, -1)
                state.last_position[conversation] = max(last, record.position)  # type: ignore[attr-defined]
        return state

    def commit(self, *changes: Change, operation: Operation | None = None) -> Plan:
        operation = operation or Operation(verb="test", started_at=NOW)
        plan = planning.plan(operation, changes, self.facts(planning.needs(changes)), "tester")
        for record in plan.removes:
            self.tombstoned[record.id] = self.records.pop(record.id)
        for before, after in plan.replaces:
            assert self.records[before.id] == before
            self.records[after.id] = after
        for record in plan.inserts:
            assert record.id not in self.records
            self.records[record.id] = record
        self.journal += plan.journal
        return plan


@pytest.fixture
def contents() -> Shelf:
    return Shelf()


# --- the model ---------------------------------------------------------------------------------------------------


class Model:
    """The meaning of the changes, one after the other, on nothing but a dict."""

    def __init__(self, records: dict[str, MemoryRecord]) -> None:
        self.records = dict(records)
        self.positions: dict[str, int] = {}
        for record in records.values():
            self._see_position(record)

    def _see_position(self, record: Any) -> None:
        if record.memory_type is MemoryType.CONVERSATION and record.position is not None:
            last = self.positions.get(record.conversation_id, -1)
            self.positions[record.conversation_id] = max(last, record.position)

    def apply_all(self, changes: list[Change]) -> None:
        for change in changes:
            twins = self.twins(change.record)
            self.apply(change, twins[0].id if twins else "")

    def apply(self, change: Change, chosen: str) -> tuple[str, str]:
        """Return the id and outcome; `chosen` says which of several duplicates the plan took."""
        if isinstance(change, Add):
            return self._add(change, chosen)
        if isinstance(change, Erase):
            if change.record.id in self.records:
                raise ConflictError(change.record.id)
            return change.record.id, "removed"
        current = self.records.get(change.record.id)
        if current is None or current.revision != change.record.revision:
            raise ConflictError(change.record.id)
        if isinstance(change, Remove):
            del self.records[current.id]
            return current.id, "removed"
        return self._version(current, change.record)

    def _add(self, change: Add, chosen: str) -> tuple[str, str]:
        record: Any = change.record
        active = [item for item in self.records.values() if item.status is Status.ACTIVE]
        if change.brought_back:
            if record.status is Status.ACTIVE and record.key is not None:
                for holder in active:
                    same = (holder.memory_type, holder.key) == (record.memory_type, record.key)
                    if same and holder.id != record.id:
                        raise ValidationError("taken")
        elif record.status is Status.ACTIVE and record.key is not None:
            for holder in active:
                if (holder.memory_type, holder.key) == (record.memory_type, record.key):
                    over = holder.expired(NOW)
                    ends = holder.memory_type is not MemoryType.SHORT_TERM and not over
                    after = replace(
                        record,
                        id=holder.id,
                        created_at=record.created_at if over else holder.created_at,
                        pinned=holder.pinned or record.pinned,
                        tags=record.tags or holder.tags,
                        importance=holder.importance if record.importance == 0.5 else record.importance,
                        expires_at=record.expires_at or (holder.expires_at if ends else None),
                    )
                    if record.memory_type is MemoryType.CONVERSATION:
                        after = replace(after, position=self._place_of_version(holder, after))
                    return self._version(holder, after)
        elif (
            record.status is Status.ACTIVE
            and not change.even_if_known
            and record.descriptor.deduplicated
            and not record.expired(NOW)
        ):
            twins = self.twins(record)
            if twins:
                known = next(twin for twin in twins if twin.id == chosen)
                merged = replace(
                    known,
                    tags=tuple(sorted({*known.tags, *record.tags})),
                    pinned=known.pinned or record.pinned,
                    importance=known.importance if record.importance == 0.5 else record.importance,
                    expires_at=record.expires_at or known.expires_at,
                )
                if merged != known:
                    self._store(merged)
                return known.id, "known"
        if record.id in self.records:
            raise ConflictError(record.id)
        if record.memory_type is MemoryType.CONVERSATION and record.position is None:
            record = replace(record, position=self.positions.get(record.conversation_id, -1) + 1)
        self._see_position(record)
        self._store(record)
        return record.id, "added"

    def twins(self, record: MemoryRecord) -> list[MemoryRecord]:
        digest = content_hash(record)
        return [
            item
            for item in self.records.values()
            if item.status is Status.ACTIVE and not item.expired(NOW) and content_hash(item) == digest
        ]

    def _place_of_version(self, before: Any, after: Any) -> int:
        if after.conversation_id == before.conversation_id:
            return int(before.position)
        self.positions[after.conversation_id] = self.positions.get(after.conversation_id, -1) + 1
        return self.positions[after.conversation_id]

    def _version(self, before: MemoryRecord, after: MemoryRecord) -> tuple[str, str]:
        if same_version(before, after):
            return before.id, "unchanged"
        if after.status is Status.ACTIVE and after.key is not None:
            for other in self.records.values():
                if (
                    other.id != after.id
                    and other.status is Status.ACTIVE
                    and (other.memory_type, other.key) == (after.memory_type, after.key)
                ):
                    raise ValidationError("taken")
        self._store(after)
        return before.id, "updated"

    def _store(self, record: MemoryRecord) -> None:
        # Whatever is stored anew is not what anybody has read before.
        self.records[record.id] = replace(record, revision="changed")


def said(record: MemoryRecord) -> MemoryRecord:
    """Leave out of a record what the plan alone decides."""
    return replace(record, revision="", agent_id="", updated_at=NOW)


_texts = st.sampled_from(["one", "two"])
_keys = st.sampled_from([None, None, "k", "l"])
_statuses = st.sampled_from([Status.ACTIVE, Status.ACTIVE, Status.ACTIVE, Status.ARCHIVED])
_makers: Any = st.sampled_from(
    [builders.fact, builders.fact, builders.note, builders.message, builders.event]
)
_added = st.builds(
    lambda make, text, key, tags, status, expires_at, pinned, force, far: (
        "add",
        make,
        {
            "content": text,
            "key": key,
            "tags": tuple(sorted(tags)),
            "status": status,
            "expires_at": expires_at,
            "pinned": pinned,
            **({"conversation_id": "far"} if far and make is builders.message else {}),
        },
        force,
    ),
    _makers,
    _texts,
    _keys,
    st.sets(st.sampled_from("ab")),
    _statuses,
    st.sampled_from([None, None, None, PAST, NOW + timedelta(days=1), NOW + timedelta(days=2)]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
_edits = st.fixed_dictionaries(
    {},
    optional={
        "content": _texts,
        "key": _keys,
        "status": _statuses,
        "importance": st.sampled_from([0.5, 1.0]),
    },
)
_replaced = st.tuples(st.just("replace"), st.integers(0, 9), _edits)
_removed = st.tuples(st.just("remove"), st.integers(0, 9), st.booleans())
_returned = st.tuples(st.sampled_from(["bring back", "erase"]), st.integers(0, 9), st.booleans())
_commits = st.lists(
    st.lists(_added | _replaced | _removed | _returned, min_size=1, max_size=5), min_size=1, max_size=8
)


def _changes(contents: Shelf, actions: list[Any]) -> list[Change]:
    there = list(contents.records.values())
    changes: list[Change] = []
    for action in actions:
        if action[0] == "add":
            _, make, fields, force = action
            changes.append(Add(make(created_at=NOW, **fields), even_if_known=force))
        elif action[0] in ("bring back", "erase"):
            tombstoned = [
                item for item in contents.tombstoned.values() if action[2] or item.id not in contents.records
            ]
            if tombstoned:
                record = tombstoned[action[1] % len(tombstoned)]
                changes.append(Erase(record) if action[0] == "erase" else Add(record, brought_back=True))
        elif there:
            record = there[action[1] % len(there)]
            if action[0] == "remove":
                changes.append(Remove(record, erase=action[2]))
            else:
                changes.append(Replace(replace(record, **action[2]), "update"))
    return changes


@settings(max_examples=100, deadline=None)
@given(commits=_commits)
def test_a_plan_means_what_its_changes_mean_one_by_one(commits: list[list[Any]]) -> None:
    contents = Shelf()
    with clock.fixed(NOW):
        for actions in commits:
            changes = _changes(contents, actions)
            before, journal = dict(contents.records), list(contents.journal)
            model = Model(contents.records)
            try:
                plan = contents.commit(*changes)
            except AgentMemoryError as error:
                assert (contents.records, contents.journal) == (before, journal)
                with pytest.raises(type(error)):
                    model.apply_all(changes)
                continue
            outcomes = [
                model.apply(change, written.id) for change, written in zip(changes, plan.written, strict=True)
            ]
            assert [(written.id, written.outcome) for written in plan.written] == outcomes
            assert {key: said(value) for key, value in contents.records.items()} == {
                key: said(value) for key, value in model.records.items()
            }
            _check_plan(plan, before, contents)
        _check_journal(contents)


def test_a_message_comes_after_one_that_the_same_operation_restores(contents: Shelf) -> None:
    with clock.fixed(NOW):
        contents.commit(Add(builders.message(content="one", created_at=NOW)))
        (first,) = contents.records.values()
        contents.commit(Remove(first))
        contents.commit(Add(first, brought_back=True), Add(builders.message(content="two", created_at=NOW)))
    positions = {record.content: record.position for record in contents.records.values()}  # type: ignore[attr-defined]
    assert positions == {"one": 0, "two": 1}


def _check_plan(plan: Plan, before: dict[str, MemoryRecord], contents: Shelf) -> None:
    assert plan.empty == (not plan.journal)
    changed = {entry.memory_id for entry in plan.journal}
    assert {item.id for item in (*plan.inserts, *plan.removes)} <= changed
    assert {after.id for _, after in plan.replaces} <= changed
    for memory_id, record in contents.records.items():
        assert (before.get(memory_id) == record) == (memory_id not in changed)
        assert record.agent_id == ("tester" if memory_id in changed else before[memory_id].agent_id)
    for written in plan.written:
        assert written.id == written.record.id
    active = [record for record in contents.records.values() if record.status is Status.ACTIVE]
    keys = [(record.memory_type, record.key) for record in active if record.key is not None]
    assert len(set(keys)) == len(keys)
    assert set(plan.erase_history) <= changed


def _check_journal(contents: Shelf) -> None:
    """Replay the journal: it tells everything, in order, each entry upon the one before."""
    replayed: dict[str, tuple[str, str]] = {}
    clocks = [entry.hlc for entry in contents.journal]
    assert clocks == sorted(set(clocks))
    assert len({entry.change_id for entry in contents.journal}) == len(contents.journal)
    for entry in contents.journal:
        revision, text = replayed.pop(entry.memory_id, (None, None))
        assert (entry.parent_id, entry.before) == (revision, text)
        if entry.after is not None:
            replayed[entry.memory_id] = (entry.change_id, entry.after)
    assert {memory_id: revision for memory_id, (revision, _) in replayed.items()} == {
        memory_id: record.revision for memory_id, record in contents.records.items()
    }
    for memory_id, (_, text) in replayed.items():
        assert same_version(version_from_dict(json.loads(text)), contents.records[memory_id])


# --- single rules ------------------------------------------------------------------------------------------------


def test_the_clock_of_the_journal_never_goes_back(contents: Shelf) -> None:
    with clock.fixed(NOW):
        first = contents.commit(*(Add(builders.event(text)) for text in "abc")).journal
    with clock.fixed(NOW - timedelta(days=365)):
        second = contents.commit(Add(builders.event("d"))).journal
    with clock.fixed(NOW + timedelta(days=1)):
        third = contents.commit(Add(builders.event("e"))).journal
    assert [entry.hlc for entry in first] == [int(NOW.timestamp() * 1_000_000) + step for step in range(3)]
    assert second[0].hlc == first[-1].hlc + 1
    assert third[0].hlc == int((NOW + timedelta(days=1)).timestamp() * 1_000_000)


def test_only_what_decides_is_asked_for() -> None:
    fact, event, said_ = builders.fact("one"), builders.event("two"), builders.message("three")
    keyed, placed = builders.fact("four", key="k"), builders.message("five", position=3)
    needs = planning.needs([Add(item) for item in (fact, event, said_, keyed, placed)])
    assert needs.hashes == {content_hash(fact)}
    assert needs.keys == {(MemoryType.LONG_TERM, "k")}
    assert needs.conversations == {"chat-1"}
    assert needs.ids == {keyed.id}
    needs = planning.needs([Add(fact, even_if_known=True), Replace(keyed), Remove(event)])
    assert (needs.hashes, needs.keys, needs.ids) == (
        set(),
        {(MemoryType.LONG_TERM, "k")},
        {keyed.id, event.id},
    )


def test_many_duplicates_in_one_commit_are_one(contents: Shelf) -> None:
    plan = contents.commit(*(Add(builders.fact("same", tags=(tag,))) for tag in "abab"))
    assert [written.outcome for written in plan.written] == ["added", "known", "known", "known"]
    assert [record.tags for record in contents.records.values()] == [("a", "b")]
    plan = contents.commit(*(Add(builders.fact("same", tags=(tag,))) for tag in "xyz"))
    assert [written.outcome for written in plan.written] == ["known"] * 3
    assert len(contents.records) == 1


def test_what_a_commit_makes_of_a_memory_counts_for_its_later_changes(contents: Shelf) -> None:
    old = contents.commit(Add(builders.fact("old"))).written[0].record
    plan = contents.commit(
        Replace(replace(old, content="new")), Add(builders.fact("new")), Add(builders.fact("old"))
    )
    assert [written.outcome for written in plan.written] == ["updated", "known", "added"]


def test_a_forced_duplicate_stands_for_the_one_that_goes(contents: Shelf) -> None:
    first = contents.commit(Add(builders.fact("same"))).written[0].record
    second = contents.commit(Add(builders.fact("same"), even_if_known=True)).written[0].record
    plan = contents.commit(Remove(first), Add(builders.fact("same")))
    assert [(written.id, written.outcome) for written in plan.written] == [
        (first.id, "removed"),
        (second.id, "known"),
    ]


def test_true_and_one_are_different_versions(contents: Shelf) -> None:
    record = contents.commit(Add(builders.note("x", value=True, metadata={"n": 1}))).written[0].record
    plan = contents.commit(Replace(replace(record, value=1)))  # type: ignore[call-arg]
    assert [written.outcome for written in plan.written] == ["updated"]
    plan = contents.commit(Replace(replace(plan.written[0].record, metadata={"n": 1.0})))
    assert [written.outcome for written in plan.written] == ["updated"]
    plan = contents.commit(Replace(replace(plan.written[0].record, metadata={"n": 1.0})))
    assert [written.outcome for written in plan.written] == ["unchanged"]


def test_short_term_memory_is_to_keep_one_version(contents: Shelf) -> None:
    plan = contents.commit(Add(builders.note("1", key="k")), Add(builders.fact("1", key="k")))
    assert plan.keep_one_version == []
    note = plan.written[0].record
    plan = contents.commit(Add(builders.note("2", key="k")), Add(builders.fact("2", key="k")))
    assert plan.keep_one_version == [note.id]
    plan = contents.commit(*(Add(builders.note(text, key="l")) for text in "ab"))
    assert plan.keep_one_version == [plan.written[0].id]


def test_erasing_names_the_memory_whose_history_goes(contents: Shelf) -> None:
    record = contents.commit(Add(builders.fact("secret"))).written[0].record
    plan = contents.commit(Remove(record, erase=True))
    assert (plan.erase_history, [item.id for item in plan.removes]) == ([record.id], [record.id])
    assert [entry.verb for entry in plan.journal] == ["shred"]


def test_a_taken_id_is_a_conflict(contents: Shelf) -> None:
    event = builders.event("one")
    with pytest.raises(ConflictError):
        contents.commit(Add(event), Add(replace(event, content="two")))
    assert contents.records == {}


def test_a_version_keeps_what_was_counted(contents: Shelf) -> None:
    record = contents.commit(Add(builders.fact("one", key="k"))).written[0].record
    contents.records[record.id] = replace(record, access_count=3, accessed_at=NOW)
    stored = contents.commit(Add(builders.fact("two", key="k"))).written[0].record
    assert (stored.content, stored.access_count, stored.accessed_at) == ("two", 3, NOW)
