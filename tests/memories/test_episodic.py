from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AgentMemory, EpisodicRecord, ValidationError
from agent_memory.clock import now

pytestmark = pytest.mark.anyio


async def test_an_event_keeps_all_that_was_said_of_it(memory: AgentMemory) -> None:
    event = await memory.episodic.record_event(
        "deploy",
        "Rolled out version 3",
        outcome="success",
        participants=["Alice", "Bob"],
        location="eu-west",
        duration=timedelta(minutes=2),
        extra_metadata={"build": 7},
    )
    record = await memory.episodic.get(event)
    assert record is not None
    assert (record.event_type, record.outcome, record.success) == ("deploy", "success", True)
    assert (record.participants, record.location, record.duration) == (("Alice", "Bob"), "eu-west", 120.0)
    assert record.metadata == {"build": 7}


async def test_successful_and_failed_events(memory: AgentMemory) -> None:
    await memory.episodic.record_event("deploy", "first", outcome="failed: timeout")
    await memory.episodic.record_event("deploy", "second", outcome="success")
    await memory.episodic.record_event("deploy", "third", outcome="rolled forward by hand")
    await memory.episodic.record_action("restart the server", "it came back", success=True)
    await memory.episodic.record_action("pay the bill", "card refused", success=False)
    assert [failed_event.content for failed_event in await memory.episodic.get_failed_events()] == [
        "pay the bill",
        "first",
    ]
    assert [failed_event.content for failed_event in await memory.episodic.get_failed_events("deploy")] == [
        "first"
    ]
    assert [
        successful_event.content for successful_event in await memory.episodic.get_successful_events()
    ] == [
        "restart the server",
        "second",
    ]
    assert [item.content for item in await memory.episodic.get_events_by_type("deploy")] == [
        "third",
        "second",
        "first",
    ]


async def test_ranges_recent_events_and_the_timeline_go_by_when_it_happened(memory: AgentMemory) -> None:
    long_ago = datetime(2020, 1, 2, tzinfo=UTC)
    await memory.episodic.record_event("trip", "today")
    await memory.episodic.record_event("trip", "in 2020", occurred_at=long_ago)
    await memory.episodic.record_event("trip", "last week", occurred_at=now() - timedelta(days=7))
    assert [recent_event.content for recent_event in await memory.episodic.get_recent_events()] == ["today"]
    assert [item.content for item in await memory.episodic.get_events_in_range(long_ago)] == [
        "today",
        "last week",
        "in 2020",
    ]
    half_open = await memory.episodic.get_events_in_range(long_ago, long_ago + timedelta(days=1))
    assert [item.content for item in half_open] == ["in 2020"]
    assert await memory.episodic.get_events_in_range(long_ago - timedelta(days=1), long_ago) == []
    assert [item.content for item in await memory.episodic.get_event_timeline()] == [
        "in 2020",
        "last week",
        "today",
    ]


async def test_the_same_event_twice_is_two_events(memory: AgentMemory) -> None:
    first = await memory.episodic.record_event("login", "Alice logged in")
    assert await memory.episodic.record_event("login", "Alice logged in") != first
    assert await memory.episodic.count() == 2


async def test_similar_events_are_found_with_an_embedder_configured(memory: AgentMemory) -> None:
    await memory.episodic.record_event("deploy", "database migration failed on staging")
    await memory.episodic.record_event("lunch", "ate a sandwich")
    found = await memory.episodic.find_similar_events("staging migration of the database")
    assert found[0].memory.content == "database migration failed on staging"


async def test_an_outcome_is_read_with_its_punctuation_and_read_again_when_it_changes(
    memory: AgentMemory,
) -> None:
    id = await memory.episodic.record_event("deploy", "version 2", outcome="Failed.")
    assert [failed_event.id for failed_event in await memory.episodic.get_failed_events()] == [id]
    await memory.update(id, outcome="Success!")
    assert [successful_event.id for successful_event in await memory.episodic.get_successful_events()] == [id]
    await memory.update(id, outcome="who knows")
    record = await memory.get(id)
    assert isinstance(record, EpisodicRecord)
    assert record.success is None
    assert (await memory.update(id, outcome="odd", success=False)).success is False  # type: ignore[attr-defined]


async def test_hours_that_make_no_sense(memory: AgentMemory) -> None:
    id = await memory.episodic.record_event("deploy", "version 2")
    for hours in (math.nan, -1.0):
        with pytest.raises(ValidationError, match="hours"):
            await memory.episodic.get_recent_events(hours)
    for hours in (1e308, math.inf, 99_999_999):
        assert [recent_event.id for recent_event in await memory.episodic.get_recent_events(hours)] == [id]


async def test_metadata_has_one_name_at_a_time(memory: AgentMemory) -> None:
    with pytest.raises(ValidationError, match="both extra_metadata and metadata"):
        await memory.episodic.record_event("deploy", "first", extra_metadata={"a": 1}, metadata={"b": 2})
    assert await memory.count() == 0


async def test_another_outcome_under_a_key_keeps_nothing_of_the_success_before(memory: AgentMemory) -> None:
    event = await memory.episodic.record_event("deploy", "version 3", outcome="failed: timeout", key="v3")
    assert await memory.episodic.record_event("deploy", "version 3", outcome="by hand", key="v3") == event
    record = await memory.episodic.get(event)
    assert record is not None
    assert (record.outcome, record.success) == ("by hand", None)
