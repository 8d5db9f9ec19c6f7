from __future__ import annotations

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


def test_without_a_conversation_there_are_none() -> None:
    ran = run("chat", "last")
    assert ran.code == 3
    assert "no conversation" in ran.err
