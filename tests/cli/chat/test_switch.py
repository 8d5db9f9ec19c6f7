from __future__ import annotations

import pytest

from ..running import done, run


def test_it_holds_for_later_commands_and_takes_the_beginning_of_an_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done("chat", "add", "user", "1", "-c", "support-4711")
    done("chat", "add", "user", "2", "-c", "other")
    ran = done("chat", "switch", "supp")
    assert (ran.out, ran.err) == ("support-4711\n", "")
    done("chat", "add", "user", "3")
    assert done("chat", "show").lines == ["user: 1", "user: 3"]
    monkeypatch.setenv("AGENTMEM_SESSION", "other")
    assert "AGENTMEM_SESSION is other" in done("chat", "switch", "supp").err


def test_an_unknown_one_is_not_begun_by_a_slip() -> None:
    done("chat", "add", "user", "1", "-c", "support-4711")
    ran = run("chat", "switch", "suport")
    assert ran.code == 3
    assert ran.err == "error: no conversation 'suport': `agentmem chat new suport` begins one\n"
    done("chat", "new", "fresh")
    assert done("chat", "switch", "fresh").out == "fresh\n"
