"""What runs without a person: by itself, and with what the documentation says allows it."""

from __future__ import annotations

import json
from typing import Any

from .conftest import FOLDER, Record
from .memory import FACT, QUESTION, enter
from .model import say, use
from .place import Place
from .programs import Claude, Copilot, OpenCode, Program

READING = ("codex", "copilot", "opencode")
"""Agents that let reading tools run without a person."""


def test_reading_runs_where_hints_are_believed(program: Program, place: Place, record: Record) -> None:
    place.store(FACT)
    enter(program, place)
    script = [use("recall", query=QUESTION), use("search", query=QUESTION), say("all done")]
    run = program.run(place, QUESTION, script, rights="none")
    assert run.code == 0, run.err
    ran = sum(FACT in result for result in run.results)
    offered = bool(run.first.of_server("agentmem"))
    record(rights={"reading": "runs" if ran == 2 else "refused" if offered else "not offered"})
    assert (ran == 2) is (program.name in READING)
    assert offered is (program.name != "gemini")
    assert not run.left


def test_writing_runs_where_hints_are_believed(program: Program, place: Place, record: Record) -> None:
    place.agentmem("add", "Releases are on Fridays.", "--key", "release-day")
    enter(program, place)
    script = [
        use("add", content=FACT),
        use("update", id="release-day", content="Releases are on Thursdays."),
        use("forget", id="release-day"),
        say("all done"),
    ]
    run = program.run(place, QUESTION, script, rights="none")
    shown, archived = place.agentmem("list").stdout, place.agentmem("list", "--archived").stdout
    ran = {
        "add": FACT in shown,
        "update": "Thursdays" in shown + archived,
        "forget": "release" in archived.lower(),
    }
    offered = bool(run.first.of_server("agentmem"))
    refused = "refused" if offered else "not offered"
    record(rights={tool: "runs" if done else refused for tool, done in ran.items()})
    runs = {"codex": {"add", "update"}, "opencode": {"add", "update", "forget"}}.get(program.name, set())
    assert {tool for tool, done in ran.items() if done} == runs
    assert not run.left


def test_what_the_documentation_says_allows_everything(program: Program, place: Place) -> None:
    place.store(FACT)
    enter(program, place)
    script = [
        use("add", content="Releases are on Fridays.", key="release-day"),
        use("forget", id="release-day"),
        use("recall", query=QUESTION),
        say("all done"),
    ]
    run = program.run(place, QUESTION, script, rights="ours")
    assert run.code == 0, run.err
    assert "stored" in run.results[0]
    assert "archived" in run.results[1]
    assert FACT in run.results[2]


def _asked_to_write(program: Program, place: Place, **options: Any) -> list[str]:
    """Return the results of an addition and of a call that forgets it."""
    script = [
        use("add", content="Releases are on Fridays.", key="release-day"),
        use("forget", id="release-day"),
        say("all done"),
    ]
    return program.run(place, QUESTION, script, rights="none", **options).results


def test_claude_code_can_be_told_once(place: Place) -> None:
    program = Claude(FOLDER)
    enter(program, place)
    (place.home / ".claude" / "settings.json").write_text(
        '{"permissions": {"allow": ["mcp__agentmem__add"]}}'
    )
    add, forget = _asked_to_write(program, place)
    assert "stored" in add
    assert "archived" not in forget


def test_copilot_can_be_told_of_one_tool(place: Place) -> None:
    program = Copilot(FOLDER)
    enter(program, place)
    add, forget = _asked_to_write(program, place, arguments=["--allow-tool", "agentmem(add)"])
    assert "stored" in add
    assert "archived" not in forget


def test_opencode_can_be_told_to_ask(place: Place) -> None:
    program = OpenCode(FOLDER)
    settings = json.loads(place.agentmem("mcp", "--print", "opencode").stdout)
    program.register(place, json.dumps({**settings, "permission": {"agentmem_forget": "ask"}}))
    results = _asked_to_write(program, place)
    assert "stored" in results[0]
    assert "Fridays" in place.agentmem("list").stdout, "without a person to ask, it is not forgotten"
