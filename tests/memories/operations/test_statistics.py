from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent_memory import AgentMemory, clock

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)


@pytest.mark.anyio
async def test_detailed_statistics_count_types_sizes_tags_and_ages(memory: AgentMemory) -> None:
    with clock.fixed(NOON):
        await memory.long_term.add("naïve", tags=["a", "b"])
        await memory.long_term.add("one", tags=["b"])
        await memory.episodic.add("then", occurred_at=NOON - timedelta(days=3))
        await memory.episodic.add("long ago", occurred_at=NOON - timedelta(days=800))
        gone = await memory.semantic.add("forgotten", tags=["c"])
        await memory.forget(gone)
        await memory.short_term.add("soon over", ttl=1)
    with clock.fixed(NOON + timedelta(minutes=5)):
        stats = await memory.get_stats(detailed=True)
    assert stats["types"]["long_term"] == {
        "count": 2,
        "bytes": 6 + 3,
        "oldest": clock.to_text(NOON),
        "newest": clock.to_text(NOON),
    }
    assert stats["types"]["episodic"]["oldest"] == clock.to_text(NOON - timedelta(days=800))
    assert stats["types"]["episodic"]["newest"] == clock.to_text(NOON - timedelta(days=3))
    assert stats["types"]["semantic"] == {"count": 0, "bytes": 0, "oldest": None, "newest": None}
    assert list(stats["tags"].items()) == [("b", 2), ("a", 1)]
    assert stats["ages"] == {"hour": 2, "day": 0, "week": 1, "month": 0, "year": 0, "older": 1}
    assert stats["total"] == 4


@pytest.mark.anyio
async def test_statistics_without_details_do_not_go_through_the_memories(memory: AgentMemory) -> None:
    assert {"types", "tags", "ages"}.isdisjoint(await memory.get_stats())
