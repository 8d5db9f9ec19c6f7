from __future__ import annotations

from ..running import done, run


def test_by_name_and_by_id() -> None:
    id = done("skill", "add", "s", "how it is done").out.strip()
    for reference in ("s", id, id[:8]):
        assert done("skill", "show", reference, "--json").json["content"] == "how it is done"


def test_an_unknown_one_is_not_found() -> None:
    done("skill", "add", "s", "x")
    ran = run("skill", "show", "zzzz")
    assert ran.code == 3
    assert "agentmem skill list" in ran.err
