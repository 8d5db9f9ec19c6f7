"""Walks over every backend: with fixed seeds, and with new ones for as long as one likes."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from . import grounds, pools, values, verbs
from .course import Course, Ground
from .machine import Walk
from .mixing import mix_of
from .shortening import place_of, shortest

STEPS = 30
"""In one walk."""
SEEDS = {"memory": 25, "sqlite": 9, "postgres": 2, "redis": 4}
"""Seeds that are walked each time, by backend: a quarter of a minute each."""
SECONDS = float(os.environ.get("AGENTMEM_WALK_SECONDS", "120"))
"""How long the walks with new seeds go on, for each backend."""
SEED = int(os.environ.get("AGENTMEM_WALK_SEED", "0"))
"""The first of these seeds, where one is to be seen again; 0 takes one that was never used."""


@pytest.fixture(scope="module", params=grounds.BACKENDS)
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with grounds.ground(request.param) as made:
        yield made


def walk(ground: Ground, number: int) -> None:
    """Make the walk of a seed.

    Raises:
        AssertionError: something does not agree; its note is the shortest program found that shows it.
    """
    mix, failed = mix_of(number, persistent=ground.persistent), list[Course]()
    machine = type("TheWalk", (Walk,), {"ground": ground, "mix": mix, "failed": failed})
    try:
        # Two examples: hypothesis begins with the simplest, which takes no step, and from the third on it repeats
        # what it did before with changes.
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=2,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                verbosity=Verbosity.quiet,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    except AssertionError as error:
        found = shortest(ground, mix, failed[0].taken)
        again = f"the same again: AGENTMEM_WALK_SEED={number} AGENTMEM_WALK_SECONDS=1 make soak"
        program = str(failed[0].script) if found is None else found.script
        broken = error if found is None else found.error
        broken.add_note(f"{program}\n# {again}")
        raise broken from None


def test_every_public_verb_is_walked_or_left_out_for_a_reason() -> None:
    names = {verb.name for verb in verbs.public_methods()}
    assert names >= verbs.LEFT_OUT.keys(), "what is left out is there"
    assert names - verbs.LEFT_OUT.keys() == {verb.name for verb in verbs.all_verbs()}


def test_every_argument_has_values_or_a_reason_for_none() -> None:
    unknown = {
        f"{name} of {verb}"
        for verb in verbs.all_verbs()
        for name, parameter in verb.parameters.items()
        if not values.known(name) or (name in pools.LEFT_OUT and parameter.default is parameter.empty)
    }
    assert not unknown, "give them a pool in tests/walk/pools.py, or a reason there"


@pytest.mark.timeout(600)
def test_walks_with_fixed_seeds(ground: Ground) -> None:
    for number in range(1, SEEDS[ground.name] + 1):
        walk(ground, number)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_walks_with_new_seeds(ground: Ground) -> None:
    first = SEED or secrets.randbelow(2**31)
    end, number = time.monotonic() + SECONDS, first
    failures: dict[str, str] = {}
    while time.monotonic() < end:
        try:
            walk(ground, number)
        except AssertionError as error:
            failures.setdefault(place_of(error), "\n".join([str(error), *error.__notes__]))
        number += 1
    print(f"\n{ground.name}: {ground.steps} steps in {ground.walks} walks, seeds {first} to {number - 1}")
    assert not failures, "\n\n".join(failures.values())
