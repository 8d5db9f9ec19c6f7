from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import (
    AgentMemory,
    AmbiguousIdError,
    ConfigurationError,
    ConflictError,
    MemoryConfig,
    MemoryNotFoundError,
    MemoryType,
    ValidationError,
)
from agent_memory.clock import fixed, now

pytestmark = pytest.mark.anyio


async def fill(memory: AgentMemory) -> dict[str, str]:
    return {
        "short_term": await memory.short_term.add("the build is red"),
        "long_term": await memory.long_term.store_fact("the build server is in Oslo", tags=["ops"]),
        "conversation": await memory.conversation.add_message("user", "is the build green?"),
        "episodic": await memory.episodic.record_event("build", "the build failed", outcome="failed"),
        "semantic": await memory.semantic.add("a build turns sources into programs"),
        "procedural": await memory.procedural.record_skill("fix-build", "rerun the build with a clean cache"),
    }


async def test_one_search_over_all_six_types(memory: AgentMemory) -> None:
    ids = await fill(memory)
    found = await memory.search("build", limit=10)
    assert {result.memory.id for result in found} == set(ids.values())
    assert {result.memory.memory_type.value for result in found} == set(ids)
    assert all(0 <= result.score <= 1 and 0 <= result.relevance <= 1 for result in found)
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)


async def test_filters(memory: AgentMemory) -> None:
    ids = await fill(memory)
    assert [scored.memory.id for scored in await memory.search("build", types="fact")] == [ids["long_term"]]
    assert [scored.memory.id for scored in await memory.search("build", tags=["ops", "x"])] == [
        ids["long_term"]
    ]
    assert {scored.memory.id for scored in await memory.search("build", types=["event", "skill"])} == {
        ids["episodic"],
        ids["procedural"],
    }
    assert await memory.search("build", since=now() + timedelta(hours=1)) == []
    assert len(await memory.search("build", until=now() + timedelta(hours=1))) == 6
    assert await memory.search("build", min_importance=0.99) == []
    await memory.semantic.add("build notes", metadata={"stars": 4, "lang": "en"})
    assert len(await memory.search("build", metadata={"stars": {">=": 4}, "lang": ["en", "de"]})) == 1
    assert await memory.search("build", metadata={"stars": {"<": 4}}) == []
    with pytest.raises(ValidationError, match="operator"):
        await memory.search("build", metadata={"stars": {"~": 4}})
    with pytest.raises(ConfigurationError, match="memory type"):
        await memory.search("build", types="nonsense")
    with pytest.raises(ValidationError, match="timezone"):
        await memory.search("build", since=datetime(2020, 1, 1))  # noqa: DTZ001 - that is what must be refused


async def test_explain_names_every_part(memory: AgentMemory) -> None:
    await fill(memory)
    found = await memory.search("build", explain=True)
    explanation = found[0].explanation
    assert explanation is not None
    assert {"arms", "words", "meaning", "boosts", "sum"} <= explanation.keys()
    total = (
        explanation["words"]["weight"] * explanation["words"]["z"]
        + explanation["meaning"]["weight"] * explanation["meaning"]["z"]
        + sum(explanation["boosts"].values())
    )
    assert explanation["sum"] == pytest.approx(total, abs=0.001)
    assert (await memory.search("build"))[0].explanation is None


async def test_an_exact_key_comes_first(memory: AgentMemory) -> None:
    for number in range(30):
        await memory.long_term.add(f"home home home {number}")
    wanted = await memory.long_term.add("Paris", key="home")
    assert (await memory.search("home"))[0].memory.id == wanted


async def test_importance_and_age_reorder_but_never_hide(memory: AgentMemory) -> None:
    plain = await memory.long_term.add("the meeting room is on floor three", importance=0.1)
    weighty = await memory.long_term.add("the meeting room is on floor nine", importance=1.0)
    assert [scored.memory.id for scored in await memory.search("meeting room")] == [weighty, plain]
    exact = await memory.long_term.add("quokka", importance=0.0, occurred_at=datetime(1990, 1, 1, tzinfo=UTC))
    assert (await memory.search("quokka"))[0].memory.id == exact


