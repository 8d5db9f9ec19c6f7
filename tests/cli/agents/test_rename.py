from __future__ import annotations

from ..running import done, run


def test_everything_is_under_the_new_name() -> None:
    id = done("add", "one", "-a", "old").out.strip()
    done("agents", "rename", "old", "New Name")
    assert done("agents", "list", "-o", "id").lines == ["New Name"]
    assert done("get", id, "-a", "New Name", "--json").json["agent_id"] == "New Name"


def test_a_taken_name_is_refused() -> None:
    done("add", "one", "-a", "old")
    done("add", "two", "-a", "taken")
    ran = run("agents", "rename", "old", "taken")
    assert ran.code == 2
    assert "exists already" in ran.err
    assert run("agents", "rename", "nobody", "x").code == 3
    assert done("agents", "list", "-o", "id").lines == ["old", "taken"]


def test_done_again_it_says_the_same() -> None:
    done("add", "one", "-a", "old")
    for _ in range(2):
        assert "old is now new" in done("agents", "rename", "old", "new").err
    assert done("agents", "list", "-o", "id").lines == ["new"]
    assert run("agents", "rename", "older", "new").code == 3
