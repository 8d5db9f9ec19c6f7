from __future__ import annotations

import pytest

from ..running import done, run


def test_turns_are_pairs_and_either_side_may_be_missing() -> None:
    for role, text in [("user", "1"), ("assistant", "2"), ("user", "3")]:
        done("chat", "add", role, text)
    turns = done("chat", "last", "--json").json
    assert [
        (turn["user"] and turn["user"]["content"], turn["assistant"] and turn["assistant"]["content"])
        for turn in turns
    ] == [
        ("1", "2"),
        ("3", None),
    ]
    assert done("chat", "last", "1").lines == ["user: 3"]
    assert done("chat", "last", "1", "--ndjson").json["user"]["content"] == "3"


def test_a_turn_with_tool_calls_is_the_question_and_the_last_answer() -> None:
    said = [
        ("user", "How warm?"),
        ("assistant", "(asks the sensor)"),
        ("tool", "21"),
        ("assistant", "21 degrees"),
    ]
    for role, text in said:
        done("chat", "add", role, text)
    assert done("chat", "last", "1").lines == ["user: How warm?", "assistant: 21 degrees"]


@pytest.mark.parametrize(("asks", "answers"), [("human", "ai"), ("User", "Assistant"), ("USER", "model")])
def test_the_usual_names_of_roles_are_understood_and_kept(asks: str, answers: str) -> None:
    done("chat", "add", asks, "How warm?")
    done("chat", "add", "function", "21")
    done("chat", "add", answers, "21 degrees")
    (turn,) = done("chat", "last", "--json").json
    assert (turn["user"]["role"], turn["assistant"]["role"]) == (asks, answers)
    assert done("chat", "last").lines == [f"{asks}: How warm?", f"{answers}: 21 degrees"]


def test_without_a_conversation_there_are_none() -> None:
    ran = run("chat", "last")
    assert ran.code == 3
    assert "no conversation" in ran.err
