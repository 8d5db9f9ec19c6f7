"""The brief: what stands under which heading, and that none of it takes the room of the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AgentMemory, MemoryConfig, clock

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 5, 8, 12, tzinfo=UTC)
CONFIG = MemoryConfig(backend="memory", embedding_provider="none")


async def sections(events: dict[str, timedelta], **filters: str) -> dict[str, list[str]]:
    """Return what the brief shows under each heading, of events so long after now."""
    with clock.fixed(NOW):
        async with AgentMemory("t", CONFIG) as memory:
            for text, after in events.items():
                await memory.episodic.record_event("meeting", text, occurred_at=NOW + after)
            recall = await memory.recall(None, 4000, **filters)
    shown: dict[str, list[str]] = {}
    for item in recall.items:
        shown.setdefault(item.section, []).append(item.memory.content)
    return shown


async def test_what_is_to_come_is_no_recent_event() -> None:
    events = {
        "in May 2031": timedelta(days=1826),
        "tomorrow": timedelta(days=1),
        "just now, by a clock that is ahead": timedelta(seconds=20),
        "yesterday": timedelta(days=-1),
    }
    assert await sections(events) == {
        "Recent events": ["just now, by a clock that is ahead", "yesterday"],
        "Events to come": ["tomorrow", "in May 2031"],
    }


async def test_a_full_calendar_leaves_room_for_what_has_happened() -> None:
    calendar = {f"appointment {day}": timedelta(days=day) for day in range(1, 41)}
    shown = await sections(calendar | {"the build failed": timedelta(hours=-1)})
    assert shown["Recent events"] == ["the build failed"]
    assert shown["Events to come"][0] == "appointment 1"


async def test_the_period_that_is_asked_for_holds_for_both() -> None:
    events = {f"day {day}": timedelta(days=day) for day in (-9, -1, 1, 9)}
    shown = await sections(events, since="2026-05-05", until="2026-05-12")
    assert shown == {"Recent events": ["day -1"], "Events to come": ["day 1"]}
