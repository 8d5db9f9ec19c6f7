from __future__ import annotations

from collections.abc import Callable

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


async def test_consolidation_keeps_apart_what_symbols_numbers_and_negations_tell_apart(
    memory: AgentMemory,
) -> None:
    pairs = [
        ("I like C++", "I like C#"),
        ("the load is > 5", "the load is < 5"),
        ("sales moved by +5%", "sales moved by -5%"),
        ("the mood today 😀", "the mood today 😢"),
        ("Postgres listens on port 5432", "Postgres listens on port 5433"),
        ("Maria does eat meat", "Maria does not eat meat"),
        ("is the build green", "is the build green?"),
    ]
    for pair in pairs:
        for text in pair:
            await memory.long_term.store_fact(text)
    assert await memory.long_term.consolidate_duplicates(0.5) == 0
    assert await memory.long_term.count() == 2 * len(pairs)


async def test_consolidation_never_puts_away_what_has_a_key_or_shortens_a_life(memory: AgentMemory) -> None:
    ending = await memory.long_term.add("Tea is served at noon", importance=0.9, ttl="1d")
    lasting = await memory.long_term.add("tea is served at noon.", importance=0.1)
    named = await memory.long_term.add("TEA is served at noon", key="tea", importance=0.0)
    other = await memory.long_term.add("tea is served at noon", key="chai")
    assert await memory.long_term.consolidate_duplicates() == 2
    assert {each.id for each in await memory.long_term.list()} == {named, other}
    assert await memory.get("tea") is not None
    for put_away in (ending, lasting):
        assert (await memory.restore(put_away)).id == put_away
    assert await memory.long_term.consolidate_duplicates() == 2


async def test_of_two_that_end_the_one_that_stays_ends_last(memory: AgentMemory) -> None:
    await memory.long_term.add("the sale is on", importance=0.9, ttl="1h")
    await memory.long_term.add("The sale is on!", ttl="3d")
    assert await memory.long_term.consolidate_duplicates() == 1
    (kept,) = await memory.long_term.list()
    assert kept.importance == 0.9
    assert kept.expires_at is not None
    assert (kept.expires_at - kept.created_at).days >= 2


async def test_what_the_embedder_cannot_read_is_not_alike(make_config: Callable[..., MemoryConfig]) -> None:
    async with AgentMemory("t", make_config(embedding_provider="local")) as memory:
        for text in ("東京は日本の首都です", "大阪で寿司を食べました", "猫が窓の外を見ている"):
            await memory.long_term.store_fact(text)
        assert await memory.long_term.consolidate_duplicates(0.5) == 0
