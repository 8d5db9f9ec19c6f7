"""LongMemEval: questions to an assistant, each with a haystack of sessions of its own.

D. Wu et al., "LongMemEval: benchmarking chat assistants on long-term interactive memory", ICLR 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet


def read(name: str, data: Sequence[dict[str, Any]]) -> QuestionSet:
    """Read questions: each haystack is one agent, each of its sessions one conversation.

    What the user said is judged; what the assistant answered is stored too, and passed over in the ranking.
    """
    return QuestionSet(name=name, agents=[_agent(datum) for datum in data], levels=("item", "session"))


def _agent(entry: dict[str, Any]) -> Agent:
    items: list[Item] = []
    gold: set[str] = set()
    for session, date, turns in zip(
        entry["haystack_session_ids"], entry["haystack_dates"], entry["haystack_sessions"], strict=True
    ):
        begun = _moment(date)
        for place, turn in enumerate(turns):
            if not turn["content"].strip():
                continue
            id = f"{session}_{place}"
            if turn.get("has_answer"):
                gold.add(id)
            items.append(
                Item(
                    id=id,
                    text=turn["content"],
                    session=session,
                    judged=turn["role"] == "user",
                    arguments={
                        "type": "chat",
                        "content": turn["content"],
                        "role": turn["role"],
                        "conversation_id": session,
                        "occurred_at": begun + timedelta(seconds=place),
                    },
                )
            )
    abstains = entry["question_id"].endswith("_abs")
    judged = {item.id for item in items if item.judged}
    question = Question(
        id=entry["question_id"],
        text=entry["question"],
        gold=frozenset() if abstains else frozenset(gold & judged),
        gold_sessions=frozenset() if abstains else frozenset(entry["answer_session_ids"]),
        category="abstention" if abstains else entry["question_type"],
        asked_at=_moment(entry["question_date"]),
    )
    return Agent(id=entry["question_id"], items=items, questions=[question])


def _moment(text: str) -> datetime:
    """Read `2023/05/20 (Sat) 02:21`."""
    return datetime.strptime(text, "%Y/%m/%d (%a) %H:%M").replace(tzinfo=UTC)
