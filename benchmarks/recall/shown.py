"""What a recall puts into its text because of a question, beside what was wanted of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.recall.questions import Question


class Row(NamedTuple):
    """One question."""

    shown: int
    """How many items the text shows."""
    gold: int
    """How many of them are gold, or belong to a gold session where no single item is gold."""
    recall: float
    """The share of what was wanted that is shown."""
    exact: bool
    """Whether what is shown is what was wanted, and no more."""


@dataclass
class Shown:
    """The rows of one question set."""

    answerable: list[Row] = field(default_factory=list)
    unanswerable: list[Row] = field(default_factory=list)

    def add(self, question: Question, shown: Sequence[str], sessions: Mapping[str, str]) -> None:
        """Note what was shown for a question.

        Args:
            question: what was asked.
            shown: ids of the items in the text, without what stands in every recall.
            sessions: the session of each item.
        """
        by_item = bool(question.gold) or not question.gold_sessions
        wanted = question.gold if by_item else question.gold_sessions
        names = list(shown) if by_item else [sessions[item] for item in shown]
        share = len(wanted & set(names)) / len(wanted) if wanted else 0.0
        row = Row(len(names), sum(name in wanted for name in names), share, set(names) == wanted)
        (self.answerable if wanted else self.unanswerable).append(row)

    def report(self) -> dict[str, Any]:
        """Return the figures: precision is the share of all shown items that are gold, recall a mean of questions."""
        total = sum(row.shown for row in self.answerable)
        return {
            "questions with an answer": len(self.answerable),
            "precision": _percent(sum(row.gold for row in self.answerable), total),
            "recall": _percent(sum(row.recall for row in self.answerable), len(self.answerable)),
            "exact": sum(row.exact for row in self.answerable),
            "shown per question": round(statistics.mean([row.shown for row in self.answerable] or [0]), 1),
            "questions without an answer": len(self.unanswerable),
            "nothing shown for them": sum(row.exact for row in self.unanswerable),
        }

    def line(self) -> str:
        """Write the figures for people."""
        figures = self.report()
        return (
            f"recalls show {figures['shown per question']} items: precision {figures['precision']} %, recall"
            f" {figures['recall']} %, exact {figures['exact']} of {figures['questions with an answer']};"
            f" nothing for {figures['nothing shown for them']} of {figures['questions without an answer']}"
            " without an answer"
        )


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0
