"""Making a walk that fails as short as it can be while the same law stays broken.

Whole steps are taken out, then what is left is made plainer. Hypothesis could do it, but knows nothing of steps: it
needs minutes where this takes seconds.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

from .course import Course, Ground, Plan
from .laws import BrokenLawError
from .mixing import Mix
from .processes import WorkerDiedError

SECONDS = 60.0
"""After that long the shortest walk so far has to do."""


class Failure(NamedTuple):
    """A walk in which something does not agree."""

    plans: Sequence[Plan]
    error: AssertionError
    script: str


def place_of(error: BaseException) -> str:
    """Return where a law was found broken: one fault has one place."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def attempt(ground: Ground, mix: Mix, plans: Sequence[Plan]) -> Failure | None:
    """Take these steps; None if all agrees."""
    with Course(ground, mix) as course:
        try:
            for plan in plans:
                course.take(plan)
            course.end()
        except (BrokenLawError, WorkerDiedError) as error:
            return Failure(list(course.taken), error, str(course.script))
    return None


def shortest(ground: Ground, mix: Mix, plans: Sequence[Plan]) -> Failure | None:
    """Return the shortest walk found that fails as this one does; None if it does not fail again."""
    best = attempt(ground, mix, plans)
    if best is None:
        return None
    place, end = place_of(best.error), time.monotonic() + SECONDS

    def better(fewer: Sequence[Plan]) -> bool:
        nonlocal best
        if time.monotonic() > end:
            return False
        found = attempt(ground, mix, fewer)
        if found is None or place_of(found.error) != place:
            return False
        best = found
        return True

    size = len(best.plans) // 2
    while size:
        start = 0
        while start < len(best.plans):
            plans = best.plans
            if not better([*plans[:start], *plans[start + size :]]):
                start += size
        size //= 2
    number = 0
    while number < len(best.plans):
        plans = best.plans
        if not any(
            better([*plans[:number], plainer, *plans[number + 1 :]]) for plainer in _plainer(plans[number])
        ):
            number += 1
    return best


def _plainer(plan: Plan) -> Iterator[Plan]:
    if plan.later:
        yield replace(plan, later=timedelta(0))
    if plan.killed:
        yield replace(plan, killed=False)
    if plan.dies_after is not None:
        yield replace(plan, dies_after=None)
    if plan.actor:
        yield replace(plan, actor=0)
    if plan.reopens:
        yield replace(plan, reopens=False)
    for name in plan.given:
        if name not in plan.verb.required:
            yield replace(plan, given={item: value for item, value in plan.given.items() if item != name})
        elif isinstance(plan.given[name], list) and len(plan.given[name]) > 1:
            yield replace(plan, given={**plan.given, name: plan.given[name][:1]})
