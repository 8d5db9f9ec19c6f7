from __future__ import annotations

from ..running import done, run


def test_uses_are_counted_by_name_and_by_id() -> None:
    id = done("skill", "add", "s", "x").out.strip()
    done("skill", "used", "s")
    done("skill", "used", id[:8], "--failed")
    ran = done("skill", "used", "s")
    assert (ran.out.strip(), ran.err) == (id, "2 of 3 uses went well\n")
    stored = done("get", id, "--json").json
    assert (stored["use_count"], stored["success_count"]) == (3, 2)


def test_an_unknown_one_is_not_found() -> None:
    done("skill", "add", "s", "x")
    assert run("skill", "used", "zzzz").code == 3
