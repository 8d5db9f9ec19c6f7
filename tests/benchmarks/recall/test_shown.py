"""How what a recall shows is compared with what was wanted."""

from __future__ import annotations

from benchmarks.recall.questions import Question
from benchmarks.recall.shown import Shown

SESSIONS = {"a1": "a", "a2": "a", "b1": "b"}


def test_items_are_compared_with_gold_items() -> None:
    shown = Shown()
    wanted = Question(id="1", text="?", gold=frozenset({"a1", "b1"}))
    nothing = Question(id="2", text="?", gold=frozenset())
    for items in (["a1", "b1"], ["a1", "a2"], []):
        shown.add(wanted, items, SESSIONS)
    for items in ([], ["a1"]):
        shown.add(nothing, items, SESSIONS)
    assert shown.report() == {
        "questions with an answer": 3,
        "precision": 75.0,
        "recall": 50.0,
        "exact": 1,
        "shown per question": 1.3,
        "questions without an answer": 2,
        "nothing shown for them": 1,
    }


def test_where_only_sessions_are_gold_their_items_are_right() -> None:
    shown = Shown()
    question = Question(id="1", text="?", gold=frozenset(), gold_sessions=frozenset({"a"}))
    shown.add(question, ["a1", "a2", "b1"], SESSIONS)
    assert (shown.report()["precision"], shown.report()["recall"], shown.report()["exact"]) == (
        66.7,
        100.0,
        0,
    )
