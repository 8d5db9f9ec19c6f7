"""What of a conversation is in view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from agent_memory import AgentMemory, ConversationRecord, MemoryConfig, ValidationError
from agent_memory.memories.given import DefaultLimit
from agent_memory.memories.window import in_view, turns
from agent_memory.records import Status
from agent_memory.storage.changes import Operation, Replace
from agent_memory.testing import builders

Configure = Callable[..., MemoryConfig]


@pytest.mark.parametrize(
    ("limit", "window", "count"),
    [
        (DefaultLimit(50), 100, 50),
        (DefaultLimit(50), 20, 20),
        (DefaultLimit(50), 0, 50),
        (50, 20, 50),
        (5, 20, 5),
        (None, 20, None),
        (None, 0, None),
    ],
)
def test_a_limit_that_somebody_named_comes_before_the_window(
    limit: int | None, window: int, count: int | None
) -> None:
    assert in_view(limit, window) == count


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", []),
        ("u:1", [("1", None)]),
        ("a:1", [(None, "1")]),
        ("a:1 a:2 u:3", [(None, "2"), ("3", None)]),
        ("u:1 a:2 t:3 a:4", [("1", "4")]),
        ("u:1 a:2 t:3 t:4 a:5 t:6 a:7 u:8 a:9", [("1", "7"), ("8", "9")]),
        ("u:1 u:2 a:3 s:4 narrator:5", [("1", None), ("2", "3")]),
        ("t:1 a:2 u:3 t:4", [(None, "2"), ("3", None)]),
    ],
)
def test_turns_are_questions_and_last_answers(
    said: str, expected: list[tuple[str | None, str | None]]
) -> None:
    roles = {"u": "user", "a": "assistant", "t": "tool", "s": "system"}
    pairs = [word.split(":") for word in said.split()]
    messages = [builders.message(text, role=roles.get(role, role)) for role, text in pairs]
    found = [(asked and asked.content, answer and answer.content) for asked, answer in turns(messages)]
    assert found == expected


@pytest.mark.anyio
@pytest.mark.parametrize("window", [0, 3, 8, 100])
async def test_the_last_turns_are_those_of_the_window(make_config: Configure, window: int) -> None:
    async with AgentMemory("t", make_config(conversation_max_messages=window)) as memory:
        said = []
        for number in range(12):
            for role in ("user", *("assistant", "tool") * (number % 4), "assistant"):
                await memory.conversation.add_message(role, f"{role} {number}")
                said.append((role, f"{role} {number}"))
        in_window = [builders.message(text, role=role) for role, text in said[-window:]]
        texts = [(asked and asked.content, answer and answer.content) for asked, answer in turns(in_window)]
        for n in (1, 2, 5, 12, 50):
            found = await memory.conversation.get_last_n_turns(n)
            expected = (
                texts[-n:] if window else [(f"user {item}", f"assistant {item}") for item in range(12)][-n:]
            )
            assert [
                (asked and asked.content, answer and answer.content) for asked, answer in found
            ] == expected
        assert await memory.conversation.get_last_n_turns(0) == []


@pytest.mark.anyio
async def test_a_limit_below_nothing_is_refused(memory: AgentMemory) -> None:
    await memory.conversation.add_message("user", "hello")
    with pytest.raises(ValidationError, match="negative"):
        await memory.conversation.get_messages(-1)


@pytest.mark.anyio
async def test_the_signature_names_the_usual_limit(memory: AgentMemory) -> None:
    import inspect

    assert str(inspect.signature(memory.conversation.get_messages).parameters["limit"]).endswith("= 50")
    assert str(inspect.signature(memory.conversation.format_history).parameters["limit"]).endswith("= 20")


class Heard:
    """A summariser that notes what it was given."""

    def __init__(self) -> None:
        self.last: list[str] = []

    def __call__(self, messages: Sequence[ConversationRecord]) -> str:
        self.last = [f"{message.kind} {message.content}" for message in messages]
        return f"a summary of {len(messages)}"


async def archive_as_the_first_version_did(memory: AgentMemory, count: int) -> None:
    """Put the oldest messages away in one operation with a summary of them."""
    await memory.conversation.summarize(lambda messages: "what was said before")
    oldest = (await memory.conversation.get_messages(None))[:count]
    summary = await memory.conversation.get_summary()
    assert summary is not None
    changes = [Replace(replace(item, status=Status.ARCHIVED), "archive") for item in oldest]
    await memory.backend.commit(
        Operation(verb="trim"), [*changes, Replace(replace(summary, importance=0.6), "update")]
    )


@pytest.mark.anyio
async def test_files_of_the_first_version_keep_what_they_have(make_config: Configure) -> None:
    async with AgentMemory("t", make_config(conversation_max_messages=4)) as memory:
        chat, heard = memory.conversation, Heard()
        said = [await chat.add_message("user", f"message {number}") for number in range(9)]
        await archive_as_the_first_version_did(memory, 3)
        assert [message.id for message in await chat.get_messages(None)] == said[3:]
        assert [message.id for message in await chat.get_messages(archived=True)] == said[:3]
        await chat.summarize(heard)
        assert heard.last == ["summary what was said before", "message message 3", "message message 4"]
        for item in said[:3]:
            await memory.restore(item)
        assert [message.id for message in await chat.get_messages(None)] == said
        await chat.summarize(heard)
        assert heard.last == [f"message message {number}" for number in range(5)]


@pytest.mark.anyio
async def test_a_summary_forgets_what_was_taken_back(make_config: Configure) -> None:
    async with AgentMemory("t", make_config(conversation_max_messages=3)) as memory:
        chat, heard = memory.conversation, Heard()
        secret = await chat.add_message("user", "My password is hunter2.")
        for number in range(6):
            await chat.add_message("user", f"Project {number} begins.")
        await chat.summarize(lambda messages: "the password is hunter2")
        await chat.remove(secret)
        await chat.summarize(heard)
        assert heard.last == [f"message Project {number} begins." for number in range(3)]
