"""Whatever is wrong with the store, the model reads it in words, and the turn goes on."""

from __future__ import annotations

import pytest

from .conftest import Record
from .memory import FACT, FAULTS, QUESTION, enter
from .model import say, use
from .place import Place
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
    assert "agentmem " not in result, "a model has tools and no commands"
    record(errors={fault: result})


def test_a_wrong_argument_is_named(program: Program, place: Place, record: Record) -> None:
    enter(program, place)
    run = program.run(place, QUESTION, [use("search", words="staging"), say("all done")])
    passed(run)
    (result,) = run.results
    assert "query" in result
    record(errors={"wrong argument": result})
