from __future__ import annotations

import pytest

from ..running import done


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


def test_an_unknown_one_is_a_new_one_and_said_to_be() -> None:
    assert done("chat", "switch", "fresh").err == "fresh is a new conversation\n"
