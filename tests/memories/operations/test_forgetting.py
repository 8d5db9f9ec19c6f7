"""Forgetting: planned once, shown, and carried out as it was shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_memory import MemoryConfig, MemoryNotFoundError, SyncAgentMemory, ValidationError


@pytest.fixture
def memory() -> Iterator[SyncAgentMemory]:
    with SyncAgentMemory("t", MemoryConfig(embedding_provider="none", backend="memory")) as opened:
        yield opened


def test_a_plan_changes_nothing_and_is_carried_out_as_it_was_made(memory: SyncAgentMemory) -> None:
    ids = [memory.long_term.add(text, tags="old") for text in ("one", "two")]
    memory.long_term.add("three", tags="old", pinned=True)
    plan = memory.plan_forget(tags="old")
    assert plan.action == "archive"
    assert {record.id for record in plan.records} == set(ids)
    assert memory.count() == 3
    assert {record.id for record in memory.forget(plan)} == set(ids)
    assert memory.count() == 1
    assert [operation.verb for operation in memory.log(1)] == ["forget"]


def test_what_was_added_after_the_plan_stays(memory: SyncAgentMemory) -> None:
    memory.long_term.add("one", tags="old")
    plan = memory.plan_forget(tags="old")
    later = memory.long_term.add("two", tags="old")
    memory.forget(plan)
    assert [record.id for record in memory.list()] == [later]


def test_what_was_changed_after_the_plan_is_looked_up_again(memory: SyncAgentMemory) -> None:
    changed, spared, kept = (memory.long_term.add(text, tags="old") for text in ("one", "two", "three"))
    plan = memory.plan_forget(tags="old")
    memory.update(changed, "one, and more")
    memory.pin(spared)
    memory.update(kept, tags="new")
    assert [record.content for record in memory.forget(plan)] == ["one, and more"]
    assert {record.id for record in memory.list()} == {spared, kept}


def test_what_is_gone_after_the_plan_is_an_error_where_it_was_named(memory: SyncAgentMemory) -> None:
    one, two = (memory.long_term.add(text) for text in ("one", "two"))
    plan = memory.plan_forget([one, two])
    memory.forget(one)
    with pytest.raises(MemoryNotFoundError):
        memory.forget(plan)
    assert [record.id for record in memory.list()] == [two]


def test_a_key_that_has_passed_to_another_memory_is_not_followed(memory: SyncAgentMemory) -> None:
    first = memory.long_term.add("one", key="k")
    plan = memory.plan_forget("k")
    memory.update(first, key=None)
    second = memory.long_term.add("two", key="k")
    assert memory.forget(plan) == []
    assert {record.id for record in memory.list()} == {first, second}


def test_a_plan_to_shred_reaches_what_was_purged_before(memory: SyncAgentMemory) -> None:
    id = memory.long_term.add("a secret")
    memory.forget(id, purge=True)
    plan = memory.plan_forget(id, shred=True)
    assert plan.action == "shred"
    assert [record.id for record in plan.records] == [id]
    memory.forget(plan)
    assert all(version.before is None and version.after is None for version in memory.history(id))


def test_a_plan_says_all_itself(memory: SyncAgentMemory) -> None:
    memory.long_term.add("one")
    with pytest.raises(ValidationError, match="not both"):
        memory.plan_forget("x", tags="old")
    with pytest.raises(ValidationError, match="no id and no filter"):
        memory.plan_forget()
    with pytest.raises(ValidationError, match="the plan says"):
        memory.forget(memory.plan_forget(types="fact"), purge=True)
    assert memory.count() == 1


def _in_file(path: Path) -> SyncAgentMemory:
    return SyncAgentMemory(config=MemoryConfig(backend_config={"path": path}, embedding_provider="none"))


def test_what_goes_for_good_of_a_document_goes_with_all_its_earlier_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with _in_file(path) as memory:
        memory.semantic.add_document("The password is hunter2.", document_id="notes")
        memory.semantic.add_document("Nothing is written here.", document_id="notes")
        memory.long_term.add("stays")
        assert len(memory.forget("notes", shred=True)) == 2
        assert memory.list(status=None)[0].content == "stays"
    assert b"hunter2" not in path.read_bytes()


def test_a_purged_document_can_be_shredded_by_its_id(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with _in_file(path) as memory:
        memory.semantic.add_document("The password is hunter2.", document_id="notes")
        assert len(memory.forget("notes", purge=True)) == 1
        assert len(memory.forget("notes", shred=True)) == 1
        with pytest.raises(MemoryNotFoundError):
            memory.forget("notes", shred=True)
    assert b"hunter2" not in path.read_bytes()
