"""Reading many memories page by page, and many at once, on both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from agent_memory import AgentMemory, MemoryConfig, SyncAgentMemory, ValidationError

CONFIG = MemoryConfig(embedding_provider="dummy", backend="memory")


@pytest.fixture
def memory() -> Iterator[SyncAgentMemory]:
    with SyncAgentMemory("t", CONFIG) as opened:
        yield opened


def test_pages_of_a_search_are_the_search(memory: SyncAgentMemory) -> None:
    memory.long_term.add_many([f"the teapot number {number}" for number in range(25)])
    whole = [item.memory.id for item in memory.search("teapot", 25)]
    pages = [
        item.memory.id for start in range(0, 25, 10) for item in memory.search("teapot", 10, offset=start)
    ]
    assert sorted(pages) == sorted(whole)
    assert len({*pages}) == 25
    assert memory.search("teapot", 10, offset=25) == []
    assert {item.memory.id for item in memory.iterate_search("teapot", page=7)} == {*whole}
    assert [item.memory.id for item in memory.iterate_search("teapot", types="event")] == []


def test_only_what_is_on_the_page_counts_as_accessed(memory: SyncAgentMemory) -> None:
    memory.long_term.add_many(["a teapot", "another teapot"])
    second = memory.search("teapot", 1, offset=1)
    assert [record.id for record in memory.list() if record.access_count] == [second[0].memory.id]


def test_all_memories_can_be_gone_through(memory: SyncAgentMemory) -> None:
    ids = memory.long_term.add_many([f"fact {number}" for number in range(12)])
    memory.episodic.record_event("a", "b")
    assert [record.id for record in memory.iterate(5, types="fact")] == ids[::-1]
    pages = memory.iterate(5, types="fact", descending=False)
    assert next(pages).id == ids[0]
    pages.close()
    with pytest.raises(ValidationError, match="page is 0"):
        list(memory.iterate(0))
    with pytest.raises(ValidationError, match="'sesion'"):
        memory.iterate(sesion="x")  # type: ignore[call-arg]


def test_messages_can_be_gone_through_and_paged(memory: SyncAgentMemory) -> None:
    memory.conversation.add_message("system", "be kind")
    for number in range(7):
        memory.conversation.add_message("user", f"message {number}")
    spoken = [message.content for message in memory.conversation.iterate_messages(3)]
    assert spoken == ["be kind", *(f"message {number}" for number in range(7))]
    page = memory.conversation.get_messages(2, offset=2)
    assert [message.content for message in page] == ["be kind", "message 3", "message 4"]
    rest = memory.conversation.get_messages(None, include_system=False, offset=5)
    assert [message.content for message in rest] == ["message 0", "message 1"]


def test_many_are_read_at_once_in_order(memory: SyncAgentMemory) -> None:
    first, second = memory.long_term.add_many(["one", "two"])
    named = memory.long_term.add("three", key="k")
    memory.forget(second)
    found = memory.get_many([named[:8], second, "k", first, "nobody"])
    assert [record and record.id for record in found] == [named, None, named, first, None]
    assert [record.access_count for record in memory.list()] == [1, 1]
    assert memory.get_many([]) == []


def test_a_duration_is_that_long_ago(memory: SyncAgentMemory) -> None:
    memory.episodic.record_event("a", "old", occurred_at=timedelta(days=3))
    memory.episodic.record_event("a", "new")
    for since in (timedelta(days=2), "2d", "yesterday", date.today() - timedelta(days=1)):  # noqa: DTZ011
        assert [record.content for record in memory.list(since=since)] == ["new"]
        assert [record.content for record in memory.iterate(until=since)] == ["old"]


def test_the_same_with_async_for() -> None:
    async def main() -> None:
        async with AgentMemory("t", CONFIG) as memory:
            ids = await memory.long_term.add_many([f"fact {number}" for number in range(5)])
            assert [record.id async for record in memory.iterate(2)] == ids[::-1]
            assert len([item async for item in memory.iterate_search("fact", 2)]) == 5
            assert [record and record.id for record in await memory.get_many(ids[:2])] == ids[:2]
            with pytest.raises(ValidationError):
                memory.iterate_search("")
                async for _ in memory.iterate_search(""):
                    pass

    asyncio.run(main())