async def test_scoring_and_decay_are_applied_only_when_they_are_on(
    make_config: Callable[..., MemoryConfig],
) -> None:
    for on in (True, False):
        async with AgentMemory(f"t{on}", make_config(enable_scoring=on, enable_decay=on)) as memory:
            old = now() - timedelta(days=365)
            await memory.long_term.add("alpha beta one", importance=1.0)
            await memory.long_term.add("alpha beta two", importance=0.0, occurred_at=old)
            boosts = [
                (scored.explanation or {})["boosts"]
                for scored in await memory.search("alpha beta", explain=True)
            ]
            assert any(any(boost.values()) for boost in boosts) is on


async def test_prefixes_keys_and_what_is_not_there(memory: AgentMemory) -> None:
    stored = await memory.long_term.add("a fact", key="the-key")
    for reference in (stored, stored[:6], stored.upper()[:8], "the-key"):
        record = await memory.get(reference)
        assert record is not None
        assert record.id == stored
    assert await memory.get("nothing-here") is None
    assert await memory.get(stored[:3]) is None
    with pytest.raises(ValidationError):
        await memory.get("  ")


async def test_update_changes_only_what_is_given(memory: AgentMemory) -> None:
    stored = await memory.episodic.record_event("deploy", "first try", extra_metadata={"a": 1, "b": 2})
    record = await memory.update(
        stored, "second try", importance=0.9, add_tags="x", metadata={"b": None, "c": 3}, outcome="success"
    )
    assert (record.content, record.importance, record.tags) == ("second try", 0.9, ("x",))
    assert record.metadata == {"a": 1, "c": 3}
    assert record.created_at < record.updated_at
    with pytest.raises(ValidationError, match="no field"):
        await memory.update(stored, triggers=["x"])
    with pytest.raises(MemoryNotFoundError):
        await memory.update("nothing-here", "x")


async def test_forget_restore_purge_and_history(memory: AgentMemory) -> None:
    stored = await memory.long_term.store_fact("remember the milk")
    assert [item.id for item in await memory.forget(stored[:8])] == [stored]
    assert await memory.get(stored) is None
    assert await memory.search("milk") == []
    assert await memory.count() == 0
    assert [record.id for record in await memory.list(status="archived")] == [stored]
    assert (await memory.restore(stored[:8])).content == "remember the milk"
    assert (await memory.search("milk"))[0].memory.id == stored
    await memory.forget(stored, purge=True)
    assert await memory.list(status=None) == []
    assert [version.verb for version in await memory.history(stored)] == [
        "add",
        "archive",
        "restore",
        "purge",
    ]
    assert (await memory.restore(stored)).id == stored
    assert (await memory.search("milk"))[0].memory.id == stored
    await memory.forget(stored, shred=True)
    with pytest.raises(MemoryNotFoundError):
        await memory.restore(stored)
    with pytest.raises(MemoryNotFoundError):
        await memory.forget(stored)


async def test_forgetting_several_is_all_or_nothing(memory: AgentMemory) -> None:
    first, second = await memory.long_term.add("one"), await memory.long_term.add("two")
    with pytest.raises(MemoryNotFoundError):
        await memory.forget([first, "nothing-here"])
    assert await memory.count() == 2
    assert len(await memory.forget([first, second], dry_run=True)) == 2
    assert await memory.count() == 2
    assert len(await memory.forget([first, second, first[:6]])) == 2
    assert await memory.count() == 0


async def test_forget_where_spares_what_is_pinned(memory: AgentMemory) -> None:
    pinned = await memory.long_term.add("pinned", tags=["old"])
    await memory.pin(pinned)
    await memory.long_term.add("loose", tags=["old"])
    await memory.long_term.add("other")
    assert len(await memory.forget_where(tags="old", dry_run=True)) == 1
    assert [item.content for item in await memory.forget_where(tags="old")] == ["loose"]
    assert await memory.count() == 2
    assert not (await memory.unpin(pinned)).pinned
    assert len(await memory.forget_where(tags="old")) == 1


async def test_undo_takes_back_one_command_after_another(memory: AgentMemory) -> None:
    first = await memory.long_term.add("first", key="k")
    await memory.long_term.add("second", key="k")
    await memory.forget(first)
    assert [item.verb for item in await memory.undo(dry_run=True)] == ["forget"]
    await memory.undo()
    record = await memory.get("k")
    assert record is not None
    assert record.content == "second"
    await memory.undo()
    record = await memory.get("k")
    assert record is not None
    assert record.content == "first"
    await memory.undo()
    assert await memory.count() == 0
    assert await memory.undo() == []


