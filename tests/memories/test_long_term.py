from __future__ import annotations

import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.records import Status

pytestmark = pytest.mark.anyio


async def test_facts_by_any_tag(memory: AgentMemory) -> None:
    first = await memory.long_term.store_fact("the sky is blue", tags=["nature", "colour"], source="eyes")
    await memory.long_term.store_fact("grass is green", tags=["nature"])
    await memory.long_term.store_fact("two is even")
    assert len(await memory.long_term.get_facts()) == 3
    assert len(await memory.long_term.get_facts(tags=["nature", "maths"])) == 2
    found = await memory.long_term.get_by_tags("colour")
    assert [(each.id, each.source, each.tags) for each in found] == [(first, "eyes", ("colour", "nature"))]


async def test_preferences_by_category(memory: AgentMemory) -> None:
    await memory.long_term.store_preference("editor", "vim")
    await memory.long_term.store_preference("theme", "dark")
    await memory.long_term.store_preference("other editor", "vim")
    assert [each.content for each in await memory.long_term.get_preferences("editor")] == ["vim"]
    assert len(await memory.long_term.get_preferences()) == 3
    assert await memory.long_term.get_facts() == []


async def test_an_exact_duplicate_is_the_same_fact_and_gains_tags(memory: AgentMemory) -> None:
    first = await memory.long_term.store_fact("Alice  lives in\nParis", tags=["a"])
    assert await memory.long_term.store_fact(" Alice lives in Paris ", tags=["b"]) == first
    record = await memory.long_term.get(first)
    assert record is not None
    assert record.tags == ("a", "b")
    assert await memory.long_term.add("Alice lives in Paris", force=True) != first
    assert await memory.long_term.count() == 2


async def test_an_archived_twin_is_not_revived(memory: AgentMemory) -> None:
    first = await memory.long_term.store_fact("once")
    assert await memory.long_term.remove(first)
    second = await memory.long_term.store_fact("once")
    assert second != first
    assert await memory.long_term.get(first) is None


async def test_a_key_makes_versions_under_one_id(memory: AgentMemory) -> None:
    first = await memory.long_term.add("lives in Paris", key="home")
    assert await memory.long_term.add("lives in Rome", key="home") == first
    record = await memory.long_term.get("home")
    assert record is not None
    assert record.content == "lives in Rome"
    assert [each.after and each.after.content for each in await memory.history(first)] == [
        "lives in Paris",
        "lives in Rome",
    ]


async def test_update_fact_and_add_tags(memory: AgentMemory) -> None:
    fact = await memory.long_term.store_fact("old")
    assert await memory.long_term.update_fact(fact[:8], "new", updated_importance=0.9)
    assert await memory.long_term.add_tags(fact, ["x", "y"])
    assert await memory.long_term.add_tags(fact, "z")
    record = await memory.long_term.get(fact)
    assert record is not None
    assert (record.content, record.importance, record.tags) == ("new", 0.9, ("x", "y", "z"))
    assert not await memory.long_term.update_fact("nothing-here", "x")
    assert not await memory.long_term.add_tags("nothing-here", "x")
    assert (await memory.search("new", mode="keyword"))[0].memory.id == fact
    assert await memory.search("old", mode="keyword") == []


async def test_consolidation_merges_archives_and_can_be_undone(memory: AgentMemory) -> None:
    kept = await memory.long_term.store_fact("the user lives in Berlin Germany", importance=0.9, tags=["a"])
    near = await memory.long_term.store_fact("The user lives in Berlin, Germany!", importance=0.3, tags=["b"])
    other = await memory.long_term.store_fact("bananas are yellow")
    assert await memory.long_term.consolidate_duplicates() == 1
    left = {each.id for each in await memory.long_term.list()}
    assert left == {kept, other}
    record = await memory.long_term.get(kept)
    assert record is not None
    assert record.tags == ("a", "b")
    gone = await memory.list(status="superseded")
    assert [(each.id, each.status) for each in gone] == [(near, Status.SUPERSEDED)]
    assert await memory.undo()
    assert {each.id for each in await memory.long_term.list()} == {kept, near, other}
    record = await memory.long_term.get(kept)
    assert record is not None
    assert record.tags == ("a",)


async def test_consolidation_without_an_embedder_goes_by_words(backend: str) -> None:
    async with AgentMemory("t", MemoryConfig(backend=backend, embedding_provider="none")) as memory:
        await memory.long_term.store_fact("Tea is hot.")
        await memory.long_term.store_fact("tea is HOT")
        await memory.long_term.store_fact("tea is cold")
        assert await memory.long_term.consolidate_duplicates() == 1
        assert await memory.long_term.count() == 2
