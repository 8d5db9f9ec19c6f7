"""Memories that come in the shape in which they are printed, taken over whole by every store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.agent import AgentMemory
from agent_memory.embeddings.registry import create_embedder
from agent_memory.errors import ValidationError
from agent_memory.records import to_dict
from agent_memory.settings import Settings
from agent_memory.testing.store.support import MemoryTests, StoreFactory

LONG_AGO = datetime(2020, 2, 29, 13, 37, 33, 999700, tzinfo=UTC)
_ITS_OWN = ("id", "updated_at", "accessed_at", "access_count", "agent_id")


def _said(memories: list[Any]) -> list[dict[str, Any]]:
    """Return what memories say but for what each store says of its own."""
    return [{k: v for k, v in to_dict(memory).items() if k not in _ITS_OWN} for memory in memories]


async def _all_types(memory: AgentMemory) -> None:
    """Store memories of all types, with every field that can be set."""
    common: dict[str, Any] = {
        "tags": ["a", "b"],
        "source": "test",
        "metadata": {"n": 1, "deep": {"x": [1, None]}},
    }
    with clock.fixed(LONG_AGO):
        await memory.long_term.add(
            "Alice lives in Paris", 0.9, key="home", pinned=True, session="s1", **common
        )
        await memory.long_term.store_preference("editor", "vim")
        event = {**common, "extra_metadata": common["metadata"]}
        del event["metadata"]
        await memory.episodic.record_event(
            "deploy",
            "version 2 went out",
            "failed: timeout",
            ["Ann", "Bob"],
            "Oslo",
            duration=12.5,
            occurred_at=LONG_AGO - timedelta(days=3),
            **event,
        )
        await memory.episodic.record_action("restart", "it runs", success=True)
        await memory.conversation.new_conversation("talk")
        for role, name in (("system", None), ("user", "Ann"), ("assistant", None)):
            await memory.conversation.add_message(role, f"said by {role}", name=name, at=LONG_AGO)
        await memory.conversation.add("by itself", session="other", role="user")
        await memory.semantic.add_chunks(
            ["one", "two", "one"], title="Numbers", path="/srv/numbers.md", **common
        )
        await memory.semantic.add("a single piece", ttl="4000d")
        skill = await memory.procedural.record_skill("backoff", "wait", ["429"], "http", **common)
        for success in (True, False, True):
            await memory.procedural.record_skill_usage(skill, success=success)
        await memory.procedural.record_workflow("ship", ["build", "test"], ["release"])
    await memory.short_term.set_working_memory("step", {"n": [1, 2.5, None, "x"]})
    await memory.short_term.set_working_memory("count", 0)
    await memory.short_term.set_working_memory("nothing", None)
    await memory.short_term.add_context("reviewing", context_type="task")
    await memory.short_term.add("a note", ttl="2h", **common)


class LineTests(MemoryTests):
    """Objects with the names of `to_dict`."""

    async def test_all_that_is_listed_is_taken_over_by_an_empty_store(
        self, memory: AgentMemory, store_factory: StoreFactory
    ) -> None:
        await _all_types(memory)
        listed = await memory.list(None)
        embedder = create_embedder("dummy", {"dimension": 8})
        store = store_factory("another")
        async with AgentMemory("another", Settings(), backend=store, embedding_provider=embedder) as other:
            added = await other.add_objects([to_dict(item) for item in listed])
            assert len(added.written) == len(listed)
            assert {"id", "updated_at", "status", "agent_id"} <= added.dropped
            assert _said(await other.list(None)) == _said(listed)
            assert await other.check() == []
            skill = await other.procedural.get_skill("backoff")
            assert skill is not None
            assert (skill.use_count, skill.success_count) == (3, 2)
            assert await other.short_term.get_working_memory("step") == {"n": [1, 2.5, None, "x"]}

    async def test_times_of_items_are_taken_over(self, memory: AgentMemory) -> None:
        ends = clock.now() + timedelta(days=9)
        ids = await memory.add_many(
            [
                {"type": "fact", "content": "old", "created_at": LONG_AGO},
                {"type": "note", "content": "ends", "expires_at": ends},
                {"type": "event", "content": "both", "created_at": LONG_AGO, "occurred_at": ends},
            ]
        )
        records = [await memory.get(id) for id in ids]
        assert [result.created_at == LONG_AGO for result in records if result is not None] == [
            True,
            False,
            True,
        ]
        assert [result.expires_at for result in records if result is not None] == [None, ends, None]
        with clock.fixed(ends + timedelta(seconds=1)):
            assert await memory.get(ids[1]) is None

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"content": "x", "status": "archived"}, "archived"),
            ({"content": "x", "status": "superseded"}, "superseded"),
            ({"content": "x", "expires_at": "2020-01-01"}, "ended"),
            ({"content": "x", "colour": "red"}, "colour"),
            ({"content": "x", "role": "user"}, "role"),
            ({"content": "x", "created_at": 5}, "created_at"),
            ({"tags": ["x"]}, "content"),
        ],
    )
    async def test_what_cannot_be_taken_over_is_refused_by_name_and_nothing_is_stored(
        self, memory: AgentMemory, wrong: dict[str, Any], says: str
    ) -> None:
        with pytest.raises(ValidationError, match=f"^line 7: .*{says}"):
            await memory.add_objects([{"content": "fine"}, wrong], names=["line 5", "line 7"])
        assert await memory.count(status=None) == 0
