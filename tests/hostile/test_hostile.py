"""Runs that nobody would choose: with fixed seeds, and with new ones for as long as one likes."""

from __future__ import annotations

import os
import secrets
import shutil
import time
import warnings
from collections import Counter
from collections.abc import Callable

import pytest

from . import places, pools
from .case import RUNS, Case
from .doors import doors, global_options
from .laws import BrokenLawError

CASES = 15
"""Cases with fixed seeds."""
SECONDS = float(os.environ.get("AGENTMEM_HOSTILE_SECONDS", "120"))
"""How long the cases with new seeds go on."""
SEED = int(os.environ.get("AGENTMEM_HOSTILE_SEED", "0"))
"""The first of these seeds, where one is to be seen again; 0 takes one that was never used."""

RunCase = Callable[[int], int]


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> RunCase:
    if not places.namespaces():
        warnings.warn(
            "no disk can be mounted here: files are kept short instead, none is read-only", stacklevel=1
        )
    root = tmp_path_factory.mktemp("hostile")
    ids, export = places.template(root / "start")

    def made(seed: int) -> int:
        case = root / str(seed)
        runs = Case(seed, case, root / "start", ids, export).take()
        shutil.rmtree(case)  # a failed one stays, to be looked at
        return runs

    return made


def test_every_door_is_here() -> None:
    called = {option.value for door in doors() for option in door.options if option.value}
    called |= {argument.value for door in doors() for argument in door.arguments}
    called |= {option.value for option in global_options() if option.value}
    assert called == pools.USUAL.keys(), "each has values in tests/hostile/pools.py"
    assert len(doors()) > 60


@pytest.mark.timeout(1200)
def test_hostile_runs_with_fixed_seeds(take: RunCase) -> None:
    for seed in range(1, CASES + 1):
        take(seed)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_hostile_runs_with_new_seeds(take: RunCase) -> None:
    first = SEED or secrets.randbelow(2**31)
    end, number = time.monotonic() + SECONDS, first
    failures: dict[str, str] = {}
    count: Counter[str] = Counter()
    while time.monotonic() < end:
        try:
            take(number)
        except BrokenLawError as error:
            count[str(error)[:60]] += 1
            failures.setdefault(str(error)[:60], "\n".join([f"seed {number}: {error}", *error.__notes__]))
        number += 1
    print(f"\n{(number - first) * RUNS} hostile runs, seeds {first} to {number - 1}")
    assert not failures, f"{count}\n\n" + "\n\n".join(failures.values())