async def test_undo_brings_purged_memories_back(memory: AgentMemory) -> None:
    stored = await memory.long_term.add("purged", tags=["t"])
    await memory.forget(stored, purge=True)
    await memory.undo()
    record = await memory.get(stored)
    assert record is not None
    assert (record.content, record.tags) == ("purged", ("t",))


async def test_undo_refuses_where_others_built_on_it(memory: AgentMemory) -> None:
    stored = await memory.long_term.add("one")
    await memory.update(stored, "two")
    log = await memory.log()
    await memory.undo()
    assert [operation.verb for operation in log] == ["update", "add"]
    await memory.update(stored, "three")
    await memory.undo(2)
    assert await memory.count() == 0


async def test_counts_statistics_and_clearing(memory: AgentMemory) -> None:
    await fill(memory)
    stats = await memory.get_stats()
    assert stats["agent_id"] == "tester"
    assert stats["total"] == 6
    assert all(stats[memory_type.value] == 1 for memory_type in MemoryType)
    assert await memory.count(types="fact") == 1
    assert await memory.clear_all() == dict.fromkeys((memory_type.value for memory_type in MemoryType), 1)
    assert await memory.count() == 0
    assert (await memory.get_stats())["archived"] == 6
    status = await memory.get_status()
    assert status["memories"] == 0
    await memory.undo()
    assert await memory.count() == 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"content": ""},
        {"content": "   "},
        {"content": 7},
        {"content": "nul\x00"},
        {"content": "lone \ud800"},
        {"content": "x", "importance": 1.5},
        {"content": "x", "importance": math.nan},
        {"content": "x", "importance": True},
        {"content": "x", "metadata": {"a": {1}}},
        {"content": "x", "metadata": {"a": math.nan}},
        {"content": "x", "metadata": {1: "a"}},
        {"content": "x", "ttl": 0},
        {"content": "x", "ttl": "soon"},
        {"content": "x", "tags": [""]},
        {"content": "x", "key": ""},
        {"content": "x", "unknown": 1},
    ],
    ids=str,
)
async def test_bad_input_is_one_clear_error_and_stores_nothing(
    memory: AgentMemory, arguments: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        await memory.long_term.add(**arguments)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="item 2"):
        await memory.long_term.add_many(["fine", arguments])
    assert await memory.count() == 0


async def test_add_many_is_one_operation_with_one_id_per_item(memory: AgentMemory) -> None:
    ids = await memory.long_term.add_many(["a", {"content": "b", "tags": ["t"], "importance": 0.9}, "a"])
    assert len(ids) == 3
    assert ids[0] == ids[2]
    assert await memory.count() == 2
    assert len(await memory.log()) == 1


async def test_ambiguous_prefixes_list_the_candidates(memory: AgentMemory) -> None:
    ids = await memory.long_term.add_many([f"fact {number}" for number in range(3)])
    with pytest.raises(ConflictError):
        record = await memory.get(ids[0])
        assert record is not None
        await memory.update(ids[0], "changed")
        from agent_memory.storage.changes import Operation, Replace

        await memory.backend.commit(Operation(verb="test"), [Replace(record)])
    error = AmbiguousIdError("abcd", ["abcd1", "abcd2"])
    assert "abcd1 abcd2" in str(error)


async def test_a_purged_memory_whose_key_is_taken_does_not_push_the_holder_out(memory: AgentMemory) -> None:
    old = await memory.long_term.add("vim", key="editor")
    await memory.forget(old, purge=True)
    new = await memory.long_term.add("emacs", key="editor")
    with pytest.raises(ValidationError, match="editor"):
        await memory.restore(old)
    assert [record.content for record in await memory.list()] == ["emacs"]
    await memory.forget(new)
    assert (await memory.restore(old)).content == "vim"
    with pytest.raises(ValidationError, match="editor"):
        await memory.restore(new)


