"""What is packed together, in which order, and that nothing of the budget is wasted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.recall import constants
from agent_memory.recall.packing import Candidate, by_worth, pack
from agent_memory.records import ConversationRecord, LongTermRecord, MemoryRecord, ScoredMemory
from agent_memory.text.tokens import estimate_tokens

LONG = "The lighthouse keeper wrote down every ship that passed in the fog of that winter. " * 12
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SHORT = "The lighthouse was built in 1862."


def plain(record: MemoryRecord, text: str) -> str:
    return f"- {text}\n"


def candidate_of(text: str, score: float, **own: object) -> Candidate:
    record = (ConversationRecord if own else LongTermRecord)(
        id=f"{text[:12]}{score}{own}",
        content=text,
        created_at=NOW,
        updated_at=NOW,
        **own,  # type: ignore[arg-type]
    )
    total = constants.SCORE_MIDDLE + math.log(score / (1 - score))
    return Candidate(record, scored=ScoredMemory(record, score, score), total=total)


def texts(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.memory.content for candidate in candidates]


async def recalled(memory: AgentMemory, query: str, budget: int = 300, format: str = "markdown") -> str:
    return (await memory.recall(query, budget, format=format)).text  # type: ignore[arg-type]


def open_memory() -> AgentMemory:
    return AgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none"))


@pytest.mark.anyio
async def test_messages_of_a_conversation_stand_under_one_date_in_the_order_they_were_said() -> None:
    async with open_memory() as memory:
        for name, text in (
            ("Ana", "Which boat is it?"),
            ("Ben", "The boat is\n- Ana: mine"),
            ("Ana", "A boat!"),
        ):
            await memory.conversation.add_message("user", text, name=name)
        text = await recalled(memory, "boat")
        day, *said = text.splitlines()[1:]
        assert day.startswith("- 2")
        assert said == [
            "  Ana: Which boat is it?",
            "  Ben: The boat is",
            "    - Ana: mine",
            "  Ana: A boat!",
        ]


@pytest.mark.anyio
async def test_two_conversations_are_not_mixed_and_a_message_alone_says_who_and_when() -> None:
    async with open_memory() as memory:
        for conversation, text in (
            ("one", "The boat is red."),
            ("two", "The boat is blue."),
            ("one", "A boat."),
        ):
            await memory.conversation.add_message("user", text, conversation_id=conversation)
        text = await recalled(memory, "boat")
        assert "  user: The boat is red.\n  user: A boat.\n" in text
        assert "- [user said, 20" in text
        assert "] The boat is blue.\n" in text


@pytest.mark.anyio
async def test_the_chunks_of_a_document_stand_under_its_title_in_its_order() -> None:
    async with open_memory() as memory:
        chunks = [f"The harbour has {n} ships in summer." for n in range(5)]
        await memory.semantic.add_chunks(chunks, title="Harbours")
        recall = await memory.recall("harbour", 3000)
        assert recall.text.count("Harbours") == 1
        positions = [getattr(item.memory, "position", None) for item in recall.items]
        assert len(positions) > 1
        assert positions == sorted(positions)


def test_a_long_memory_goes_behind_a_short_one_that_is_nearly_as_good() -> None:
    first, long, short = candidate_of("best of all", 0.99), candidate_of(LONG, 0.8), candidate_of(SHORT, 0.6)
    assert texts(by_worth([first, long, short], budget=1000, frame=plain)) == ["best of all", SHORT, LONG]
    better = candidate_of(LONG, 0.98)
    assert texts(by_worth([first, better, short], budget=1000, frame=plain)) == ["best of all", LONG, SHORT]


def test_the_best_memory_goes_first_however_long_it_is() -> None:
    candidates = [candidate_of(LONG, 0.61), candidate_of(SHORT, 0.6)]
    assert texts(by_worth(candidates, budget=1000, frame=plain)) == [LONG, SHORT]


def test_what_was_found_beside_another_is_worth_more() -> None:
    def said(text: str, score: float, position: int, conversation: str = "c") -> Candidate:
        return candidate_of(text, score, conversation_id=conversation, position=position)

    alone, answer, question = (
        said("aaaa bbbb", 0.7, 8),
        said("cccc dddd", 0.699, 3),
        said("eeee ffff", 0.69, 2),
    )
    best = said("gggg hhhh", 0.95, 1, "other")
    order = texts(by_worth([best, alone, answer, question], budget=1000, frame=plain))
    assert order == ["gggg hhhh", "cccc dddd", "eeee ffff", "aaaa bbbb"]


def test_once_a_source_is_in_the_text_the_rest_of_it_is_cheaper() -> None:
    first = candidate_of("aaaa bbbb", 0.9, conversation_id="c", position=1)
    alone = candidate_of("eeee said", 0.6, conversation_id="d", position=9)
    beside = candidate_of("ffff said", 0.6, conversation_id="c", position=9)

    def in_full(record: MemoryRecord, text: str) -> str:
        return f"- somebody said on some day in some place: {text}\n"

    candidates = [first, alone, beside]
    assert texts(by_worth(candidates, budget=1000, frame=in_full)) == texts(candidates)
    order = by_worth(candidates, budget=1000, frame=in_full, beside=plain)
    assert texts(order) == ["aaaa bbbb", "ffff said", "eeee said"]


def test_at_the_end_of_the_budget_a_whole_memory_goes_before_the_beginning_of_another() -> None:
    filler = "word " * 170
    candidates = [candidate_of(text, 0.5) for text in (filler, LONG, SHORT)]
    packed = pack(candidates, budget=400, overhead=200, terms=[], frame=plain)
    assert [item.form for item in packed][2] == "full"


@pytest.mark.anyio
async def test_what_stayed_free_is_given_out_again() -> None:
    async with open_memory() as memory:
        await memory.add_many(
            [{"type": "long_term", "content": f"The boat number {n} is red"} for n in range(90)]
        )
        recall = await memory.recall("boat", 500)
        assert recall.dropped
        least = min(
            estimate_tokens(f"- [fact, 2026-11-24] {item.memory.content}\n") for item in recall.dropped
        )
        assert recall.budget - recall.tokens < least
