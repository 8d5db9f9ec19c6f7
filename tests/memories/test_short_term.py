from __future__ import annotations

from datetime import timedelta

import pytest

from agent_memory import AgentMemory, ValidationError
from agent_memory.clock import fixed, now

pytestmark = pytest.mark.anyio


async def test_a_note_lives_for_the_default_time(memory: AgentMemory) -> None:
    note = await memory.short_term.get(await memory.short_term.add("deploy at noon", importance=0.7))
    assert note is not None
    assert note.expires_at is not None
    assert note.expires_at - note.created_at == timedelta(hours=1)
    assert note.importance == 0.7


async def test_what_has_expired_is_never_returned(memory: AgentMemory) -> None:
    brief = await memory.short_term.add("zebra for a minute", ttl=60)
    await memory.short_term.add("zebra for an hour")
    with fixed(now() + timedelta(minutes=2)):
        assert await memory.short_term.get(brief) is None
        assert [record.content for record in await memory.short_term.list()] == ["zebra for an hour"]
        assert await memory.short_term.count() == 1
        assert [scored.memory.content for scored in await memory.search("zebra", mode="keyword")] == [
            "zebra for an hour"
        ]
        assert all(scored.memory.id != brief for scored in await memory.search("zebra"))
        assert await memory.short_term.cleanup_expired() == 1
        assert await memory.short_term.cleanup_expired() == 0
        assert await memory.short_term.count() == 1


async def test_context_by_type_newest_first(memory: AgentMemory) -> None:
    await memory.short_term.add_context("step 1", context_type="task")
    await memory.short_term.add_context("step 2", context_type="task")
    await memory.short_term.add_context("it rains")
    assert [item.content for item in await memory.short_term.get_context("task")] == ["step 2", "step 1"]
    general = await memory.short_term.get_context("general")
    assert [(item.content, item.importance) for item in general] == [("it rains", 0.6)]
    assert len(await memory.short_term.get_context(limit=2)) == 2


@pytest.mark.parametrize(
    "value", ["text", "", 3, 2.5, True, None, [1, "a"], {"deep": {"er": [None]}}, "日本語"]
)
async def test_working_memory_keeps_any_json_value(memory: AgentMemory, value: object) -> None:
    await memory.short_term.set_working_memory("key", "before")
    await memory.short_term.set_working_memory("key", value)
    assert await memory.short_term.get_working_memory("key") == value
    assert await memory.short_term.count() == 1


async def test_working_memory_that_is_not_json_is_refused(memory: AgentMemory) -> None:
    with pytest.raises(ValidationError, match="value"):
        await memory.short_term.set_working_memory("key", object())
    assert await memory.short_term.get_working_memory("key") is None


async def test_setting_again_after_expiry_is_a_new_value(memory: AgentMemory) -> None:
    await memory.short_term.set_working_memory("key", 1)
    with fixed(now() + timedelta(hours=2)):
        assert await memory.short_term.get_working_memory("key") is None
        await memory.short_term.set_working_memory("key", 2)
        assert await memory.short_term.get_working_memory("key") == 2
        assert await memory.short_term.list_working_memory() == {"key": 2}


async def test_extend_ttl_adds_to_what_is_left(memory: AgentMemory) -> None:
    note = await memory.short_term.add("wait", ttl="10m")
    before = await memory.short_term.get(note)
    assert await memory.short_term.extend_ttl(note, "5m")
    after = await memory.short_term.get(note)
    assert before is not None
    assert after is not None
    assert after.expires_at is not None
    assert before.expires_at is not None
    assert after.expires_at - before.expires_at == timedelta(minutes=5)
    assert await memory.short_term.extend_ttl(note)
    assert not await memory.short_term.extend_ttl("nothing-here")
