"""What runs without a person: by itself, and with what the documentation says allows it."""

from __future__ import annotations

from .conftest import Record
from .memory import FACT, QUESTION, enter
from .model import say, use
from .place import Place
from .programs import Program

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
    enter(program, place)
    script = [use("add", content=FACT), use("forget", id="nothing"), say("all done")]
    run = program.run(place, QUESTION, script, rights="none")
    stored = FACT in place.agentmem("list").stdout
    forget = any("nothing" in result and "no memory" in result for result in run.results)
    offered = bool(run.first.of_server("agentmem"))
    record(
        rights={
            "add": "runs" if stored else "refused" if offered else "not offered",
            "forget": "runs" if forget else "refused" if offered else "not offered",
        }
    )
    assert stored is (program.name in ("codex", "opencode"))
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
