"""The standing context of a recall: chosen by rule, bounded, and filtered like everything else."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import AgentMemory, MemoryConfig, ValidationError
from agent_memory.recall.formats import STANDING, Format, writer
from agent_memory.recall.recall import Recall
from agent_memory.text.tokens import estimate_tokens

pytestmark = pytest.mark.anyio
FORMATS = get_args(Format)
QUERY = "Where does the staging database run?"
ANSWER = "The staging database runs in Oslo"


def make(**given: Any) -> AgentMemory:
    return AgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none", **given))


@pytest.fixture
async def memory() -> AsyncIterator[AgentMemory]:
    async with make() as opened:
        await opened.long_term.store_fact(ANSWER)
        yield opened


def section(recall: Recall) -> list[str]:
    return [item.memory.content for item in recall.items if item.section == STANDING]


def ranked(recall: Recall) -> list[str]:
    return [item.memory.content for item in recall.items if item.section != STANDING]


def taken(recall: Recall) -> int:
    """Count the tokens of the section, its heading included."""
    wording = writer(recall.format)
    items = [item for item in recall.items if item.section == STANDING]
    return estimate_tokens(wording.write(items, "t")) - estimate_tokens(wording.write([], "t"))


async def test_each_kind_has_its_place_and_its_reason(memory: AgentMemory) -> None:
    await memory.conversation.add_message("user", "When I ask for a summary, give bullet points.")
    await memory.conversation.add_message("assistant", "Always use tabs.")
    await memory.long_term.store_fact("Finish the thesis by May", tags=["goal"])
    await memory.long_term.store_preference("editor", "vim")
    await memory.long_term.store_fact("Reports go to Ines", standing=True)
    await memory.pin(await memory.long_term.store_fact("The budget is 900 francs"))
    recall = await memory.recall(QUERY)
    assert ranked(recall) == [ANSWER]
    assert [(item.memory.content, item.reason) for item in recall.items if item.section] == [
        ("The budget is 900 francs", "pinned"),
        ("Reports go to Ines", "standing"),
        ("vim", "preference"),
        ("Finish the thesis by May", "goal"),
        ("When I ask for a summary, give bullet points.", 'instruction: "when i ask"'),
    ]


@pytest.mark.parametrize("format", FORMATS)
async def test_every_format_tells_it_from_what_was_found(memory: AgentMemory, format: Format) -> None:
    await memory.long_term.store_fact("Reports go to Ines", standing=True)
    recall = await memory.recall(QUERY, format=format)
    found, standing = recall.text.index("Oslo"), recall.text.index("Ines")
    assert found < standing
    if format == "json":
        assert [row.get("section") for row in json.loads(recall.text)] == [None, STANDING]
    else:
        assert found < recall.text.index(STANDING) < standing


async def test_a_share_of_0_leaves_it_out(memory: AgentMemory) -> None:
    await memory.long_term.store_fact("Reports go to Ines", standing=True)
    assert section(await memory.recall(QUERY)) == ["Reports go to Ines"]
    without = await memory.recall(QUERY, standing_share=0)
    assert section(without) == []
    assert STANDING not in without.text
    assert section(await memory.recall(standing_share=0)) == []
    with pytest.raises(ValidationError, match="standing_share"):
        await memory.recall(QUERY, standing_share=1.5)


async def test_the_settings_turn_the_rule_and_the_section_off() -> None:
    async with make(standing_rule=False) as memory:
        await memory.conversation.add_message("user", "Always answer in German.")
        await memory.long_term.store_fact("Reports go to Ines", standing=True)
        assert section(await memory.recall(QUERY)) == ["Reports go to Ines"]
    async with make(standing_share=0) as memory:
        await memory.long_term.store_fact("Reports go to Ines", standing=True)
        assert section(await memory.recall(QUERY)) == []
        assert section(await memory.recall(QUERY, standing_share=0.5)) == ["Reports go to Ines"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["pinned", "standing", "liked", "Always call me Jo."]),
        ({"pinned": False}, ["standing", "liked", "Always call me Jo."]),
        ({"pinned": True}, ["pinned"]),
        ({"tags": "ops"}, ["pinned", "standing"]),
        ({"types": "chat"}, ["Always call me Jo."]),
        ({"types": "event"}, []),
        ({"types": "pref"}, ["liked"]),
        ({"session": "talk"}, ["Always call me Jo."]),
        ({"min_importance": 0.75}, ["liked"]),
    ],
)
async def test_the_filter_holds_for_it_too(
    memory: AgentMemory, filters: dict[str, Any], expected: list[str]
) -> None:
    await memory.pin(await memory.long_term.store_fact("pinned", tags=["ops"]))
    await memory.long_term.store_fact("standing", tags=["ops"], standing=True)
    await memory.long_term.store_preference("what", "liked")
    await memory.conversation.add_message("user", "Always call me Jo.", session="talk")
    assert section(await memory.recall(QUERY, **filters)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([("user", "Ana", "Always call me Jo."), ("assistant", "Mel", "Hi Jo!")], False),
        ([("user", "Ana", "Always call me Jo."), ("user", "Mel", "Hi Jo!")], False),
        ([("user", "Ana", "Always call me Jo."), ("assistant", None, "Hi Jo!")], True),
        ([("user", "Ana", "Always call me Jo."), ("user", "Mel", "Hi"), ("assistant", None, "Hi!")], True),
        ([("user", "Ana", "Always call me Jo."), ("assistant", "CodingAssistant", "Hi Jo!")], True),
        ([("user", "Ana", "Always call me Jo."), ("assistant", "t", "Hi Jo!")], True),
        ([("user", "Ana", "Always call me Jo."), ("user", "Ana", "I am Ana.")], True),
        ([("user", None, "Always call me Jo."), ("assistant", "Mel", "Hi Jo!")], True),
    ],
)
async def test_what_one_person_tells_another_is_no_instruction(
    memory: AgentMemory, said: list[tuple[str, str | None, str]], expected: bool
) -> None:
    for role, name, text in said:
        await memory.conversation.add_message(role, text, name=name, conversation_id="talk")
    # A conversation with an assistant beside it tells nothing of this one.
    await memory.conversation.add_message("assistant", "Good morning", conversation_id="other")
    assert section(await memory.recall(QUERY)) == (["Always call me Jo."] if expected else [])


async def test_what_is_marked_stays_whoever_it_was_told_to(memory: AgentMemory) -> None:
    marked = await memory.conversation.add_message("user", "Always call me Jo.", name="Ana")
    await memory.conversation.add_message("user", "Hi Jo!", name="Mel")
    assert section(await memory.recall(QUERY)) == []
    await memory.pin(marked)
    assert section(await memory.recall(QUERY)) == ["Always call me Jo."]


async def test_what_was_put_away_is_not_in_it(memory: AgentMemory) -> None:
    gone = await memory.long_term.store_fact("Reports go to Ines", standing=True)
    await memory.forget(gone)
    assert section(await memory.recall(QUERY)) == []


async def test_update_takes_the_mark_back_and_a_known_fact_gains_it(memory: AgentMemory) -> None:
    id = await memory.long_term.store_fact("Reports go to Ines")
    assert section(await memory.recall(QUERY)) == []
    assert await memory.long_term.store_fact("Reports go to Ines", standing=True) == id
    assert section(await memory.recall(QUERY)) == ["Reports go to Ines"]
    await memory.long_term.update_fact(id, "Reports go to Mara", standing=False)
    assert section(await memory.recall(QUERY)) == []
    await memory.long_term.update_fact(id, "Reports go to Ines", standing=True)
    assert section(await memory.recall(QUERY)) == ["Reports go to Ines"]


async def test_of_each_category_the_most_important_preference_and_then_the_latest(
    memory: AgentMemory,
) -> None:
    await memory.long_term.store_preference("editor", "emacs")
    await memory.long_term.store_preference("editor", "vim")
    await memory.long_term.store_preference("shell", "fish", 0.9)
    await memory.long_term.store_preference("shell", "zsh")
    assert section(await memory.recall(QUERY)) == ["fish", "vim"]


async def test_the_brief_keeps_its_sections_and_gains_one(memory: AgentMemory) -> None:
    await memory.pin(await memory.long_term.store_fact("The budget is 900 francs"))
    await memory.long_term.store_preference("editor", "vim")
    await memory.conversation.add_message("user", "Always call me Jo.")
    recall = await memory.recall()
    assert [(item.section, item.memory.content) for item in recall.items] == [
        (STANDING, "Always call me Jo."),
        ("Pinned", "The budget is 900 francs"),
        ("Preferences", "vim"),
        ("Important facts", ANSWER),
    ]


async def test_a_memory_stands_once(memory: AgentMemory) -> None:
    await memory.long_term.store_fact("The staging database belongs to Ines", standing=True)
    await memory.conversation.add_message("user", "Always back up the staging database.")
    recall = await memory.recall(QUERY, last=1)
    contents = [item.memory.content for item in recall.items]
    assert len(contents) == len(set(contents)) == 3
    assert section(recall) == ["The staging database belongs to Ines"]


async def test_an_answer_too_long_for_the_section_stays_with_what_was_found(memory: AgentMemory) -> None:
    long = "Where the staging database runs: below. " + "It is described at length elsewhere. " * 40
    await memory.long_term.store_fact(long, standing=True)
    recall = await memory.recall(QUERY, budget=600)
    assert section(recall) == []
    assert long in ranked(recall)
    short = await memory.recall("Oslo", budget=600)
    assert [item.form for item in short.items if item.section == STANDING] == ["sentences"]
    assert short.shortened[0].reason is not None
    assert short.shortened[0].reason.startswith("standing; ")


async def test_a_long_message_is_shortened_to_its_instruction(memory: AgentMemory) -> None:
    filler = "We walked along the river and talked about the weather. " * 30
    await memory.conversation.add_message("user", f"{filler}Always give prices in francs. {filler}")
    (item,) = (item for item in (await memory.recall(QUERY, budget=600)).items if item.section == STANDING)
    assert "Always give prices in francs." in item.text
    assert item.tokens <= 90


async def test_what_finds_no_room_is_said(memory: AgentMemory) -> None:
    for number in range(12):
        await memory.long_term.store_fact(
            f"Rule {number}: " + "say it in a few plain words, " * 3, standing=True
        )
    recall = await memory.recall(QUERY, budget=400)
    assert 0 < len(section(recall)) < 12
    assert len(section(recall)) + len(recall.dropped) == 12
    assert all(item.reason and item.reason.startswith("standing; ") for item in recall.dropped)
    assert taken(recall) <= 60


_texts = st.text(st.sampled_from('ab c.\n<&"\\ü東 '), min_size=1, max_size=300).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_texts, st.sampled_from(["pin", "standing", "preference", "said"])), max_size=8),
    st.integers(150, 700),
    st.sampled_from([0.0, 0.05, 0.15, 0.5, 1.0]),
    st.sampled_from(FORMATS),
)
async def test_it_never_takes_more_than_its_share_and_the_whole_fits(
    marked: list[tuple[str, str]], budget: int, share: float, format: Format
) -> None:
    async with make() as memory:
        await memory.long_term.store_fact(ANSWER)
        for text, kind in marked:
            match kind:
                case "pin":
                    await memory.long_term.add(text, pinned=True, force=True)
                case "standing":
                    await memory.long_term.store_fact(text, standing=True)
                case "preference":
                    await memory.long_term.store_preference(text[:5].strip() or "x", text)
                case _:
                    await memory.conversation.add_message("user", f"Always use {text}")
        recall = await memory.recall(QUERY, budget=budget, format=format, standing_share=share)
    assert estimate_tokens(recall.text) == recall.tokens <= budget
    assert taken(recall) <= budget * share
    assert ranked(recall).count(ANSWER) == 1 or share > 0.15
