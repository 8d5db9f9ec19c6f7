"""What `agentmem mcp` is asked for is read the same way with Typer and without it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentmem_cli import app
from agentmem_mcp import options, start
from agentmem_mcp.options import Options
from tests.cli.running import done, run

from .raw import Raw


def by_typer(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> Options | None:
    """Return what the command starts the server with; None where it does not start one."""
    asked: list[Options] = []

    def started(options: Options) -> None:
        asked.append(options)

    with monkeypatch.context() as patch:
        patch.setattr(start, "run", started)
        app.main(words)
    return asked[0] if asked else None


WORDS = [
    *(
        "mcp",
        "--read-only",
        "--offline",
        "-q",
        "--json",
        "--debug",
        "-v",
        "-y",
        "--tools",
        "recall",
        "add,search",
    ),
    *(
        "--tools=recall",
        "-a",
        "work",
        "--agent=work",
        "--db",
        "x.db",
        "--db=y.db",
        "--backend",
        "memory",
        "-awork",
    ),
    *(
        "--cost",
        "--help",
        "--print",
        "claude",
        "--",
        "search",
        "-a=work",
        "--tools=,",
        "--tools=nothing",
        "-qv",
    ),
]


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    before=st.lists(st.sampled_from(WORDS), max_size=3), after=st.lists(st.sampled_from(WORDS), max_size=4)
)
def test_what_is_read_without_typer_typer_reads_as_well(
    before: list[str], after: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*before, "mcp", *after]
    asked = options.parse(words)
    if asked is not None and not start.unknown(asked) and start.offered(asked):
        assert by_typer(words, monkeypatch) == asked


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("mcp", Options()),
        ("mcp --read-only --tools recall", Options(read_only=True, tools=("recall",))),
        ("--agent=work mcp --offline", Options(agent="work", offline=True)),
        ("-a one mcp -a two --db x.db", Options(agent="two", db="x.db")),
        (
            "--backend memory -q mcp --tools=add,,recall,add",
            Options(backend="memory", tools=("add", "recall")),
        ),
    ],
)
def test_the_usual_ways_need_no_typer(words: str, asked: Options) -> None:
    assert options.parse(words.split()) == asked


@pytest.mark.parametrize(
    "words",
    [
        *("", "search mcp", "add mcp", "mcp --help", "mcp --cost", "mcp --print claude", "mcp mcp", "mcp -a"),
        *(
            "--read-only mcp",
            "--tools x mcp",
            "-awork mcp",
            "mcp --tools",
            "mcp extra",
            "mcp -qv",
            "help mcp",
        ),
    ],
)
def test_all_else_is_left_to_typer(words: str) -> None:
    assert options.parse(words.split()) is None


def test_a_tool_that_does_not_exist_is_a_usage_error() -> None:
    ran = run("mcp", "--tools", "recall,remember")
    assert ran.code == 2
    assert ran.err == "error: unknown tool 'remember': use one of recall, search, add, update, forget\n"


@pytest.mark.parametrize("words", [("--tools", "add", "--read-only"), ("--tools", ",")])
def test_a_server_without_any_tool_is_a_usage_error(words: tuple[str, ...]) -> None:
    ran = run("mcp", *words)
    assert ran.code == 2
    assert "no tool is left to offer" in ran.err


def test_without_the_sdk_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "find_spec", lambda name: None)
    ran = run("mcp")
    assert ran.code == 7
    assert ran.err.startswith("error: the MCP SDK is not installed: pip install ")
    assert "[mcp]" in ran.err
    assert done("mcp", "--cost").out


def test_the_cost_is_counted_of_what_is_offered() -> None:
    rows: list[dict[str, Any]] = done("mcp", "--cost", "--read-only", "--json").json
    assert [row["tool"] for row in rows] == ["recall", "search", "instructions", "total"]
    assert rows[-1]["bytes"] == sum(row["bytes"] for row in rows[:-1])
    assert all(row["tokens (estimate)"] == -(-row["bytes"] // 4) for row in rows)


@pytest.mark.parametrize("words", list(permutations(["--read-only", "--tools=recall,add"])))
def test_a_server_offers_what_it_was_started_with(words: tuple[str, str]) -> None:
    with Raw("-a", "work", "mcp", *words) as server:
        assert "add" not in server.begin()["result"]["instructions"].lower().split()
        assert [tool["name"] for tool in server.ask("tools/list")["result"]["tools"]] == ["recall"]
        assert "agent 'work'" in server.call("recall")
        assert server.ask("tools/call", {"name": "add", "arguments": {}})["error"]["code"] == -32602
        assert [tool["name"] for tool in server.ask("tools/list")["result"]["tools"]] == ["recall"]
