"""What a question set consists of, whatever file it came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that an agent was told."""

    id: str
    """The authors' own id of it, unique within its agent."""
    text: str
    """The bare text: what the baselines see."""
    arguments: Mapping[str, Any]
    """The same as arguments of `AgentMemory.add_many`, with who said it when."""
    session: str | None = None
    judged: bool = True
    """Whether it may be an answer; what may not is stored all the same, and passed over in the ranking."""
    archived: bool = False
    """Whether it is put away again after it was stored, because something newer took its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, and where its answer stands."""

    id: str
    text: str
    gold: frozenset[str]
    """Ids of the items that hold the answer; empty where nothing does."""
    gold_sessions: frozenset[str] = frozenset()
    category: str = ""
    asked_at: datetime | None = None
    stored: int | None = None
    """How many of the agent's items are stored when it is asked, counted from the first; None for all of them.

    An agent's questions stand in the order in which this grows.
    """
    tags: tuple[str, ...] = ()
    """Only items with one of these tags are searched; empty for all."""

    @property
    def answerable(self) -> bool:
        """Whether anything that is stored answers it."""
        return bool(self.gold or self.gold_sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent: all that it was told, and what it is asked."""

    id: str
    items: Sequence[Item]
    questions: Sequence[Question]
    asked_at: datetime | None = None
    """The time at which questions without one of their own are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSet:
    """Everything in one file or folder."""

    name: str
    agents: Sequence[Agent]
    levels: tuple[str, ...] = field(default=("item",))
    """`item`, and `session` where items belong to sessions."""

    def questions(self) -> Iterator[tuple[Agent, Question]]:
        """Iterate over all questions with their agents."""
        for agent in self.agents:
            for question in agent.questions:
                yield agent, question
