from __future__ import annotations

import pytest

from ..running import done, run


def test_the_summary_is_printed_and_stands_beside_the_messages() -> None:
    done("chat", "add", "user", "The build is red because a test times out.", "-c", "talk")
    text = done("chat", "summarize", "ta").out
    assert "build is red" in text
    assert len(done("chat", "show", "-o", "id").lines) == 1
    assert done("chat", "show").err == f"earlier: {text}"


def test_nothing_to_summarise_is_not_found() -> None:
    assert run("chat", "summarize").code == 3
    assert run("chat", "summarize", "zzz").code == 3


def test_it_tells_of_what_lies_before_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_CONVERSATION_MAX_MESSAGES", "2")
    for text in (
        "The cellar floods each spring.",
        "We bought a pump.",
        "The pump works.",
        "The cellar is dry.",
    ):
        done("chat", "add", "user", text)
    text = done("chat", "summarize").out
    assert "floods" in text
    assert "dry" not in text
    assert len(done("chat", "show", "--all", "-o", "id").lines) == 4
