"""Conversations: all messages stay, and a window shows the newest of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from io import BytesIO

import pytest

from agent_memory.agent import AgentMemory
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.memories.conversation import DEFAULT_CONVERSATION, ConversationMemory
from agent_memory.records import ConversationRecord, MemoryType, Status
from agent_memory.settings import Settings
from agent_memory.storage import listing
from agent_memory.storage.base import Order, Store
from agent_memory.storage.where import Condition, Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import (
    AGENT,
    StoreFactory,
    StoreTests,
    change,
    ids,
    put,
    remove,
    texts,
)

WINDOW = 4


async def _say(chat: ConversationMemory, *said: tuple[str, str]) -> list[str]:
    return [await chat.add_message(role, text) for role, text in said]


_PLACED = (("zero", 0), ("two", 2))


def _numbered(count: int) -> list[tuple[str, str]]:
    return [("user" if number % 2 == 0 else "assistant", f"message {number}") for number in range(count)]


class ConversationTests(StoreTests):
    """All messages of a conversation stay, and a window shows the newest of them."""

    async def test_one_conversation_is_listed_by_position(self, store: Store) -> None:
        roles = ("system", "user", "assistant", "tool")
        records = [
            builders.message(f"{number}", conversation_id=f"chat-{number % 3}", role=roles[number % 4])
            for number in range(80)
        ]
        stored = await put(
            store, *records, builders.message("said before", kind="summary", conversation_id="chat-1")
        )
        await remove(store, stored[4])
        await change(store, stored[7], "archive", status=Status.ARCHIVED)
        for more in (
            (),
            (Condition("kind", "=", "message"),),
            (Condition("role", "in", ("user", "tool")),),
            (Condition("role", "!=", "system"), Condition("role", "!=", "tool")),
            (Condition("position", "<", 12), Condition("role", "=", "assistant")),
            (Condition("role", "=", "nobody"),),
            (Condition("event_type", "=", "deploy"),),
        ):
            where = Where(
                types=(MemoryType.CONVERSATION,), fields=(Condition("conversation_id", "=", "chat-1"), *more)
            )
            everything = await store.select(where)
            whole = sorted(everything, key=lambda item: listing.sort_value(item, "position"))
            for order, expected in (
                (Order("position", descending=False), whole),
                (Order("position"), whole[::-1]),
            ):
                assert ids(await store.select(where, order)) == ids(expected)
                for limit, offset in ((0, 0), (1, 0), (5, 0), (5, 3), (100, 0), (3, 200)):
                    part = expected[offset : offset + limit]
                    assert ids(await store.select(where, order, limit, offset)) == ids(part)

    @pytest.fixture
    async def chatty(self, store_factory: StoreFactory, anyio_backend: object) -> AsyncIterator[AgentMemory]:
        """Return an agent's memory with a small window."""
        settings = Settings(conversation_max_messages=WINDOW, session=None)
        store, embedder = store_factory(AGENT), DummyEmbedder(dimension=8)
        async with AgentMemory(AGENT, settings, backend=store, embedding_provider=embedder) as made:
            yield made
            assert await made.check() == []

    async def test_a_conversation_keeps_what_it_is_told_and_shows_the_newest(
        self, chatty: AgentMemory
    ) -> None:
        chat = chatty.conversation
        said = await _say(chat, *_numbered(11))
        newest = [f"message {number}" for number in range(11)]
        assert texts(await chat.get_messages()) == newest[-WINDOW:]
        assert texts(await chat.get_messages(limit=2)) == newest[-2:]
        assert texts(await chat.get_messages(limit=6)) == newest[-6:]
        assert ids(await chat.get_messages(limit=None)) == said
        assert await chat.get_messages(limit=0) == []
        history = [f"{role}: {text}" for role, text in _numbered(11)]
        assert (await chat.format_history()).splitlines() == history[-WINDOW:]
        assert (await chat.format_history(None)).splitlines() == history
        recalled = await chatty.recall(last=3, budget=400)
        assert texts([item.memory for item in recalled.items]) == newest[-3:]

    async def test_a_position_is_given_once(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        first = [await chat.add(text, conversation_id="talk", position=place) for text, place in _PLACED]
        await chat.add("printed again", conversation_id="talk", position=2)
        await chat.add_many(
            [
                {"content": f"line {place}", "conversation_id": "talk", "position": place}
                for place in (1, 7, 7)
            ]
        )
        await chat.add("the last", conversation_id="talk")
        messages = await chat.get_messages(None, conversation_id="talk")
        assert [message.position for message in messages] == [0, 2, 3, 4, 7, 8, 9]
        assert ids(messages)[:2] == first
        assert texts(messages)[-1] == "the last"

    async def test_outside_the_window_a_message_is_as_good_as_inside(self, chatty: AgentMemory) -> None:
        said = await _say(chatty.conversation, *_numbered(9))
        assert sorted(ids(await chatty.list(None, types="chat"))) == sorted(said)
        assert await chatty.count() == await chatty.conversation.count() == 9
        (group,) = await chatty.conversation.get_conversations()
        assert group.count == 9
        for item in (said[0], said[-1]):
            message = await chatty.get(item)
            assert message is not None
            assert message.status is Status.ACTIVE
        if chatty.backend.capabilities.full_text:
            (first,) = await chatty.search("message 0", limit=1, mode="keyword")
            assert first.memory.id == said[0]
        if chatty.backend.capabilities.journal:
            assert {operation.verb for operation in await chatty.log()} == {"add"}

    async def test_system_messages_come_on_top(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        talk = _numbered(10)
        await _say(chat, ("system", "be brief"), *talk[:5], ("developer", "be kind"), *talk[5:])
        await _say(chat, ("system", "be done"))
        newest = [text for _, text in talk]
        rules = ["be brief", "be kind"]
        assert texts(await chat.get_messages()) == [*rules, *newest[-WINDOW:], "be done"]
        assert texts(await chat.get_messages(6)) == ["be brief", newest[4], "be kind", *newest[5:], "be done"]
        assert texts(await chat.get_messages(1)) == [*rules, newest[-1], "be done"]
        assert texts(await chat.get_messages(include_system=False)) == newest[-WINDOW:]
        assert texts(await chat.get_messages(None, include_system=False)) == newest
        assert len(await chat.get_messages(None)) == 13

    @pytest.mark.parametrize(
        "said",
        [
            ("assistant", "tool", "assistant", "user", "assistant"),
            ("assistant", "tool", "tool", "tool", "tool"),
            ("ai", "function", "ai", "human", "ai"),
            ("assistant", "user", "tool", "assistant", "user"),
            ("assistant", "system", "tool", "user", "user", "user"),
        ],
    )
    async def test_a_tools_result_in_the_window_brings_its_call(
        self, chatty: AgentMemory, said: Sequence[str]
    ) -> None:
        chat = chatty.conversation
        before = [("user", "hello"), ("assistant", "hi"), ("user", "how warm is it?")]
        messages = [(role, f"{number} by {role}") for number, role in enumerate(said)]
        await _say(chat, *before, *messages)
        assert texts(await chat.get_messages()) == [text for _, text in messages]

    async def test_a_window_without_a_result_needs_no_call(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        await _say(chat, ("assistant", "a call"), ("tool", "a result"), *_numbered(WINDOW))
        assert texts(await chat.get_messages()) == [text for _, text in _numbered(WINDOW)]
        await _say(chat, ("tool", "the result of nothing"))
        assert texts(await chat.get_messages(1)) == ["message 3", "the result of nothing"]

    async def test_turns_are_questions_and_last_answers_within_the_window(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        await _say(chat, ("user", "old"), ("assistant", "older answer"))
        await _say(chat, ("human", "How warm?"), ("ai", "asks"), ("tool", "21"), ("ai", "21 degrees"))
        turns = [
            (said and said.content, answer and answer.content)
            for said, answer in await chat.get_last_n_turns(9)
        ]
        assert turns == [("How warm?", "21 degrees")]
        assert [message.role for message in await chat.get_messages()] == ["human", "ai", "tool", "ai"]

    async def test_a_summary_tells_of_what_lies_before_the_window(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        seen: list[list[str]] = []

        def note(messages: Sequence[ConversationRecord]) -> str:
            seen.append(texts(messages))
            return f"summary {len(seen)}"

        said = [("system", "be brief"), *_numbered(WINDOW)]
        await _say(chat, *said)
        await chat.summarize(note)
        assert seen[-1] == [text for _, text in said]
        await _say(chat, ("user", "one more"), ("user", "another"))
        assert await chat.summarize(note) == "summary 2"
        assert seen[-1] == ["message 0", "message 1"]
        history = await chat.format_history()
        assert history.splitlines()[:2] == ["[earlier: summary 2]", "system: be brief"]
        assert await chat.count(fields={"kind": "message"}) == 7

    async def test_what_was_put_away_can_be_seen_and_comes_back(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        said = await _say(chat, *_numbered(7))
        await chatty.forget(said[:2])
        assert ids(await chat.get_messages(None)) == said[2:]
        assert ids(await chat.get_messages(archived=True)) == said[:2]
        await chat.delete_conversation()
        (group,) = await chat.get_conversations(archived=True)
        assert group.count == 7
        assert ids(await chat.get_messages(None, conversation_id=group.value, archived=True)) == said
        await chatty.restore(said[6])
        assert ids(await chat.get_messages(conversation_id=group.value)) == said[6:]

    async def test_a_shredded_conversation_leaves_nothing_of_its_name(self, chatty: AgentMemory) -> None:
        chat = chatty.conversation
        await chat.set_default_conversation("unspeakable-name")
        await chat.add_message("user", "hi", tags=["unspeakable-name"], source="/srv/unspeakable-name")
        await chat.summarize()
        assert await chat.delete_conversation(shred=True) == 1
        assert await chatty.backend.setting(DEFAULT_CONVERSATION) is None
        file = BytesIO()
        await chatty.export_to(file, history=chatty.backend.capabilities.journal)
        assert b"unspeakable-name" not in file.getvalue()
