"""With the entry that is printed for it, each agent offers our tools to its model and calls them."""

from __future__ import annotations

import json
import re

from .conftest import FOLDER, Record
from .memory import FACT, QUESTION, enter, instructions
from .model import Request, Step, say, use
from .place import Place
from .programs import Claude, Codex, Program, Run

TOOLS = {"recall", "search", "add", "update", "forget"}
LIMITS = {"claude": 1800, "codex": 1800, "copilot": 2000}
"""Bytes of all definitions as they reach the model: 450 tokens, and 500 in Copilot."""


def passed(run: Run) -> None:
    """Insist that a run came to its end, and that nothing of it is left."""
    assert run.code == 0, run.out + run.err
    assert "all done" in run.out + run.err
    assert not run.left


def test_the_tools_reach_the_model_and_work(program: Program, place: Place, record: Record) -> None:
    (known,) = place.store(FACT)
    entry = enter(program, place)
    run = program.run(
        place,
        QUESTION,
        [
            use("recall", query=QUESTION),
            use("search", query="staging database"),
            use("add", content="Releases are on Fridays.", key="release-day"),
            use("update", id="release-day", content="Releases are on Thursdays."),
            use("forget", id="release-day"),
            use("search", query="releases"),
            say("all done"),
        ],
    )
    passed(run)
    tools = run.first.of_server("agentmem")
    assert {re.split(r"[^a-z]+", tool.name)[-1] for tool in tools} == TOOLS
    size = sum(tool.size for tool in tools)
    recall, search, add, update, forget, again = run.results
    assert FACT in recall
    assert FACT in search
    assert known[:8] in search
    assert "stored" in add
    assert "updated" in update
    assert "archived" in forget
    assert "Thursdays" not in again
    assert "Thursdays" in place.agentmem("list", "--archived").stdout
    text = instructions(place)
    where = run.first.places(text) or run.first.places(json.dumps(text)[1:-1])
    record(
        entry=entry.strip(),
        tools=[{"name": tool.shown, "bytes": tool.size, "definition": tool.definition} for tool in tools],
        instructions={"text": text, "bytes": len(text.encode()), "where": where[0] if where else "nowhere"},
        results={"recall": recall, "search": search, "add": add, "update": update, "forget": forget},
        seconds=round(run.seconds, 1),
        outside=run.outside,
    )
    assert where or program.name == "copilot"
    assert size <= LIMITS.get(program.name, size), f"{size} bytes"


def test_a_readers_server_has_nothing_that_writes(program: Program, place: Place) -> None:
    place.store(FACT)
    enter(program, place, "--read-only", "--agent", "default")
    run = program.run(place, QUESTION, [use("recall", query=QUESTION), say("all done")])
    passed(run)
    assert len(run.first.of_server("agentmem")) == 2
    assert FACT in run.results[0]


def test_what_one_session_stores_the_next_recalls(program: Program, place: Place) -> None:
    enter(program, place)
    text = "The customer portal is written in Elixir."
    first = program.run(place, "note this", [use("add", content=text), say("all done")])
    passed(first)
    asked = "what is the customer portal written in?"
    second = program.run(place, asked, [use("recall", query=asked), say("all done")])
    passed(second)
    assert not second.first.places(text)
    assert text in second.results[0]


def test_a_result_of_one_tool_leads_to_the_next(program: Program, place: Place) -> None:
    place.store(FACT)
    enter(program, place)

    def found(request: Request) -> Step:
        """Forget what the search has shown, by its id."""
        match = re.search(r"\b[0-9a-z]{8}\b", request.results[-1])
        assert match is not None, request.results[-1]
        return use("forget", id=match[0])

    run = program.run(place, "forget it", [use("search", query="staging"), found, say("all done")])
    passed(run)
    assert "archived" in run.results[1]
    assert FACT not in place.agentmem("list").stdout


def test_claude_code_finds_tools_that_it_was_not_told_to_load(place: Place) -> None:
    place.store(FACT)
    program = Claude(FOLDER)
    words = place.agentmem("mcp", "--print", "opencode").stdout
    command = json.loads(words)["mcp"]["agentmem"]["command"]
    program.register(place, f"claude mcp add -s user agentmem -- '{command[0]}' mcp")
    run = program.run(place, QUESTION, [use("search", query="staging database"), say("all done")])
    passed(run)
    assert run.turns[-1].searches, "the definition was asked for"
    assert FACT in run.results[0]
    marked = {tool.name.rpartition("_")[2] for tool in run.turns[-1].of_server("agentmem")}
    assert marked >= {"recall", "add"}, "the server marks these two"
    assert "forget" not in marked


def test_codex_finds_tools_that_a_newer_model_is_not_shown(place: Place) -> None:
    place.store(FACT)
    program = Codex(FOLDER)
    enter(program, place)
    run = program.run(
        place,
        QUESTION,
        [use("recall", query=QUESTION), say("all done")],
        arguments=["-c", 'model="gpt-5.5"'],
    )
    passed(run)
    assert run.turns[-1].searches, "the definition was asked for"
    assert FACT in run.results[0]
