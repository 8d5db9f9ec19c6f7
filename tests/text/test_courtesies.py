"""Greetings and thanks around a question are told from the question."""

from __future__ import annotations

import pytest

from agent_memory.text.courtesies import without_courtesies


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Hey, when do deploys run?", "when do deploys run?"),
        ("@bot: hi! So, who is on call? Thank you so much!!", "who is on call?"),
        ("> who is on call, please", "who is on call"),
        ("Good morning - where are the logs? Cheers", "where are the logs?"),
        ("who is on call? Thanks again", "who is on call?"),
        ("who is on call? PLEA\u017fE", "who is on call?"),
        ("who is on call? THAN\u212a YOU", "who is on call?"),
        ("hello", "hello"),
        ("", ""),
        ("so-called users and sorrows", "so-called users and sorrows"),
        ("Is the status okay", "Is the status okay"),
        ("the helloworld page says thanksgiving", "the helloworld page says thanksgiving"),
    ],
)
def test_what_is_left(text: str, left: str) -> None:
    assert without_courtesies(text) == left


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "word", ["thanks. ", "again ", "thank you so much ", "so - ", "thanks!!!!!!!! ", ", . ! "]
)
def test_however_many_there_are_it_ends(word: str) -> None:
    assert without_courtesies(word * 5000 + "x").endswith("x")
    assert without_courtesies("x" + word * 5000)[:1] == "x"
