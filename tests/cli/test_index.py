from __future__ import annotations

from .running import done, run


def test_what_is_owed_is_embedded() -> None:
    for text in ("one", "two", "three"):
        done("add", text)
    assert done("index", "--limit", "2", "--json").json == {"embedded": 2, "owed": 1}
    assert done("index", "--json").json == {"embedded": 1, "owed": 0}
    assert done("index", "--json").json == {"embedded": 0, "owed": 0}
    assert run("index", "--limit", "0").code == 2
