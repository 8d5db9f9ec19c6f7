from __future__ import annotations

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
