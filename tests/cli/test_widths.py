"""No table is wider than the terminal, whatever is in it."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tests.cli.running import done

TABLES = (
    *(
        ["list"],
        ["list", "--archived"],
        ["search", "disk"],
        ["search", "disk", "--explain"],
        ["get", "staging"],
    ),
    *(["work", "list"], ["fact", "list"], ["pref", "list"], ["chat", "list"], ["doc", "list"]),
    *(["event", "recent"], ["event", "failed"], ["event", "timeline"], ["event", "similar", "no space"]),
    *(["skill", "list"], ["skill", "find", "disk full"], ["skill", "show", "free-disk"], ["log"]),
    *(["undo", "--dry-run"], ["status"], ["stats"], ["agents", "list"], ["agents", "show"]),
    *(["config", "show"], ["config", "show", "--origin"], ["model", "list"]),
)


@pytest.fixture(autouse=True)
def filled() -> None:
    long = "a-name-without-any-place-to-break-it-" * 4
    done(
        "add", f"The database {long} runs in Oslo 東京 👩🏽‍💻 " * 6, "-k", "staging", "-t", long, "-t", "ops"
    )
    done("add", "forgotten", "-k", "gone")
    done("forget", "gone")
    done("work", "set", long, long)
    done("pref", "set", long, "short answers " * 30)
    done("chat", "add", "user", "hello " * 50, "-c", long)
    done("event", "add", "disk full " * 30, "--type", long, "--outcome", "failed", "--tag", long)
    done("doc", "add", "--text", "a document " * 50, "--title", long, "--tag", long)
    done(
        "skill",
        "add",
        "free-disk",
        "prune " * 40,
        "--trigger",
        "disk full",
        "--trigger",
        long,
        "--category",
        long,
    )


@pytest.mark.parametrize("width", [80, 120])
def test_every_table_fits(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for command in TABLES:
        for line in done(*command, "-o", "table").lines:
            if not line.startswith("default: "):  # what `stats` begins with is a sentence with a path in it
                assert cell_len(line) <= width, (command, line)
