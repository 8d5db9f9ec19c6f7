from __future__ import annotations

from ..running import done, run


def test_what_is_near_in_meaning() -> None:
    first = done("doc", "add", "--text", "Redis keeps the sessions").out.strip()
    near = done("doc", "add", "--text", "Redis keeps the sessions of users").out.strip()
    done("doc", "add", "--text", "bananas are yellow")
    found = done("doc", "related", first, "--json").json
    assert [result["id"] for result in found] == [near]
    assert found[0]["similarity"] >= 0.5
    assert len(done("doc", "related", first, "--min-similarity", "0", "-o", "id").lines) == 2


def test_an_unknown_one_is_not_found() -> None:
    done("doc", "add", "--text", "x")
    assert run("doc", "related", "zzzz").code == 3
