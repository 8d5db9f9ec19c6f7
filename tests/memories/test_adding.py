"""Storing a text of any type: one decision about documents for every face."""

from __future__ import annotations

from typing import Any

import pytest

from agent_memory import ConfigurationError, SyncAgentMemory, ValidationError

LONG = "\n\n".join(f"Section {number}: " + "much is said here about it. " * 20 for number in range(12))


@pytest.fixture
def memory(cutting_memory: SyncAgentMemory) -> SyncAgentMemory:
    return cutting_memory


def test_a_text_is_a_fact_unless_its_type_is_said(memory: SyncAgentMemory) -> None:
    assert memory.get(memory.add("User prefers dark mode", tags="ui")) is not None
    memory.add("It rained", "event", outcome="success", occurred_at="2026-05-08T14:00Z")
    assert [record.memory_type.value for record in memory.list()] == ["episodic", "long_term"]
    assert [record.outcome for record in memory.episodic.list()] == ["success"]


def test_a_long_document_is_stored_in_chunks_that_one_id_stands_for(memory: SyncAgentMemory) -> None:
    id = memory.add(LONG, "doc", title="Handbook", tags="docs")
    chunks = memory.get_named(id)[id]
    assert len(chunks) > 3
    assert "".join(chunk.content for chunk in chunks) == LONG
    assert {chunk.tags for chunk in chunks} == {("docs",)}
    assert [chunk.id for chunk in memory.semantic.get_document("Handbook")] == [chunk.id for chunk in chunks]
    assert [written.outcome for written in memory.add_detailed(LONG, "doc", title="Handbook")] == [
        "known"
    ] * len(chunks)
    memory.forget(id)
    assert memory.count() == 0


@pytest.mark.parametrize(
    ("memory_type", "more"),
    [("fact", {}), ("note", {}), ("event", {}), ("doc", {"key": "whole"}), ("doc", {"document_id": "d"})],
)
def test_all_else_is_one_memory_however_long(
    memory: SyncAgentMemory, memory_type: str, more: dict[str, str]
) -> None:
    id = memory.add(LONG, memory_type, **more)
    assert [record.id for record in memory.list()] == [id]
    assert memory.list()[0].content == LONG


def test_what_cannot_be_stored_is_said(memory: SyncAgentMemory) -> None:
    with pytest.raises(ConfigurationError):
        memory.add("x", "thought")
    with pytest.raises(ValidationError, match="did you mean 'importance'"):
        memory.add("x", importnce=1)
    with pytest.raises(ValidationError, match="the content is empty"):
        memory.add(" ", "doc")
    assert memory.count() == 0


def test_a_preference_is_replaced_or_stored_beside_the_one_before(memory: SyncAgentMemory) -> None:
    first = memory.long_term.store_preference("editor", "vim", replace=True)
    assert memory.long_term.store_preference("editor", "emacs", replace=True, tags="tools") == first
    beside = memory.long_term.store_preference("editor", "ed")
    assert [
        (record.id, record.content, record.importance) for record in memory.long_term.get_preferences()
    ] == [
        (beside, "ed", 0.8),
        (first, "emacs", 0.8),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"expires_at": "2100-01-01T00:00Z", "ttl": "1h"}, "both expires_at and ttl"),
        ({"expires_at": "2020-01-01T00:00Z"}, "its end was at"),
        ({"metadata": ["a"]}, "metadata"),
        ({"type": "event", "duration": float("nan")}, "duration"),
        ({"type": "skill", "use_count": 2**63}, "use_count is"),
    ],
)
def test_what_no_memory_can_have_is_refused(
    memory: SyncAgentMemory, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        memory.add_many([{"content": "something", **arguments}])
    assert memory.count() == 0
