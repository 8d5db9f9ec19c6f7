"""Every call of the public API on top of the store, with an embedder that needs no model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.agent import AgentMemory
from agent_memory.errors import CapabilityError, ConfigurationError, MemoryNotFoundError, ValidationError
from agent_memory.testing.store.support import AGENT, MemoryTests, texts


async def _finds(memory: AgentMemory) -> bool:
    """Return whether anything can be searched for; where a backend has nothing to search with, that it says so."""
    capabilities = memory.backend.capabilities
    if capabilities.vectors or capabilities.full_text:
        return True
    with pytest.raises(CapabilityError, match=memory.backend.name):
        await memory.search("anything")
    return False


def _typed(value: Any) -> Any:
    """Return a JSON value with the type of each part, which `==` does not look at."""
    if isinstance(value, Mapping):
        return {name: _typed(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return (type(value), [_typed(item) for item in value])
    return (type(value), value)


class ApiTests(MemoryTests):
    """Every call of the public API."""

    async def test_short_term(self, memory: AgentMemory) -> None:
        short = memory.short_term
        noted = await short.add("a passing thought", importance=0.4, metadata={"n": 1}, ttl=60)
        await short.add_context("reviewing", context_type="task")
        await short.set_working_memory("step", {"n": 1})
        await short.set_working_memory("step", {"n": 2})
        assert await short.get_working_memory("step") == {"n": 2}
        assert await short.get_working_memory("other") is None
        assert texts(await short.get_context("task")) == ["reviewing"]
        assert await short.extend_ttl(noted, timedelta(hours=2))
        assert await short.count() == 3
        if memory.has_semantic:
            results = await short.search_similar("a passing thought", limit=1)
            assert [result.memory.id for result in results] == [noted]
        with clock.fixed(clock.now() + timedelta(hours=1, minutes=30)):
            assert await short.count() == 1
            assert await short.cleanup_expired() == 2
            assert texts(await short.list()) == ["a passing thought"]
        assert await short.remove(noted)
        assert await short.get(noted) is None

    async def test_long_term(self, memory: AgentMemory) -> None:
        long = memory.long_term
        fact = await long.store_fact("Alice lives in Lisbon", tags=["place"], source="chat")
        assert await long.store_fact("Alice lives in Lisbon", tags=["again"]) == fact
        await long.store_preference("editor", "vim")
        assert texts(await long.get_preferences("editor")) == texts(await long.get_preferences()) == ["vim"]
        assert [item.tags for item in await long.get_facts(tags=["again", "none"])] == [("again", "place")]
        await long.update_fact(fact, "Alice lives in Porto", updated_importance=0.9)
        await long.add_tags(fact, ["moved"])
        assert texts(await long.get_by_tags(["moved"])) == ["Alice lives in Porto"]
        assert texts(await long.search(text="porto", tags=["moved"], min_importance=0.8)) == [
            "Alice lives in Porto"
        ]
        duplicate = await memory.add_many(
            [{"type": "fact", "content": "Alice lives in Porto", "force": True}]
        )
        assert duplicate[0] != fact
        merged = await long.consolidate_duplicates(similarity_threshold=0.99)
        assert merged
        assert len(await long.get_facts()) == 1
        assert await long.clear() == 2

    async def test_only_what_says_the_same_is_merged(self, memory: AgentMemory) -> None:
        long = memory.long_term
        kept = await long.add("The server is in Oslo", importance=0.9, tags=["a"], metadata={"rack": 4})
        duplicate = await long.add("server is in  Oslo.", tags=["b"], source="Maria")
        others = [
            await long.store_fact(text)
            for text in (
                "The server is in Rome",
                "Oslo is in the server",
                ".env",
                "env",
                "/etc/App",
                "/etc/app",
            )
        ]
        named = await long.add("The server is in Oslo.", session="of Bob", force=True)
        assert await long.consolidate_duplicates(0.0) == 1
        assert {item.id for item in await long.list()} == {kept, named, *others}
        record = await long.get(kept)
        assert record is not None
        assert (record.tags, record.importance, record.source) == (("a", "b"), 0.9, "Maria")
        assert texts(await memory.list(status="superseded")) == ["server is in  Oslo."]
        assert (await memory.restore(duplicate)).id == duplicate
        (group,) = [item for item in await long.find_duplicates(1.0) if item.merged]
        assert (group.kept.id, [item.id for item in group.merged]) == (kept, [duplicate])

    async def test_conversation(self, memory: AgentMemory) -> None:
        chat = memory.conversation
        for role, said in (("system", "Be brief."), ("user", "Hello"), ("assistant", "Hi"), ("user", "Bye")):
            await chat.add_message(role, said)
        assert texts(await chat.get_messages(limit=2)) == ["Be brief.", "Hi", "Bye"]
        assert texts(await chat.get_messages(include_system=False)) == ["Hello", "Hi", "Bye"]
        assert len(await chat.get_last_n_turns(2)) == 2
        assert await chat.format_history(limit=1) == "system: Be brief.\nuser: Bye"
        first = chat.conversation_id
        second = await chat.new_conversation()
        await chat.add_message("user", "Another matter")
        assert {conversation.value for conversation in await chat.get_conversations()} == {first, second}
        await chat.switch_conversation(str(first))
        assert len(await chat.get_messages()) == 4
        assert await chat.summarize()
        assert len(await chat.get_messages()) == 4
        assert await chat.delete_conversation(second) == 1
        assert await chat.count() >= 4

    async def test_episodic(self, memory: AgentMemory) -> None:
        events = memory.episodic
        yesterday = clock.now() - timedelta(days=1)
        await events.record_event(
            "deploy",
            "Version 2 is out",
            outcome="success",
            participants=["Ann"],
            location="Oslo",
            duration=2.5,
            extra_metadata={"n": 1},
        )
        await events.record_event("deploy", "Version 1 broke", outcome="failed", occurred_at=yesterday)
        await events.record_action("restart", "it runs", success=True)
        assert texts(await events.get_events_by_type("deploy")) == ["Version 2 is out", "Version 1 broke"]
        assert texts(await events.get_events_in_range(yesterday, yesterday + timedelta(hours=1))) == [
            "Version 1 broke"
        ]
        assert len(await events.get_recent_events(hours=1)) == 2
        assert texts(await events.get_successful_events("deploy")) == ["Version 2 is out"]
        assert texts(await events.get_failed_events()) == ["Version 1 broke"]
        assert len(await events.get_event_timeline()) == 3
        if await _finds(memory):
            results = await events.find_similar_events("Version 2 is out", limit=1)
            assert texts([results[0].memory]) == ["Version 2 is out"]

    async def test_semantic(self, memory: AgentMemory) -> None:
        knowledge = memory.semantic
        one = await knowledge.add("Python was created by Guido van Rossum")
        await knowledge.add_many(
            [{"content": "Redis keeps data in memory"}, {"content": "Rust has no collector"}]
        )
        assert await knowledge.count() == 3
        if not memory.has_semantic:
            with pytest.raises(ConfigurationError):
                await knowledge.search("Python")
            return
        assert (await knowledge.search("Python was created by Guido van Rossum", limit=1))[0].memory.id == one
        results = await knowledge.search_with_filters("Redis", tags=["none"])
        assert list(results) == []
        embedder = memory.embedding_provider
        assert embedder is not None
        (vector,) = (await embedder.embed_documents(["by hand"]))[0][:1]
        from array import array

        two = await knowledge.add_with_embedding("made elsewhere", list(array("f", vector)))
        assert await knowledge.get(two) is not None
        assert await knowledge.find_related(one, limit=2, min_score=0.0)
        chunks = await knowledge.add_document("First part.\n\nSecond part.", title="Notes", tags=["doc"])
        document = (await knowledge.get(chunks[0])).document_id  # type: ignore[union-attr]
        assert len(await knowledge.get_by_document_id(str(document))) == len(chunks)
        await knowledge.add_chunks(["a", "b"], document_id="mine")
        assert texts(await knowledge.get_by_document_id("mine")) == ["a", "b"]
        assert await knowledge.update_embedding(one)
        assert await knowledge.reindex_all() >= 0

    async def test_procedural(self, memory: AgentMemory) -> None:
        skills = memory.procedural
        skill = await skills.record_skill("backoff", "Wait, then retry", triggers=["429"], category="http")
        await skills.record_workflow("deploy", ["build", "ship"], triggers=["release"])
        named = await skills.get_skill("backoff")
        assert named is not None
        assert named.id == skill
        assert [item.name for item in await skills.get_skills_by_category("http")] == ["backoff"]
        await skills.add_trigger(skill, "rate limit")
        if await _finds(memory):
            applicable = await skills.find_applicable_skills("we hit the rate limit", limit=2)
            assert applicable[0].memory.id == skill
        for success in (True, True, True, False):
            await skills.record_skill_usage(skill, success=success)
        assert (await skills.get_most_used_skills(1))[0].use_count == 4
        assert (await skills.get_most_successful_skills(min_uses=3))[0].success_count == 3
        assert (await skills.get_skill_as_object("deploy")) is not None

    async def test_everything_together(self, memory: AgentMemory) -> None:
        ids = await memory.add_many(
            [
                {"type": "fact", "content": "The database is in Oslo", "tags": ["ops"], "key": "place"},
                {"type": "event", "content": "The database moved", "importance": 0.9},
                {"type": "doc", "content": "Databases keep data"},
            ]
        )
        assert memory.agent_id == AGENT
        if await _finds(memory):
            results = await memory.search("The database is in Oslo", limit=2, tags=["ops"], explain=True)
            assert [result.memory.id for result in results] == [ids[0]]
            assert 0 <= results[0].score <= 1
            assert results[0].explanation
            assert "Oslo" in (await memory.recall("The database is in Oslo", budget=400)).text
        assert (await memory.recall(budget=400)).tokens <= 400
        for reference in (ids[0], ids[0][:8], "place"):
            kept = await memory.get(reference)
            assert kept is not None
            assert kept.id == ids[0]
        updated = await memory.update("place", "The database is in Bergen", add_tags=["new"])
        assert updated.tags == ("new", "ops")
        await memory.pin(ids[0])
        assert texts(await memory.list(pinned=True)) == ["The database is in Bergen"]
        await memory.unpin(ids[0])
        assert await memory.count() == 3
        stats = await memory.get_stats()
        assert (stats["agent_id"], stats["total"], stats["long_term"]) == (AGENT, 3, 1)
        assert (await memory.get_status())["memories"] == 3
        await memory.forget(ids[1])
        assert await memory.count(types="event") == 0
        assert (await memory.restore(ids[1])).content == "The database moved"
        await memory.forget(ids[2], purge=True)
        with pytest.raises(MemoryNotFoundError):
            await memory.forget(ids[2])
        assert sum((await memory.clear_all()).values()) == 2
        assert await memory.count() == 0

    async def test_several_conditions_on_one_name_must_all_hold(self, memory: AgentMemory) -> None:
        places = {"prod": 3, "staging": 5, "dev": 5, "test": 8}
        await memory.add_many(
            [
                {"type": "fact", "content": f"{name} runs", "metadata": {"env": name, "load": load}}
                for name, load in places.items()
            ]
        )
        await memory.long_term.store_fact("somewhere it runs")
        for metadata, expected in (
            ({"env": [{"!=": "prod"}, {"!=": "staging"}]}, ["dev", "test"]),
            ({"env": [{"!=": "prod"}, {"!=": "staging"}, {"!=": "dev"}]}, ["test"]),
            ({"load": [{">": 3}, {"<": 8}, {"!=": 4}], "env": [{"!=": "dev"}]}, ["staging"]),
            ({"env": [{"=": "prod"}, {"=": "dev"}]}, []),
            ({"env": [{"exists": True}, {"in": ("prod", "dev")}, {"!=": "prod"}]}, ["dev"]),
        ):
            listed = await memory.list(metadata=metadata)
            assert sorted(texts(listed)) == [f"{name} runs" for name in expected], metadata
            assert await memory.count(metadata=metadata) == len(expected), metadata
            if await _finds(memory):
                results = await memory.search("what runs", metadata=metadata)
                assert sorted(result.memory.content for result in results) == sorted(texts(listed)), metadata
        await memory.forget_where(metadata={"env": [{"!=": "prod"}, {"!=": "staging"}]})
        assert sorted(texts(await memory.list())) == ["prod runs", "somewhere it runs", "staging runs"]

    async def test_what_is_kept_is_what_json_gives_back(self, memory: AgentMemory) -> None:
        class Level(IntEnum):
            HIGH = 3

        class Place(str, Enum):  # noqa: UP042 - a StrEnum says its value by itself, this one does not
            OSLO = "oslo"

        class Share(float):
            pass

        values: dict[str, Any] = {
            "pair": (1, 2),
            "deep": {"a": [(1, (2.5, "x")), {"b": ()}], 7: "seven", None: 0, True: 1},
            "level": Level.HIGH,
            "place": Place.OSLO,
            "share": Share(0.25),
            "kept": [True, 1, 1.0, None, "", -0.5, 2**60],
        }
        kept = {
            "pair": [1, 2],
            "deep": {"a": [[1, [2.5, "x"]], {"b": []}], "7": "seven", "null": 0, "true": 1},
            "level": 3,
            "place": "oslo",
            "share": 0.25,
            "kept": [True, 1, 1.0, None, "", -0.5, 2**60],
        }
        fact = await memory.long_term.add(Place.OSLO, metadata=values, tags=[Place.OSLO], key=Place.OSLO)
        event = await memory.episodic.record_event(
            Place.OSLO,
            "it moved",
            duration=Level.HIGH,
            participants=(Place.OSLO,),
            extra_metadata={"n": (1,)},
        )
        await memory.update(event, metadata={"n": ((2,),)})
        await memory.short_term.set_working_memory("step", values)
        # What is given is not shared: what its owner does with it later changes nothing.
        values["deep"]["a"].clear()
        record = await memory.get(fact)
        assert record is not None
        assert (record.content, record.tags, record.key) == ("oslo", ("oslo",), "oslo")
        assert _typed(record.metadata) == _typed(kept)
        assert {type(tag) for tag in (record.content, record.key, *record.tags)} == {str}
        happened: Any = await memory.get(event)
        assert _typed(
            (happened.event_type, happened.duration, list(happened.participants), happened.metadata)
        ) == (_typed(("oslo", 3.0, ["oslo"], {"n": [[2]]})))
        assert _typed(await memory.short_term.get_working_memory("step")) == _typed(kept)
        if memory.backend.capabilities.journal:
            await memory.forget(fact)
            await memory.undo()
            assert await memory.get(fact) is not None
        await memory.forget([fact, event])
        restored = await memory.restore(fact)
        assert _typed(restored.metadata) == _typed(kept)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ({1, 2}, "of the type set"),
            ((datetime(2026, 5, 8, tzinfo=UTC),), "of the type datetime.*isoformat"),
            ({"inner": b"bytes"}, "of the type bytes"),
            ([Decimal("1.5")], "of the type Decimal"),
            ({"a": {1: "x", "1": "y"}}, "the same text"),
            ({(1, 2): "x"}, "a name in the .* of the type tuple"),
            (float("nan"), "not JSON"),
            ([float("inf")], "not JSON"),
            (object(), "of the type object"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )
    async def test_what_json_cannot_hold_is_refused(self, memory: AgentMemory, value: Any, said: str) -> None:
        fact = await memory.long_term.add("a fact")
        for call in (
            lambda: memory.long_term.add("another", metadata={"v": value}),
            lambda: memory.add_many([{"content": "another", "metadata": {"v": value}}]),
            lambda: memory.update(fact, metadata={"v": value}),
            lambda: memory.short_term.set_working_memory("v", value),
        ):
            with pytest.raises(ValidationError, match=said):
                await call()
        assert await memory.count() == 1

    async def test_looking_back(self, memory: AgentMemory) -> None:
        fact = await memory.long_term.store_fact("one")
        await memory.update(fact, "two")
        calls: list[Any] = [memory.history(fact), memory.log(), memory.undo()]
        if not memory.backend.capabilities.journal:
            for call in calls:
                with pytest.raises(CapabilityError, match=memory.backend.name):
                    await call
            return
        versions, log, undone = [await call for call in calls]
        assert [version.verb for version in versions] == ["add", "update"]
        assert [operation.verb for operation in log] == ["update", "add"]
        assert [item.verb for item in undone] == ["update"]
        assert texts(await memory.list()) == ["one"]
