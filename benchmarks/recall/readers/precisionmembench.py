"""PrecisionMemBench: beliefs about a user, and prompts with the exact set of beliefs that belongs to each.

A vendor's own small fixture. Its three kinds of answer are kept apart as it does: what is pinned is no part of the
wanted sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet

USER = "test-user"


def read(name: str, beliefs: Sequence[dict[str, Any]], cases: Sequence[dict[str, Any]]) -> QuestionSet:
    """Read beliefs and single-turn cases: each user is one agent, each belief one fact.

    Aliases stand in the text, the scope is a tag and a filter, pinned beliefs are pinned, superseded ones are stored
    and archived. Cases without a query, or without a wanted set, are left out; the number of beliefs that a case
    allows is not read, for a recall counts tokens.
    """
    asked: dict[str, list[Question]] = {USER: []}
    for case in cases:
        wanted = case["expect"].get("relevantBeliefs", {}).get("shouldOnlyInclude")
        if wanted is not None and case["query"].strip():
            asked.setdefault(case.get("userId", USER), []).append(_question(case, wanted))
    agents = [
        Agent(
            id=user,
            items=[_item(belief) for belief in beliefs if belief["user_id"] == user],
            questions=questions,
            asked_at=max((_moment(belief["updated_at"]) for belief in beliefs), default=None),
        )
        for user, questions in asked.items()
    ]
    return QuestionSet(name=name, agents=agents)


def _question(case: Mapping[str, Any], wanted: Sequence[str]) -> Question:
    return Question(
        id=case["caseId"],
        text=case["query"],
        gold=frozenset(wanted),
        category=case["category"],
        tags=tuple(case["scope"]),
    )


def _item(belief: Mapping[str, Any]) -> Item:
    aliases = ", ".join(belief["aliases"])
    text = f"{belief['content']} ({aliases})" if aliases else belief["content"]
    archived = belief["epistemic_status"] == "superseded"
    return Item(
        id=belief["_id"],
        text=text,
        arguments={
            "type": "fact",
            "content": text,
            "tags": list(belief["scope"]),
            "pinned": belief["pinned"],
            "occurred_at": _moment(belief["updated_at"]),
            "force": True,
        },
        judged=not belief["pinned"] and not archived,
        archived=archived,
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
