from __future__ import annotations

import pytest

from ..running import done, run


def test_the_newest_messages_oldest_first_and_system_messages_on_top() -> None:
    for number in range(4):
        done("chat", "add", "system" if number == 0 else "user", str(number), "-c", "talk")
    assert done("chat", "show", "-n", "2").lines == ["system: 0", "user: 2", "user: 3"]
    assert done("chat", "show", "ta", "--no-system", "-n", "2").lines == ["user: 2", "user: 3"]
    assert len(done("chat", "show", "-n", "1", "--all", "-o", "id").lines) == 4


def test_a_tools_result_comes_with_its_call() -> None:
    for role in ("user", "assistant", "tool", "assistant"):
        done("chat", "add", role, f"by {role}")
    assert done("chat", "show", "-n", "2").lines == [
        "assistant: by assistant",
        "tool: by tool",
        "assistant: by assistant",
    ]


def test_the_window_hides_nothing_from_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_CONVERSATION_MAX_MESSAGES", "3")
    ids = [done("chat", "add", "user", f"number {number}", "-c", "talk").out.strip() for number in range(7)]
    ran = done("chat", "show")
    assert ran.lines == [f"user: number {number}" for number in (4, 5, 6)]
    assert ran.err == "the newest of 7 messages; --all shows all\n"
    assert len(done("chat", "show", "-n", "6").lines) == 6
    whole = done("chat", "show", "--all", "-o", "id")
    assert (whole.lines, whole.err) == (ids, "")
    assert done("list", "--type", "chat", "-o", "id").lines == ids[::-1]
    assert done("search", "number 0", "-n", "1", "-o", "id").lines == ids[:1]
    assert done("get", ids[0], "--json").json["status"] == "active"
    assert done("recall", "--last", "2", "-o", "id").lines == ids[-2:]
    assert len(done("recall", "--last", "5", "-o", "id").lines) == 5
    assert sum('"number ' in line for line in done("export", "-").lines) == 7
    assert done("log", "--json").json[0]["verb"] == "add"


def test_what_was_put_away_is_shown_when_asked_for_and_can_come_back() -> None:
    ids = [done("chat", "add", "user", str(number), "-c", "talk").out.strip() for number in range(3)]
    ran = run("chat", "show", "talk", "--archived")
    assert ran.code == 3
    assert "no conversation with archived messages 'talk': `agentmem chat list --archived`" in ran.err
    done("forget", *ids[:2])
    assert done("chat", "show", "--archived").lines == ["user: 0", "user: 1"]
    assert done("chat", "show").lines == ["user: 2"]
    done("chat", "delete", "talk")
    assert done("chat", "list", "--archived", "-o", "id").lines == ["talk"]
    put_away = done("chat", "show", "talk", "--archived", "-o", "id").lines
    assert put_away == ids
    done("restore", *put_away)
    assert done("chat", "show", "talk").lines == ["user: 0", "user: 1", "user: 2"]


def test_a_conversation_has_to_exist_and_be_the_only_one_that_begins_so() -> None:
    done("chat", "add", "user", "x", "-c", "talk-1")
    done("chat", "add", "user", "x", "-c", "talk-2")
    ran = run("chat", "show", "nothing")
    assert ran.code == 3
    assert "no conversation 'nothing': `agentmem chat list`" in ran.err
    ran = run("chat", "show", "talk")
    assert ran.code == 2
    assert "talk-1" in ran.err
    assert "talk-2" in ran.err
