from __future__ import annotations

import pytest

from ..running import done, run


@pytest.fixture
def twice() -> list[str]:
    first = done("fact", "add", "User prefers dark mode", "-t", "a").out.strip()
    second = done("fact", "add", "The user prefers dark  mode.", "-t", "b").out.strip()
    done("fact", "add", "something else entirely")
    return [first, second]


def test_they_are_shown_and_stay(twice: list[str]) -> None:
    (group,) = done("fact", "dupes", "--json").json
    assert group["kept"]["id"] == twice[0]
    assert [item["id"] for item in group["merged"]] == [twice[1]]
    assert done("fact", "dupes").lines == [
        f"{twice[0][:8]}  User prefers dark mode",
        f"  = {twice[1][:8]}  The user prefers dark mode.",
    ]
    assert len(done("fact", "list", "-o", "id").lines) == 3


def test_similar_ones_are_shown_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")
    first = done("fact", "add", "The meeting is on Monday").out.strip()
    second = done("fact", "add", "The meeting is on Tuesday").out.strip()
    assert done("fact", "dupes", "--threshold", "0.7").lines == [
        f"{first[:8]}  The meeting is on Monday",
        f"  ~ {second[:8]}  The meeting is on Tuesday",
    ]
    (group,) = done("fact", "dupes", "--threshold", "0.7", "--json").json
    assert (group["merged"], [item["id"] for item in group["similar"]]) == ([], [second])
    ran = done("fact", "dupes", "--threshold", "0.7", "--merge", "-y")
    assert "nothing to merge: no two say the same" in ran.err
    assert len(done("fact", "list", "-o", "id").lines) == 2
    assert done("fact", "dupes", "--threshold", "1").lines == []


@pytest.mark.parametrize(
    ("left", "right"), [(".env", "env"), (":q", "q"), ("alarm on", "alarm off"), ("/etc/App", "/etc/app")]
)
def test_without_an_embedder_too_only_the_same_are_merged(
    left: str, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "none")
    done("fact", "add", left)
    done("fact", "add", right)
    done("fact", "dupes", "--merge", "-y")
    assert len(done("fact", "list", "-o", "id").lines) == 2


def test_merging_has_to_be_confirmed(twice: list[str]) -> None:
    ran = run("fact", "dupes", "--merge")
    assert (ran.code, "would merge 1 fact into 1 other: say -y" in ran.err) == (2, True)
    done("fact", "dupes", "--merge", "--dry-run")
    assert len(done("fact", "list", "-o", "id").lines) == 3
    assert "merged 1 fact (" in done("fact", "dupes", "--merge", "-y").err
    assert len(done("fact", "list", "-o", "id").lines) == 2
    assert done("get", twice[0], "--json").json["tags"] == ["a", "b"]
    done("undo")
    assert len(done("fact", "list", "-o", "id").lines) == 3
