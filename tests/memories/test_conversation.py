from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from agent_memory import (
    AgentMemory,
    AmbiguousIdError,
    MemoryConfig,
    ValidationError,
)

pytestmark = pytest.mark.anyio


async def test_messages_come_back_oldest_first_the_newest_of_them(memory: AgentMemory) -> None:
    for number in range(6):
        await memory.conversation.add_message("user" if number % 2 == 0 else "assistant", f"message {number}")
    messages = await memory.conversation.get_messages(limit=3)
    assert [(message.content, message.position) for message in messages] == [
        ("message 3", 3),
        ("message 4", 4),
        ("message 5", 5),
    ]
    assert memory.conversation.conversation_id == messages[0].conversation_id == messages[0].session


async def test_system_messages_can_be_left_out(memory: AgentMemory) -> None:
    await memory.conversation.add_message("system", "be brief")
    await memory.conversation.add_message("user", "hello")
    assert [message.role for message in await memory.conversation.get_messages(include_system=False)] == [
        "user"
    ]
    assert len(await memory.conversation.get_messages()) == 2


async def test_turns_pair_what_was_said_with_its_answer(memory: AgentMemory) -> None:
    for role, text in [("assistant", "hi"), ("user", "a"), ("assistant", "b"), ("user", "c"), ("user", "d")]:
        await memory.conversation.add_message(role, text)
    turns = [
        (said and said.content, answered and answered.content)
        for said, answered in await memory.conversation.get_last_n_turns(10)
    ]
    assert turns == [(None, "hi"), ("a", "b"), ("c", None), ("d", None)]
    assert len(await memory.conversation.get_last_n_turns(2)) == 2


async def test_speaker_and_time_of_a_message(memory: AgentMemory) -> None:
    then = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    await memory.conversation.add_message("user", "I went hiking", name="Melanie", at=then)
    message = (await memory.conversation.get_messages())[0]
    assert (message.name, message.occurred_at) == ("Melanie", then)
    assert (await memory.search("Melanie", mode="keyword"))[0].memory.id == message.id
    assert (await memory.search("May 2023", mode="keyword"))[0].memory.id == message.id
    assert (
        await memory.conversation.format_history(format_template="{name}> {content}")
        == "Melanie> I went hiking"
    )


async def test_switching_conversations_keeps_each_index_and_misses_nothing(memory: AgentMemory) -> None:
    first = await memory.conversation.new_conversation("first")
    await memory.conversation.add_message("user", "a1")
    await memory.conversation.new_conversation("second")
    await memory.conversation.add_message("user", "b1")
    assert await memory.conversation.switch_conversation(first) == "first"
    await memory.conversation.add_message("user", "a2")
    assert [(message.content, message.position) for message in await memory.conversation.get_messages()] == [
        ("a1", 0),
        ("a2", 1),
    ]
    groups = {
        conversation.value: conversation.count
        for conversation in await memory.conversation.get_conversations()
    }
    assert groups == {"first": 2, "second": 1}


async def test_the_most_recently_written_conversation_is_the_default(
    make_config: Callable[..., MemoryConfig], backend: str
) -> None:
    async with AgentMemory("t", make_config()) as memory:
        await memory.conversation.new_conversation("one")
        await memory.conversation.add_message("user", "hello")
        await memory.conversation.new_conversation("two")
        await memory.conversation.add_message("user", "again")
        if backend == "memory":
            assert memory.conversation.conversation_id == "two"
            return
    async with AgentMemory("t", make_config()) as memory:
        await memory.conversation.add_message("assistant", "yes?")
        assert memory.conversation.conversation_id == "two"
        await memory.conversation.set_default_conversation("one")
    async with AgentMemory("t", make_config()) as memory:
        await memory.conversation.add_message("assistant", "back")
        assert [message.content for message in await memory.conversation.get_messages()] == ["hello", "back"]


async def test_summaries_with_and_without_a_callable(memory: AgentMemory) -> None:
    assert await memory.conversation.summarize() is None
    await memory.conversation.add_message("user", "We chose PostgreSQL for the billing service.")
    await memory.conversation.add_message("assistant", "Noted.")
    summary = await memory.conversation.summarize()
    assert summary is not None
    assert "PostgreSQL" in summary

    async def shout(messages: object) -> str:
        return "BILLING ON POSTGRES"

    assert await memory.conversation.summarize(shout) == "BILLING ON POSTGRES"
    stored = await memory.conversation.get_summary()
    assert stored is not None
    assert stored.content == "BILLING ON POSTGRES"
    assert len(await memory.conversation.get_messages()) == 2


