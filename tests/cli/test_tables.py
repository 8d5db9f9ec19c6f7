from __future__ import annotations

import pytest

from .running import done, prepared


def fill() -> None:
    done("work", "set", "branch", "main")
    done("fact", "add", "User prefers dark mode", "-t", "ui")
    done("fact", "add", "user prefers dark mode!", "-t", "ui")
    done("pref", "set", "editor", "vim")
    done("chat", "add", "user", "Why?", "-c", "talk")
    done("event", "add", "It failed", "--outcome", "failed")
    done("doc", "add", "-", "--title", "Notes", stdin="Some knowledge")
    done("skill", "add", "free-disk", "prune", "--trigger", "disk full")


@pytest.fixture
def filled() -> None:
    prepared(fill)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("work list", "branch"),
        ("fact list", "dark mode"),
        ("fact dupes", "~"),
        ("pref list", "vim"),
        ("chat list", "talk"),
        ("chat last", "user: Why?"),
        ("chat show", "user: Why?"),
        ("event recent", "It failed"),
        ("event similar failed", "It failed"),
        ("doc list", "Notes"),
        ("doc show", "Some knowledge"),
        ("skill list", "free-disk"),
        ("skill show free-disk", "disk full"),
        ("skill find full", "prune"),
        ("agents list", "default"),
        ("agents show", "default"),
        ("model list", "bge-small-en-v1.5"),
        ("config show --origin", "embedding.provider"),
        ("index", "embedded"),
    ],
)
def test_everything_can_be_drawn(line: str, said: str) -> None:
    if line == "doc show":
        line = "doc show " + done("doc", "list", "-o", "id").lines[0]
    drawn = done(*line.split(), "-o", "table").out
    assert said in drawn
    assert all(len(item) <= 100 for item in drawn.splitlines())
