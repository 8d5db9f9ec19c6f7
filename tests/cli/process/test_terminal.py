"""On a terminal nothing that is stored or typed is obeyed; in a pipe it is as it was stored."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.cli.process.programs import PROGRAM, on_a_terminal

TITLE, CLEAR, BACK, C1 = "\x1b]0;owned\x07", "\x1b[2J", "safe\rrm -rf", "\x9b31m"
COPY, TURNED, ISOLATED = "\x1b]52;c;cm0gLXJm\x07", "abc\u202etxt.exe", "\u2066hidden\u2069"
EVIL = f"deploy {TITLE}{CLEAR}{BACK}{C1}{COPY}{TURNED}{ISOLATED} end"

OURS = re.compile(rb"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\x1b\[K")
"""Colours, and the cursor."""


def harmless(shown: bytes) -> bool:
    """Return whether a terminal was sent nothing to obey but our own colours."""
    text = OURS.sub(b"", shown).replace(b"\r\n", b"\n").decode("utf-8")
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def run(*arguments: str, stdin: str | None = None) -> str:
    given = None if stdin is None else stdin.encode()
    ran = subprocess.run([PROGRAM, *arguments], input=given, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.decode().strip()


@pytest.fixture
def ids() -> dict[str, str]:
    objects = [
        {
            "content": EVIL,
            "type": "fact",
            "tags": ["ops", EVIL],
            "key": f"key{EVIL}",
            "source": EVIL,
            "metadata": {"a": EVIL},
        },
        {
            "content": EVIL,
            "type": "event",
            "event_type": EVIL,
            "outcome": f"failed: {EVIL}",
            "participants": [EVIL],
        },
        {"content": EVIL, "type": "skill", "name": f"skill{EVIL}", "triggers": [EVIL], "category": EVIL},
        {"content": EVIL, "type": "doc", "title": EVIL, "document_id": "d1"},
        {
            "content": EVIL,
            "type": "chat",
            "role": f"user{EVIL}",
            "name": EVIL,
            "conversation_id": f"talk{EVIL}",
        },
        {"content": EVIL, "type": "fact", "kind": "preference", "category": EVIL},
    ]
    lines = "\n".join(json.dumps(item) for item in objects)
    found = run("add", "--ndjson-in", "--no-embed", stdin=lines).split()
    run("work", "set", "branch", "-", stdin=EVIL)
    return dict(zip(("fact", "event", "skill", "doc", "chat", "pref"), found, strict=True))


def test_what_is_stored(ids: dict[str, str]) -> None:
    commands = [
        *(
            ["search", "deploy"],
            ["search", "deploy", "--explain", "-o", "text"],
            ["search", "deploy", "--json"],
        ),
        *(["recall", "deploy"], ["recall", "deploy", "--explain", "-o", "json"], ["recall"]),
        *(["get", ids["fact"]], ["get", ids["skill"], "-o", "text"], ["get", ids["event"], "--json"]),
        *(["list"], ["list", "-o", "text"], ["list", "--ndjson"], ["history", ids["fact"]]),
        *(["chat", "show"], ["chat", "last"], ["chat", "list"], ["chat", "summarize"]),
        *(["work", "get", "branch"], ["work", "list"], ["doc", "show", "d1"], ["doc", "list"]),
        *(["skill", "show", ids["skill"]], ["skill", "list"], ["skill", "find", "deploy"], ["pref", "list"]),
        *(["event", "timeline"], ["event", "failed"], ["stats"], ["status"], ["log"], ["export", "-"]),
        *(["fact", "dupes"], ["forget", ids["pref"], "--dry-run"]),
    ]
    for command in commands:
        code, shown = on_a_terminal(command)
        assert code == 0, (command, shown)
        assert harmless(shown), (command, shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ["get", EVIL],
        ["search", "x", "--mode", EVIL],
        ["list", f"--{EVIL}"],
        ["list", "--since", EVIL],
        ["-a", EVIL, "list"],
        [EVIL],
        ["skill", "show", EVIL, "--json"],
    ],
)
def test_what_is_typed(arguments: list[str]) -> None:
    _, shown = on_a_terminal(arguments)
    assert harmless(shown), shown


def test_a_pipe_gets_what_was_stored(ids: dict[str, str]) -> None:
    assert run("work", "get", "branch") == EVIL
    assert json.loads(run("get", ids["fact"], "--json"))["content"] == EVIL


def test_json_on_a_terminal_says_the_same(ids: dict[str, str]) -> None:
    _, shown = on_a_terminal(["get", ids["fact"], "--json"])
    assert json.loads(OURS.sub(b"", shown))["content"] == EVIL


def test_letters_of_all_scripts_stay() -> None:
    text = "naïve Привет שלום 你好 👨‍👩‍👧 می‌خواهم a b"
    run("work", "set", "text", "-", stdin=text)
    _, shown = on_a_terminal(["work", "get", "text"])
    assert shown.decode().strip() == text


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours(variables: dict[str, str], ids: dict[str, str]) -> None:
    _, shown = on_a_terminal(["search", "deploy"], env=variables)
    assert not re.search(rb"\x1b\[[0-9;]*3[0-9]m", shown)


def test_where_a_table_has_no_room_results_are_lines(ids: dict[str, str]) -> None:
    found = {}
    for columns in (59, 60):
        code, shown = on_a_terminal(["search", "deploy", "--mode", "keyword"], columns=columns)
        assert code == 0
        found[columns] = shown.decode()
    assert "relevance" in found[60]
    assert "relevance" not in found[59]
    assert re.search(r"^[01][.]\d\d  \w{8}  \w+ +\S", found[59], re.MULTILINE), found[59]
