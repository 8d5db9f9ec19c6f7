"""Whatever is wrong with the store, the model reads it in words, and the turn goes on."""

from __future__ import annotations

import pytest

from .conftest import Record
from .memory import FACT, FAULTS, QUESTION, enter
from .model import Request, Step, say, use
from .place import BIN, Place
from .processes import kill_all
from .programs import Program
from .test_tools import passed


@pytest.mark.parametrize("fault", FAULTS)
def test_the_model_reads_what_is_wrong(program: Program, place: Place, record: Record, fault: str) -> None:
    place.store(FACT)
    enter(program, place)
    broken, word = FAULTS[fault]
    step = use("add", content="Another fact.") if fault == "locked" else use("recall", query=QUESTION)
    with broken(place):
        run = program.run(place, QUESTION, [step, say("all done")])
    passed(run)
    (result,) = run.results
    assert word in result.lower()
    assert "Traceback" not in result
    record(errors={fault: result})


def test_a_wrong_argument_is_named(program: Program, place: Place, record: Record) -> None:
    enter(program, place)
    run = program.run(place, QUESTION, [use("search", words="staging"), say("all done")])
    passed(run)
    (result,) = run.results
    assert "query" in result
    record(errors={"wrong argument": result})


def test_a_server_that_is_not_there_any_more(program: Program, place: Place, record: Record) -> None:
    printed = place.agentmem("mcp", "--print", program.name).stdout
    program.register(place, printed.replace(str(BIN / "agentmem"), str(place.tmp / "agentmem")))
    run = program.run(place, QUESTION, [say("all done")])
    record(errors={"server missing": "goes on without" if run.code == 0 else "does not start"})
    if program.name == "codex":
        assert run.code != 0, "`required` means that"
        assert "agentmem" in run.err
    else:
        assert run.code == 0
        assert not run.first.of_server("agentmem")


def test_the_server_ends_with_an_agent_that_was_killed(program: Program, place: Place) -> None:
    place.store(FACT)
    enter(program, place)
    servers = []

    def kill(request: Request) -> Step:
        """Kill the agent while it waits for its model; our server has answered by then."""
        assert FACT in request.results[0]
        servers.extend(kill_all(place.home, but="agentmem mcp"))
        return say("all done")

    run = program.run(place, QUESTION, [use("recall", query=QUESTION), kill])
    assert servers, "the server was there"
    assert run.code != 0
    assert not run.left
