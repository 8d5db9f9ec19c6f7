from __future__ import annotations

import pytest

from ..running import done, run


def contents(*arguments: str) -> list[str]:
    return [item["content"] for item in done("chat", "show", *arguments, "--json").json]


def test_messages_go_to_the_conversation_last_written_to() -> None:
    done("chat", "add", "user", "one", "--name", "Maria")
    done("chat", "add", "assistant", "-", stdin="two\n")
    assert contents() == ["one", "two"]
    assert done("chat", "show").lines == ["Maria: one", "assistant: two"]


def test_a_conversation_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    done("chat", "add", "user", "here", "-c", "first")
    done("chat", "add", "user", "there", "--conversation", "second")
    monkeypatch.setenv("AGENTMEM_SESSION", "first")
    done("chat", "add", "user", "again here")
    assert contents("first") == ["here", "again here"]
    assert contents("second") == ["there"]


def test_the_time_of_a_message_may_be_told() -> None:
    id = done("chat", "add", "user", "then", "--at", "2026-05-08T14:00Z").out.strip()
    assert done("get", id, "--json").json["occurred_at"] == "2026-05-08T14:00:00.000000Z"
    assert run("chat", "add", "user", "when", "--at", "someday").code == 2


def test_a_message_needs_a_role_and_a_text() -> None:
    assert run("chat", "add").code == 2
    assert run("chat", "add", "user", "-").code == 2
