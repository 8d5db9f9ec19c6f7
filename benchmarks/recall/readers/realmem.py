"""RealMem: one person's projects with an assistant over months, and questions in the middle of a dialogue.

Each question is asked of a memory that holds the sessions before its own, so the memory grows between questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet


def read(name: str, people: Mapping[str, Sequence[dict[str, Any]]]) -> QuestionSet:
    """Read the dialogues of people: each person is one agent, each session one conversation.

    A session is ranked by the best of its messages; no message is gold by itself.
    """
    agents = [_agent(person, dialogues) for person, dialogues in people.items()]
    return QuestionSet(name=name, agents=agents, levels=("session",))


def _agent(person: str, dialogues: Sequence[dict[str, Any]]) -> Agent:
    items: list[Item] = []
    questions: list[Question] = []
    before: set[str] = set()
    moment = datetime(2000, 1, 1, tzinfo=UTC)
    for dialogue in dialogues:
        session, turns = dialogue["session_uuid"], dialogue["dialogue_turns"]
        moment = max(_day(dialogue["current_time"]), moment + timedelta(hours=1))
        stored = len(items)
        for place, turn in enumerate(turns):
            said = moment + timedelta(seconds=place)
            if turn["is_query"] and place + 1 < len(turns):
                gold = before.intersection(turns[place + 1].get("memory_session_uuids") or ())
                questions.append(
                    Question(
                        id=f"{person}-{session}-{place}",
                        text=turn["content"],
                        gold=frozenset(),
                        gold_sessions=frozenset(gold),
                        category=turn.get("category_name") or "",
                        asked_at=said,
                        stored=stored,
                    )
                )
            if turn["content"].strip():
                items.append(_item(turn, session, place, said))
        before.add(session)
    return Agent(id=person, items=items, questions=questions)


def _item(turn: dict[str, Any], session: str, place: int, said: datetime) -> Item:
    return Item(
        id=f"{session}_{place}",
        text=turn["content"],
        session=session,
        arguments={
            "type": "chat",
            "content": turn["content"],
            "role": turn["speaker"].lower(),
            "conversation_id": session,
            "occurred_at": said,
        },
    )


def _day(text: str) -> datetime:
    """Read `2025-12-24 (Wednesday)`."""
    return datetime.strptime(text.split()[0], "%Y-%m-%d").replace(hour=9, tzinfo=UTC)
