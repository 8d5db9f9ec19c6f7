"""What holds after every step, whatever the step was.

The laws know no verb. They compare what a step answered, what its operations say in the journal, and what is there:
a step may change what it names or answers with, and nothing else; what was given can be read back; what the journal
tells is what happened; what is there is listed, counted, exported and found.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..model import Model, Step
from ..worker import Look, Raised
from . import answers, found, given, journal, seen
from .broken import BrokenLawError

__all__ = ["BrokenLawError", "check", "check_all"]


def check(model: Model, step: Step, answer: Any, look: Look) -> None:
    """Compare what came of a step with what was before.

    Args:
        answer: what the call returned, `Raised`, or `UNKNOWN` where the process was killed in the middle of it.

    Raises:
        BrokenLawError: something does not agree; the message says what.
    """
    changes = model.changes(look)
    seen.sound(look)
    seen.agreeing(look, step.moment)
    seen.ordered(look)
    found.by_keyword(look, step.moment)
    journal.told(model, look)
    journal.undone(model, look)
    journal.merged(look)
    if isinstance(answer, Raised):
        answers.refused(model, step, answer, changes)
    elif answer is not UNKNOWN:
        answers.answered(model, step, answer, changes, look)
        given.kept(model, step, answer, look)
        found.in_answer(step, answer, look)


def check_all(model: Model, said: Mapping[str, Any], moment: datetime) -> None:
    """Compare what a thorough look says: everything found, and the same again in another store.

    Raises:
        BrokenLawError: something does not agree.
    """
    if said["faults"] or said["faults there"]:
        raise BrokenLawError(f"check() finds {said['faults']}, after an import {said['faults there']}")
    if said["owed"]:
        raise BrokenLawError(f"index() leaves {said['pending']} to embed")
    for (mode, query), ids in said["asked"].items():
        if mode == "vector":
            found.by_meaning(query, ids, model.there, moment)
        else:
            found.each_found(f"a {mode} search for {query!r}", ids, query, model.there, moment)
    if said["export"] != said["again"]:
        raise BrokenLawError(f"exported {said['export'].decode()}, after an import {said['again'].decode()}")
    first, second = said["first"], said["second"]
    if first.added != len(model.there) or second.changed:
        raise BrokenLawError(f"an import of {len(model.there)} memories said {first}, and again {second}")


UNKNOWN = object()
"""Stands for the answer of a call in the middle of which the process was killed."""
