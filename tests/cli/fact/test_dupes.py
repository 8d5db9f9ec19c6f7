from __future__ import annotations

import pytest

from ..running import done, run


@pytest.fixture
def twice() -> list[str]:
    first = done("fact", "add", "User prefers dark mode", "-t", "a").out.strip()
    second = done("fact", "add", "user prefers Dark Mode!", "-t", "b").out.strip()
    done("fact", "add", "something else entirely")
    return [first, second]


def test_they_are_shown_and_stay(twice: list[str]) -> None:
    (group,) = done("fact", "dupes", "--json").json
    assert group["kept"]["id"] == twice[0]
    assert [each["id"] for each in group["merged"]] == [twice[1]]
    assert done("fact", "dupes").lines == [
        f"{twice[0][:8]}  User prefers dark mode",
        f"  = {twice[1][:8]}  user prefers Dark Mode!",
    ]
    assert len(done("fact", "list", "-o", "id").lines) == 3


def test_merging_has_to_be_confirmed(twice: list[str]) -> None:
    assert run("fact", "dupes", "--merge").code == 2
    done("fact", "dupes", "--merge", "--dry-run")
    assert len(done("fact", "list", "-o", "id").lines) == 3
    assert "merged 1 facts" in done("fact", "dupes", "--merge", "-y").err
    assert len(done("fact", "list", "-o", "id").lines) == 2
    assert done("get", twice[0], "--json").json["tags"] == ["a", "b"]
    done("undo")
    assert len(done("fact", "list", "-o", "id").lines) == 3
