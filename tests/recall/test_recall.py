"""A recall keeps to its budget in every format, and is never empty where a line would fit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory import AgentMemory, MemoryConfig, ValidationError
from agent_memory.recall import constants
from agent_memory.recall.floor import Kept
from agent_memory.recall.formats import Format
from agent_memory.recall.found import Found
from agent_memory.recall.recall import Recall, candidates_of
from agent_memory.records import ScoredMemory
from agent_memory.testing import builders
from agent_memory.text.tokens import estimate_tokens

FORMATS = get_args(Format)
_hard = st.sampled_from(
    [
        "a & b < c > d \" e ' f ",
        "<memory>&amp;</memory> ",
        "line one\nline two\n\n",
        "Ein Satz. Noch einer! ",
        "東京は日本の首都です。",
        "\\ \t\u2028 ",
        "word " * 40,
    ]
)
_texts = st.lists(_hard, min_size=1, max_size=30).map("".join)


async def recalled(texts: Sequence[str], **given: Any) -> Recall:
    async with AgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        await memory.long_term.add_many([{"content": text, "force": True, "pinned": True} for text in texts])
        return await memory.recall(**given)


def test_what_a_named_person_said_is_worth_more_room() -> None:
    records = [builders.message("I went to Oslo", name=name) for name in ("Ana", "Mel")]
    found = Found(ScoredMemory(record, 0.5, 0.9) for record in records)
    found.sums = {record.id: 2.0 for record in records}
    ana, mel = candidates_of(found, Kept(list(found), ()), "Where did Mel go?")
    assert mel.total - ana.total == pytest.approx(constants.NAMED_SPEAKER_PACKED)


def kept_to(recall: Recall) -> bool:
    return estimate_tokens(recall.text) == recall.tokens <= recall.budget


@pytest.mark.anyio
@settings(max_examples=150, deadline=None)
@given(st.lists(_texts, min_size=1, max_size=6), st.integers(32, 400), st.sampled_from(FORMATS))
async def test_whatever_the_texts_it_keeps_to_the_budget_and_is_not_empty(
    texts: list[str], budget: int, format: Format
) -> None:
    try:
        recall = await recalled(texts, budget=budget, format=format)
    except ValidationError as error:
        least = int(re.findall(r"at least (\d+)", str(error))[0])
        assert least > budget
        recall = await recalled(texts, budget=least, format=format)
    assert kept_to(recall)
    assert recall.items
    assert len(recall.items) + len(recall.dropped) == len(texts)
    if format in ("json", "messages"):
        json.loads(recall.text)


@pytest.mark.anyio
@pytest.mark.parametrize("format", FORMATS)
async def test_a_long_text_full_of_markup_is_shortened_and_not_dropped(format: Format) -> None:
    recall = await recalled(['if a < b && c > d: print("x & y")\n' * 400], budget=300, format=format)
    assert kept_to(recall)
    (item,) = recall.items
    assert item.form in ("sentences", "line")
    assert recall.tokens > 100


@pytest.mark.anyio
async def test_headings_that_nothing_stands_under_take_no_room() -> None:
    async with AgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        await memory.long_term.store_preference("editor", "vim")
        await memory.episodic.record_event("deploy", "shipped version two")
        await memory.short_term.set_working_memory("step", "three of nine")
        recall = await memory.recall(budget=60)
        assert recall.items
        assert kept_to(recall)


@pytest.mark.anyio
async def test_a_budget_too_small_for_the_frame_names_one_that_is_not() -> None:
    named = "the-agent-of-a-project-with-a-long-name, said twice: the-agent-of-a-project-with-a-long-name"
    async with AgentMemory(named, MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        with pytest.raises(ValidationError, match="at least") as refused:
            await memory.recall(budget=32, format="xml")
        least = int(re.findall(r"at least (\d+)", str(refused.value))[0])
        assert kept_to(await memory.recall(budget=least, format="xml"))
