from __future__ import annotations

from ..running import done, run


def test_a_new_version_takes_the_place_of_the_old_one() -> None:
    id = done("fact", "add", "Oslo").out.strip()
    assert done("fact", "update", id[:8], "Bergen", "--importance", "0.9").out.strip() == id
    changed = done("get", id, "--json").json
    assert (changed["id"], changed["content"], changed["importance"]) == (id, "Bergen", 0.9)
    assert [item["after"]["content"] for item in done("history", id, "--json").json] == ["Oslo", "Bergen"]


def test_an_unknown_one_is_not_found() -> None:
    done("fact", "add", "x")
    ran = run("fact", "update", "zzzz", "y")
    assert ran.code == 3
    assert "agentmem fact list" in ran.err
