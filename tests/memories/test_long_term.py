from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from agent_memory import AgentMemory, MemoryConfig, ValidationError
from agent_memory.records import Status

pytestmark = pytest.mark.anyio


async def test_facts_by_any_tag(memory: AgentMemory) -> None:
    first = await memory.long_term.store_fact("the sky is blue", tags=["nature", "colour"], source="eyes")
    await memory.long_term.store_fact("grass is green", tags=["nature"])
    await memory.long_term.store_fact("two is even")
    assert len(await memory.long_term.get_facts()) == 3
    assert len(await memory.long_term.get_facts(tags=["nature", "maths"])) == 2
    found = await memory.long_term.get_by_tags("colour")
    assert [(result.id, result.source, result.tags) for result in found] == [
        (first, "eyes", ("colour", "nature"))
    ]


async def test_preferences_by_category(memory: AgentMemory) -> None:
    await memory.long_term.store_preference("editor", "vim")
    await memory.long_term.store_preference("theme", "dark")
    await memory.long_term.store_preference("other editor", "vim")
    assert [preference.content for preference in await memory.long_term.get_preferences("editor")] == ["vim"]
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
    assert [version.after and version.after.content for version in await memory.history(first)] == [
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
    kept = await memory.long_term.store_fact("the user lives in Berlin", importance=0.9, tags=["a"])
    twin = await memory.long_term.store_fact("The user lives in  Berlin.", importance=0.3, tags=["b"])
    other = await memory.long_term.store_fact("bananas are yellow")
    assert await memory.long_term.consolidate_duplicates() == 1
    left = {item.id for item in await memory.long_term.list()}
    assert left == {kept, other}
    record = await memory.long_term.get(kept)
    assert record is not None
    assert record.tags == ("a", "b")
    gone = await memory.list(status="superseded")
    assert [(item.id, item.status) for item in gone] == [(twin, Status.SUPERSEDED)]
    assert await memory.undo()
    assert {item.id for item in await memory.long_term.list()} == {kept, twin, other}
    record = await memory.long_term.get(kept)
    assert record is not None
    assert record.tags == ("a",)


async def test_consolidation_needs_no_embedder(backend: str) -> None:
    async with AgentMemory("t", MemoryConfig(backend=backend, embedding_provider="none")) as memory:
        for text in ("Tea is hot.", "tea is hot", "tea is HOT", "tea is cold", ".env", "env", ":q", "q"):
            await memory.long_term.store_fact(text)
        assert await memory.long_term.consolidate_duplicates() == 1
        assert await memory.long_term.count() == 7


async def test_what_is_near_is_shown_and_never_merged(make_config: Callable[..., MemoryConfig]) -> None:
    pairs = [
        ("The meeting is on Monday", "The meeting is on Tuesday"),
        ("Alice is Bob's manager", "Bob is Alice's manager"),
        ("The alarm is on", "The alarm is off"),
        ("I like C++", "I like C#"),
        ("Postgres listens on port 5432", "Postgres listens on port 5433"),
        ("Maria does eat meat", "Maria does not eat meat"),
        ("is the build green", "is the build green?"),
    ]
    async with AgentMemory("t", make_config(embedding_provider="local")) as memory:
        for pair in pairs:
            for text in pair:
                await memory.long_term.store_fact(text)
        shown = await memory.long_term.find_duplicates(0.6)
        assert {tuple(sorted(item.content for item in (group.kept, *group.similar))) for group in shown} >= {
            tuple(sorted(pair)) for pair in pairs[:2]
        }
        assert [group.merged for group in shown if group.merged] == []
        assert await memory.long_term.find_duplicates(1.0) == []
        for threshold in (0.0, 0.5, 0.9, 1.0):
            assert await memory.long_term.consolidate_duplicates(threshold) == 0
        assert await memory.long_term.count() == 2 * len(pairs)
        with pytest.raises(ValidationError, match="similarity_threshold"):
            await memory.long_term.consolidate_duplicates(1.5)


async def test_each_is_shown_once_and_the_same_beside_the_similar(memory: AgentMemory) -> None:
    kept = await memory.long_term.store_fact("tea is served hot at noon", importance=0.9)
    twin = await memory.long_term.store_fact("Tea is served hot at noon.", importance=0.1)
    near = await memory.long_term.store_fact("Tea is served hot at noon!", importance=0.2)
    await memory.long_term.store_fact("bananas are yellow")
    (group,) = await memory.long_term.find_duplicates(0.9)
    assert group.kept.id == kept
    assert [item.id for item in group.merged] == [twin]
    assert [item.id for item in group.similar] == [near]


async def test_what_is_merged_brings_along_what_it_had(memory: AgentMemory) -> None:
    then = datetime(2026, 3, 1, tzinfo=UTC)
    kept = await memory.long_term.add(
        "the office is in Oslo", importance=0.8, metadata={"floor": 2, "seen": 1}, tags=["a"]
    )
    await memory.long_term.add(
        "The office is in Oslo.",
        importance=0.9,
        ttl="1d",
        metadata={"floor": 3, "door": "red"},
        tags=["b"],
        source="Maria",
        occurred_at=then,
    )
    assert await memory.long_term.consolidate_duplicates() == 1
    record = await memory.long_term.get(kept)
    assert record is not None
    assert (record.importance, record.tags, record.expires_at) == (0.9, ("a", "b"), None)
    assert record.metadata == {"floor": 2, "seen": 1, "door": "red"}
    assert (record.source, record.occurred_at) == ("Maria", then)


async def test_facts_of_sessions_that_were_named_are_not_the_same(memory: AgentMemory) -> None:
    for session in ("bob", "eve", None):
        await memory.long_term.add("the door is open", session=session)
        await memory.long_term.add("The door is open.", session=session)
    assert await memory.long_term.consolidate_duplicates() == 3
    assert sorted(str(record.session) for record in await memory.long_term.list()) == ["None", "bob", "eve"]


async def test_consolidation_never_puts_away_what_has_a_key_or_shortens_a_life(memory: AgentMemory) -> None:
    ending = await memory.long_term.add("Tea is served at noon", importance=0.9, ttl="1d")
    lasting = await memory.long_term.add("tea is served at noon.", importance=0.1)
    named = await memory.long_term.add("Tea is served at  noon.", key="tea", importance=0.0)
    other = await memory.long_term.add("tea is served at noon", key="chai")
    assert await memory.long_term.consolidate_duplicates() == 2
    assert {record.id for record in await memory.long_term.list()} == {named, other}
    assert await memory.get("tea") is not None
    for put_away in (ending, lasting):
        assert (await memory.restore(put_away)).id == put_away
    assert await memory.long_term.consolidate_duplicates() == 2


async def test_of_two_that_end_the_one_that_stays_ends_last(memory: AgentMemory) -> None:
    await memory.long_term.add("the sale is on", importance=0.9, ttl="1h")
    await memory.long_term.add("The sale is on.", ttl="3d")
    assert await memory.long_term.consolidate_duplicates() == 1
    (kept,) = await memory.long_term.list()
    assert kept.importance == 0.9
    assert kept.expires_at is not None
    assert (kept.expires_at - kept.created_at).days >= 2


async def test_what_the_embedder_cannot_read_is_not_alike(make_config: Callable[..., MemoryConfig]) -> None:
    async with AgentMemory("t", make_config(embedding_provider="local")) as memory:
        for text in ("東京は日本の首都です", "大阪で寿司を食べました", "猫が窓の外を見ている"):
            await memory.long_term.store_fact(text)
        assert await memory.long_term.find_duplicates(0.5) == []
