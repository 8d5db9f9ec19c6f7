"""BEAM: long chats with an assistant, and questions with the messages that answer them.

M. Tavakoli et al., "Beyond a million tokens: benchmarking and enhancing long-term memory in LLMs", 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet


def read(name: str, data: Sequence[dict[str, Any]]) -> QuestionSet:
    """Read chats: each is one agent, each of its sessions one conversation."""
    return QuestionSet(name=name, agents=[_agent(datum) for datum in data])


def _agent(chat: dict[str, Any]) -> Agent:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    items = []
    for message in chat["messages"]:
        if message.get("date"):
            moment = max(moment, _day(message["date"]))
        moment += timedelta(seconds=1)
        items.append(
            Item(
                id=str(message["id"]),
                text=message["content"],
                session=message["session"],
                arguments={
                    "type": "chat",
                    "content": message["content"],
                    "role": message["role"],
                    "conversation_id": message["session"],
                    "occurred_at": moment,
                },
            )
        )
    questions = [
        Question(
            id=f"{chat['chat']}-{number}",
            text=item["question"],
            gold=frozenset(map(str, item["gold"])),
            category=item["category"],
        )
        for number, item in enumerate(chat["questions"])
    ]
    return Agent(id=str(chat["chat"]), items=items, questions=questions, asked_at=moment + timedelta(days=1))


def _day(text: str) -> datetime:
    """Read `March-15-2024`."""
    return datetime.strptime(text, "%B-%d-%Y").replace(tzinfo=UTC)
