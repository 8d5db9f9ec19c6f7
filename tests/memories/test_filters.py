"""Every filter in every verb that takes filters, on both faces; and changes to one revision only."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from agent_memory import (
    AgentMemory,
    ConfigurationError,
    ConflictError,
    Filters,
    MemoryConfig,
    MemoryNotFoundError,
    SyncAgentMemory,
    ValidationError,
)

CONFIG = MemoryConfig(backend="memory", embedding_provider="dummy")
FITTING: Mapping[str, Any] = {
    "types": "event",
    "tags": ["a", "x"],
    "tags_all": ["a", "b"],
    "since": timedelta(days=1),
    "until": "1h",
    "min_importance": 0.8,
    "metadata": {"lang": "en"},
    "key": "k",
    "session": ["s", "t"],
    "source": "here",
    "pinned": True,
    "fields": {"outcome": "failed"},
}
"""Filters of which one memory fits each, and the other none."""


def first(memory: Any) -> Any:
    return memory.episodic.record_event(
        "zebra",
        "a zebra failed",
        outcome="failed",
        importance=0.9,
        tags=["a", "b"],
        metadata={"lang": "en"},
        key="k",
        session="s",
        source="here",
        pinned=True,
        occurred_at="5h",
    )


def second(memory: Any) -> Any:
    return memory.long_term.add("a zebra in the sun", importance=0.1, occurred_at="2d")


@pytest.fixture
def memory() -> Iterator[SyncAgentMemory]:
    with SyncAgentMemory("t", CONFIG) as opened:
        yield opened


def test_all_filters_are_tried() -> None:
    assert {*FITTING} == {*Filters.__annotations__}
    search = {*inspect.signature(AgentMemory.search).parameters}
    assert {"types", "tags", "since", "until", "min_importance"} <= search


@pytest.mark.parametrize("name", FITTING)
def test_each_filter_narrows_each_verb(memory: SyncAgentMemory, name: str) -> None:
    fitting, given = first(memory), {name: FITTING[name]}
    if name == "until":
        memory.long_term.add("a zebra just now")
    else:
        second(memory)
    assert [item.memory.id for item in memory.search("zebra", **given)] == [fitting]
    assert [item.memory.id for item in memory.iterate_search("zebra", **given)] == [fitting]
    assert [item.memory.id for item in memory.recall("zebra", **given).items] == [fitting]
    assert [item.memory.id for item in memory.recall(**given).items] == [fitting]
    assert [record.id for record in memory.list(**given)] == [fitting]
    assert [record.id for record in memory.iterate(**given)] == [fitting]
    assert memory.count(**given) == 1
    memory.unpin(fitting) if name != "pinned" else None
    assert [record.id for record in memory.forget_where(**given)] == [fitting]
    assert memory.count() == 1


def test_the_same_without_blocking() -> None:
    async def main() -> None:
        async with AgentMemory("t", CONFIG) as memory:
            fitting = await first(memory)
            await second(memory)
            given: dict[str, Any] = {name: value for name, value in FITTING.items() if name != "until"}
            assert [item.memory.id for item in await memory.search("zebra", **given)] == [fitting]
            assert [item.memory.id for item in (await memory.recall("zebra", **given)).items] == [fitting]
            assert [record.id for record in await memory.list(**given)] == [fitting]
            assert await memory.count(**given) == 1
            assert [record.id for record in await memory.forget_where(**given)] == [fitting]

    asyncio.run(main())


def test_unpinned_ones_alone_are_in_a_brief_without_pinned_ones(memory: SyncAgentMemory) -> None:
    first(memory)
    other = second(memory)
    assert [item.memory.id for item in memory.recall(pinned=False).items] == [other]
    assert [record.id for record in memory.forget_where()] == [other]  # pinned ones are spared


def test_only_the_revision_that_was_read_is_changed(memory: SyncAgentMemory) -> None:
    id = memory.long_term.add("a fact")
    read = memory.long_term.get(id)
    assert read is not None
    changed = memory.update(id, "an edited fact", revision=read.revision)
    assert changed.revision != read.revision
    with pytest.raises(ConflictError):
        memory.update(id, "what was read before", revision=read.revision)
    assert [record.content for record in memory.list()] == ["an edited fact"]
    memory.update(id, importance=0.9, revision=changed.revision)
    with pytest.raises(MemoryNotFoundError):
        memory.update("nobody", "x", revision=changed.revision)


def test_only_one_of_many_at_once_changes_a_revision() -> None:
    async def main() -> None:
        async with AgentMemory("t", CONFIG) as memory:
            record = await memory.long_term.get(await memory.long_term.add("a fact"))
            assert record is not None
            calls = [
                memory.update(record.id, f"edited by {number}", revision=record.revision)
                for number in range(5)
            ]
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert sum(isinstance(result, ConflictError) for result in results) == 4

    asyncio.run(main())


def test_filters_that_name_nothing_are_refused() -> None:
    with SyncAgentMemory("tester", CONFIG) as memory:
        with pytest.raises(ValidationError, match="a kind stands beside other types"):
            memory.list(types=["pref", "event"])
        with pytest.raises(ConfigurationError, match="unknown status"):
            memory.list(status="lost")
