from __future__ import annotations

from ..running import run


def test_a_value_that_was_never_set_is_not_found() -> None:
    ran = run("work", "get", "nothing")
    assert (ran.code, ran.out) == (3, "")
    assert "agentmem work list" in ran.err
