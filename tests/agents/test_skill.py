"""The skill that `agentmem help --skill` prints is listed to the model by every agent."""

from __future__ import annotations

import re

from .conftest import Record
from .model import say
from .place import Place
from .programs import Program


def test_the_skill_is_listed(program: Program, place: Place, record: Record) -> None:
    text = place.agentmem("help", "--skill").stdout
    front = re.search(r"^description: (.+)$", text, re.MULTILINE)
    assert front is not None
    for folder in program.skills:
        path = place.home / folder / "agentmem" / "SKILL.md"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    run = program.run(place, "which database do we use?", [say("none")])
    assert run.code == 0, run.err
    where = run.first.places(front[1])
    assert where, "the description is there to the letter"
    assert not run.first.places("Look before you act."), "the rest is read when it is wanted"
    assert not run.left
    record(skill={"folders": list(program.skills), "where": where[0]})
