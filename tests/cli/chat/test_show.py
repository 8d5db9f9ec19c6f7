from __future__ import annotations

from ..running import done, run


def test_the_newest_messages_oldest_first() -> None:
    for number in range(4):
        done("chat", "add", "system" if number == 3 else "user", str(number), "-c", "talk")
    assert done("chat", "show", "-n", "2").lines == ["user: 2", "system: 3"]
    assert done("chat", "show", "ta", "--no-system", "-n", "2").lines == ["user: 1", "user: 2"]
    assert len(done("chat", "show", "-n", "1", "--all", "-o", "id").lines) == 4


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
