"""LoCoMo: long conversations between two people, and questions with the turns that answer them.

A. Maharana et al., "Evaluating very long-term conversational memory of LLM agents", ACL 2024.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet

CATEGORIES = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
_TURN = re.compile(r"D\d+:\d+")


def read(name: str, data: Sequence[dict[str, Any]]) -> QuestionSet:
    """Read conversations: each is one agent, each of its sessions one conversation."""
    return QuestionSet(name=name, agents=[_agent(datum) for datum in data], levels=("item", "session"))


def _agent(sample: dict[str, Any]) -> Agent:
    conversation = sample["conversation"]
    items: list[Item] = []
    last = datetime(2023, 1, 1, tzinfo=UTC)
    for name, turns in conversation.items():
        number = re.fullmatch(r"session_(\d+)", name)
        if number is None or not isinstance(turns, list):
            continue
        session = f"D{number[1]}"
        begun = _moment(conversation[f"{name}_date_time"])
        for place, turn in enumerate(turns):
            said = begun + timedelta(seconds=place)
            last = max(last, said)
            items.append(_item(turn, session, said, conversation["speaker_a"]))
    known = {item.id for item in items}
    questions = []
    for question, entry in enumerate(sample["qa"]):
        # Some evidence stands several in one string, and three ids do not exist.
        gold = {turn_id for text in entry.get("evidence", ()) for turn_id in _TURN.findall(text)} & known
        questions.append(
            Question(
                id=f"{sample['sample_id']}-{question}",
                text=entry["question"],
                gold=frozenset(gold),
                gold_sessions=frozenset(turn_id.partition(":")[0] for turn_id in gold),
                category=CATEGORIES[entry["category"]],
            )
        )
    return Agent(id=sample["sample_id"], items=items, questions=questions, asked_at=last + timedelta(days=1))


def _item(turn: dict[str, Any], session: str, said: datetime, first_speaker: str) -> Item:
    return Item(
        id=turn["dia_id"],
        text=turn["text"],
        session=session,
        arguments={
            "type": "chat",
            "content": turn["text"],
            "role": "user" if turn["speaker"] == first_speaker else "assistant",
            "name": turn["speaker"],
            "conversation_id": session,
            "occurred_at": said,
        },
    )


def _moment(text: str) -> datetime:
    """Read `1:56 pm on 8 May, 2023`."""
    return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