async def test_deleting_a_conversation_archives_it(memory: AgentMemory) -> None:
    await memory.conversation.new_conversation("gone")
    await memory.conversation.add_message("user", "secret")
    await memory.conversation.add_message("user", "secret")
    await memory.conversation.new_conversation("stays")
    kept = await memory.conversation.add_message("user", "here")
    assert await memory.conversation.delete_conversation("gone") == 2
    assert [record.id for record in await memory.conversation.list()] == [kept]
    assert await memory.search("secret", mode="keyword") == []
    assert await memory.undo()
    assert await memory.conversation.count() == 3


async def test_a_full_conversation_takes_many_messages_at_once(
    make_config: Callable[..., MemoryConfig],
) -> None:
    async with AgentMemory("t", make_config(conversation_max_messages=10)) as memory:
        await memory.conversation.add_message("user", "first")
        ids = await asyncio.gather(
            *(memory.conversation.add_message("user", f"message {number}") for number in range(60))
        )
        assert len(set(ids)) == 60
        last = await memory.conversation.add_message("user", "last")
        assert len(await memory.conversation.get_messages()) == 10
        everything = await memory.conversation.get_messages(None)
        assert [item.position for item in everything] == list(range(62))
        assert everything[-1].id == last
        assert await memory.count() == await memory.count(status=None) == 62


async def test_messages_at_once_make_one_conversation(memory: AgentMemory) -> None:
    await asyncio.gather(*(memory.conversation.add_message("user", str(number)) for number in range(9)))
    (only,) = await memory.conversation.get_conversations()
    assert (only.count, only.value) == (9, memory.conversation.conversation_id)


async def test_a_switch_is_not_overtaken_by_a_look(memory: AgentMemory) -> None:
    await memory.conversation.add_message("user", "1", conversation_id="one")
    looking = asyncio.ensure_future(memory.conversation.get_messages())
    await asyncio.sleep(0)
    await memory.conversation.switch_conversation("two")
    await looking
    assert memory.conversation.conversation_id == "two"


async def test_a_name_is_never_guessed_and_an_id_may_be_shortened(memory: AgentMemory) -> None:
    await memory.conversation.add_message("user", "1", conversation_id="support-4711")
    assert await memory.conversation.switch_conversation("supp") == "supp"
    assert await memory.conversation.get_messages() == []
    made = await memory.conversation.new_conversation()
    await memory.conversation.add_message("user", "2")
    await memory.conversation.switch_conversation("elsewhere")
    assert [
        message.content for message in await memory.conversation.get_messages(conversation_id=made[:4])
    ] == ["2"]
    assert await memory.conversation.get_messages(conversation_id=made[:3]) == []
    assert await memory.conversation.switch_conversation(made[:6]) == made
    twin = made[:8] + ("0" if made[8] != "0" else "1") + made[9:]
    await memory.conversation.add_message("user", "3", conversation_id=twin)
    with pytest.raises(AmbiguousIdError):
        await memory.conversation.delete_conversation(made[:8])
    assert await memory.conversation.delete_conversation(twin[:9]) == 1


async def test_a_conversation_can_be_shredded_with_what_left_it_before(
    make_config: Callable[..., MemoryConfig],
) -> None:
    async with AgentMemory("t", make_config(conversation_max_messages=5)) as memory:
        ids = [await memory.conversation.add_message("user", f"secret {number}") for number in range(9)]
        await memory.forget(ids[8], purge=True)
        stays = await memory.conversation.add_message("user", "harmless", conversation_id="other")
        await memory.conversation.switch_conversation("other")
        await memory.forget(ids[:2])
        gone = (await memory.conversation.get_conversations())[-1].value
        assert await memory.conversation.delete_conversation(gone, shred=True) == 9
        assert [item.id for item in await memory.list(None, status=None)] == [stays]
        for id in ids:
            assert all(version.before is version.after is None for version in await memory.history(id))


async def test_a_template_that_cannot_be_filled_in_says_so(memory: AgentMemory) -> None:
    await memory.conversation.add_message("user", "hello")
    for template in ("{speaker}: {content}", "{0}", "{content", "{content.nope}"):
        with pytest.raises(ValidationError, match="format template"):
            await memory.conversation.format_history(format_template=template)


async def test_a_message_stays_in_its_conversation(memory: AgentMemory) -> None:
    id = await memory.conversation.add_message("user", "hello", conversation_id="one")
    with pytest.raises(ValidationError, match="stays in its conversation"):
        await memory.update(id, session="two")
    with pytest.raises(ValidationError, match="stays in its conversation"):
        await memory.update(id, conversation_id="two")
    assert (await memory.update(id, "hello!", session="one")).session == "one"


async def test_the_environment_names_the_conversation(
    make_config: Callable[..., MemoryConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_SESSION", "from-the-shell")
    async with AgentMemory("t", make_config()) as memory:
        await memory.conversation.add_message("user", "1")
        assert memory.conversation.conversation_id == "from-the-shell"
        assert [conversation.value for conversation in await memory.conversation.get_conversations()] == [
            "from-the-shell"
        ]