async def test_what_goes_for_good_goes_though_archived_expired_or_purged(memory: AgentMemory) -> None:
    def three(word: str) -> list[dict[str, object]]:
        return [{"content": f"{word} {name}", "tags": word} for name in ("live", "archived", "purged")]

    for word, shred in (
        ("one", lambda: memory.forget_where(tags="one", shred=True)),
        ("two", lambda: memory.long_term.clear(shred=True)),
        ("three", lambda: memory.clear_all(shred=True)),
    ):
        ids = await memory.long_term.add_many(three(word))
        expired = await memory.long_term.add(f"{word} expired", tags=word, ttl=60)
        await memory.forget(ids[1])
        await memory.forget(ids[2], purge=True)
        with fixed(now() + timedelta(hours=1)):
            await shred()
        for id in (*ids, expired):
            assert all(version.before is version.after is None for version in await memory.history(id)), word
    assert await memory.backend.purged() == []
    expired = await memory.short_term.add("a secret", ttl=60)
    with fixed(now() + timedelta(hours=1)):
        assert len(await memory.forget(expired, shred=True)) == 1
    purged = await memory.long_term.store_fact("another secret")
    await memory.forget(purged, purge=True)
    assert [item.id for item in await memory.forget(purged, shred=True, dry_run=True)] == [purged]
    assert await memory.long_term.remove(purged, shred=True)
    assert not await memory.long_term.remove(purged, shred=True)
    with pytest.raises(MemoryNotFoundError):
        await memory.forget(purged, shred=True)


async def test_undo_passes_by_what_left_no_trace(memory: AgentMemory) -> None:
    fact = await memory.long_term.store_fact("stays")
    await memory.update(fact, "changed")
    for value in range(3):
        await memory.short_term.set_working_memory("step", value)
    await memory.undo()
    assert await memory.short_term.get_working_memory("step") == 1
    await memory.undo()
    record = await memory.get(fact)
    assert record is not None
    assert record.content == "stays"


async def test_putting_away_at_once_is_no_conflict(memory: AgentMemory) -> None:
    await memory.long_term.add_many([f"fact {number}" for number in range(20)])
    await memory.short_term.add_many([{"content": f"note {number}", "ttl": 1} for number in range(20)])
    with fixed(now() + timedelta(hours=1)):
        cleaned = await asyncio.gather(*(memory.short_term.cleanup_expired() for _ in range(6)))
    assert sum(cleaned) == 20
    cleared = await asyncio.gather(*(memory.long_term.clear() for _ in range(6)))
    assert sum(cleared) == 20


async def test_a_change_does_not_reach_what_was_put_away_meanwhile(memory: AgentMemory) -> None:
    id = await memory.long_term.store_fact("here")
    record = await memory.get(id)
    assert record is not None
    await memory.forget(id)
    with pytest.raises(MemoryNotFoundError):
        await memory._core.change("update", record, lambda item: replace(item, content="there"))


async def test_opening_twice_at_once_opens_once(make_config: Callable[..., MemoryConfig]) -> None:
    memory = AgentMemory("t", make_config())
    await asyncio.gather(*(memory.open() for _ in range(5)))
    assert await memory.long_term.store_fact("one")
    await memory.close()


async def test_a_url_opens_the_agent_that_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    given = {"embedding_provider": "none"}
    async with AgentMemory("ann", MemoryConfig(backend_config={"path": str(path)}, **given)) as memory:
        await memory.long_term.store_fact("hers")
    async with AgentMemory(config=MemoryConfig(backend=f"sqlite://{path}", **given)) as memory:
        assert (memory.agent_id, await memory.count()) == ("ann", 1)
    with pytest.raises(ConfigurationError, match="ann"):
        await AgentMemory("bob", MemoryConfig(backend=f"sqlite://{path}", **given)).open()


async def test_while_everything_is_embedded_anew_the_old_vectors_serve(
    make_config: Callable[..., MemoryConfig],
) -> None:
    async with AgentMemory("t", make_config()) as memory:
        await memory.semantic.add_many([f"text {number}" for number in range(600)])
        before = str(await memory.backend.current_space())
        seen: list[str] = []

        def look(done: int, total: int) -> None:
            seen.append(str(memory.embedding_provider.identity if memory.embedding_provider else None))

        await memory.reembed("dummy", {"dimension": 16}, progress=look)
        assert seen
        assert set(seen) == {before}
        assert "16" in str(await memory.backend.current_space())
        await memory.reembed(embedding_config={"dimension": 24})
        assert "24 dimensions" in str(await memory.backend.current_space())


async def test_an_undo_that_stops_half_way_says_how_far_it_came(memory: AgentMemory) -> None:
    secret = await memory.long_term.store_fact("secret")
    await memory.forget(secret, shred=True)
    await memory.long_term.store_fact("later")
    with pytest.raises(ValidationError, match="1 later operations are taken back"):
        await memory.undo(2)
    assert await memory.count() == 0
    for _ in range(40):
        await memory.short_term.set_working_memory("step", 1)
        await memory.short_term.set_working_memory("step", 2)
    assert len(await memory.undo()) == 1
