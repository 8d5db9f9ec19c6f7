"""What a conversation lends to its messages."""

from __future__ import annotations

import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.recall import constants
from agent_memory.recall.dialogue import (
    SpeakerTest,
    asks,
    favour_named_speakers,
    from_person,
    propagate_context,
)
from agent_memory.recall.scoring import Parts
from agent_memory.records import ConversationRecord
from agent_memory.testing import builders

pytestmark = pytest.mark.anyio


def config() -> MemoryConfig:
    return MemoryConfig(backend="memory", embedding_provider="dummy")


def test_what_asks_and_who_is_a_person() -> None:
    assert asks(builders.message("Why? "))
    assert asks(builders.message("なぜ？"))
    assert not asks(builders.message("Why? Because."))
    assert not asks(builders.event("Why?"))
    assert not asks(builders.message("Why?", kind="summary"))
    assert from_person(builders.message("x", role="user"))
    assert from_person(builders.message("x", role="assistant", name="Eve"))
    assert not from_person(builders.message("x", role="assistant"))


def test_what_is_lent_and_taken() -> None:
    question = builders.message("What are you researching?", name="Mel", position=0)
    answer = builders.message("Adoption agencies", name="Caroline", role="assistant", position=1)
    machine = builders.message("Here is a list of agencies", role="assistant", position=2)
    elsewhere = builders.message("Hello", conversation_id="other")
    fact = builders.fact("no message")
    records = {item.id: item for item in (question, answer, machine, elsewhere, fact)}
    parts = {record: Parts() for record in records}
    parts[question.id].vector_z = 4.0
    before = {answer.id: question.id, machine.id: answer.id}
    propagate_context(parts, records, before)
    worth = parts[question.id].evidence
    assert worth > 0
    assert parts[answer.id].reply == pytest.approx(constants.REPLY_WEIGHT * worth)
    assert parts[machine.id].reply == 0.0
    assert parts[machine.id].speaker == -constants.ASSISTANT_COST
    assert parts[answer.id].session == pytest.approx(constants.SESSION_WEIGHT * worth)
    assert parts[elsewhere.id].session == parts[fact.id].total == 0.0
    assert parts[answer.id].explain(())["boosts"]["reply"] > 0


def test_an_assistant_that_asks_lends_less_than_a_person() -> None:
    asked = builders.message("Shall I list agencies?", role="assistant", position=0)
    answer = builders.message("Yes please", role="user", position=1)
    parts = {asked.id: Parts(vector_z=4.0), answer.id: Parts()}
    propagate_context(parts, {item.id: item for item in (asked, answer)}, {answer.id: asked.id})
    assert parts[answer.id].reply == pytest.approx(constants.REPLY_TO_ASSISTANT * parts[asked.id].evidence)
    assert 0 < constants.REPLY_TO_ASSISTANT < constants.REPLY_WEIGHT


def weighed(*messages: ConversationRecord, echo: int | None = None) -> list[Parts]:
    """Give messages of one conversation an evidence of 7 each, and weigh them as it stands."""
    parts = {message.id: Parts(vector_z=10.0) for message in messages}
    if echo is not None:
        parts[messages[echo].id].echo = True
    propagate_context(parts, {message.id: message for message in messages}, {})
    return list(parts.values())


LONG = "We went to the lake on Saturday and swam until it was dark. " * 5


def test_messages_among_people_count_for_those_around_them_and_small_talk_for_less() -> None:
    short, long, asking = weighed(
        builders.message("Wow, great!", name="Ann", position=0),
        builders.message(LONG, name="Ben", role="assistant", position=1),
        builders.message(LONG + "And you?", name="Ann", position=2),
    )
    weights = dict(constants.AROUND_WEIGHTS)
    assert short.around == pytest.approx(7 * weights[1])
    assert long.around == pytest.approx(7 * (weights[-1] + weights[1]))
    assert asking.around == pytest.approx(7 * (weights[-2] + weights[-1]))
    assert short.brevity < asking.brevity < long.brevity == 0
    assert asking.brevity == -constants.QUESTION_COST
    assert set(short.explain(())["boosts"]) >= {"around", "brevity"}


@pytest.mark.parametrize("name", [None, "Ann"])
def test_what_a_user_tells_an_assistant_counts_for_the_reply_alone(name: str | None) -> None:
    first, reply, second = weighed(
        builders.message("Book it?", name=name, position=0),
        builders.message(LONG, role="assistant", position=1),
        builders.message("Thanks", name=name, position=2),
    )
    assert first.around == pytest.approx(7 * dict(constants.AROUND_WITH_ASSISTANT)[1])
    assert first.brevity == second.brevity == second.around == reply.around == reply.brevity == 0


def test_what_repeats_the_query_adds_nothing_to_what_is_around_it() -> None:
    first, second = weighed(
        builders.message(LONG, name="Ann", position=0), builders.message(LONG, name="Ben", position=1), echo=1
    )
    assert first.around == 0
    assert second.around > 0


async def test_an_answer_is_found_by_its_question_though_it_shares_no_word() -> None:
    async with AgentMemory("t", config()) as memory:
        for number in range(60):
            await memory.conversation.add_message("user", f"filler number {number}", conversation_id="other")
        say = memory.conversation.add_message
        await say("user", "What are you researching for the summer?", name="Mel", conversation_id="one")
        answer = await say("assistant", "Adoption agencies", name="Caroline", conversation_id="one")
        await say("user", "How lovely", name="Mel", conversation_id="one")
        found = await memory.search("researching summer", limit=2, explain=True)
        assert answer in [result.memory.id for result in found]
        (it,) = [result for result in found if result.memory.id == answer]
        assert it.explanation is not None
        assert it.explanation["boosts"]["reply"] > 0
        assert answer not in [scored.memory.id for scored in await memory.search("researching", types="fact")]
        await memory.forget(answer)
        assert answer not in [scored.memory.id for scored in await memory.search("researching summer")]


async def test_an_answer_that_the_filter_leaves_out_stays_out() -> None:
    async with AgentMemory("t", config()) as memory:
        say = memory.conversation.add_message
        question = await say("user", "What are you researching?", name="Mel", tags=["a"])
        await say("assistant", "Adoption agencies", name="Caroline")
        found = await memory.search("researching", tags="a")
        assert [result.memory.id for result in found] == [question]


@pytest.mark.parametrize(
    ("query", "name", "expected"),
    [
        ("Where did Ana go?", "Ana", True),
        ("where did ana go", "Ana", True),
        ("Ana's trip", "Ana Ruiz", True),
        ("Where did Mel go?", "Ana", False),
        ("Where did Ana go?", None, False),
        ("Where will it rain?", "Will", False),
        ("Where did Will go?", "Will", True),
        ("田中はどこ？", "田中", True),
        ("東京はどこ？", "田中", False),
        ("Where?", "?", False),
    ],
)
def test_a_query_names_a_speaker(query: str, name: str | None, expected: bool) -> None:
    assert SpeakerTest(query).names(builders.message("I went to Oslo", name=name)) is expected


def test_what_a_named_person_said_comes_before_what_another_did() -> None:
    records = {name: builders.message(f"{name} went to Oslo", name=name) for name in ("Ana", "Mel")}
    parts = {name: Parts(keyword_z=1.0) for name in records}
    favour_named_speakers(parts, records, "Where did Mel go?")
    assert parts["Mel"].total - parts["Ana"].total == pytest.approx(constants.NAMED_SPEAKER)
