"""One case: a few runs on the same files, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from . import laws
from .doors import Door, Option, doors, global_options
from .places import OUTPUTS, SIGNALS, Circumstances, Place, environment, furnish
from .pools import hostile, stdin, value
from .running import pasted, run

RUNS = 4
"""In one case."""


class Case:
    """A few runs on the same files.

    Args:
        seed: the same case for the same number.
        root: a folder of its own.
        start: the folder that every case begins with, and what is in it.
    """

    def __init__(self, seed: int, root: Path, start: Path, ids: Sequence[str], export: bytes) -> None:
        self._chance = chance = Random(seed)
        self._ids = list(ids)
        self._export = export
        self._door = doors()[seed % len(doors())]
        """Which command has its turn, so that each has one again and again."""
        disk = chance.choice(("usual", "usual", "usual", "usual", "usual", "read-only", "full"))
        self._place = Place(root, disk)
        furnish(self._place, start, chance)
        self.commands: list[str] = []

    def take(self) -> int:
        """Make the runs and return how many.

        Raises:
            BrokenLawError: one did what none may do; its notes are the commands to paste.
        """
        stored: list[str] = []
        try:
            for number in range(RUNS):
                door = self._door if number == RUNS - 1 else self._chance.choice(doors())
                ran = run(self._place, self._arguments(door), self._circumstances(door))
                self.commands.append(pasted(self._place, ran, number))
                laws.check(ran)
                stored += laws.acknowledged(ran)
            laws.check_after(self._place, stored)
        except laws.BrokenLawError as error:
            error.add_note(f"cd {self._place.work}  # disk: {self._place.disk}, odd: {self._place.odd}")
            error.add_note("\n".join(self.commands))
            raise
        return RUNS

    def _arguments(self, door: Door) -> list[str]:
        chance = self._chance
        made: list[str] = []
        for option in chance.sample(global_options(), chance.choice((0, 0, 0, 1, 2))):
            made += self._option(option)
        made += door.words
        for option in chance.sample(door.options, min(len(door.options), chance.choice((0, 0, 1, 1, 2, 3)))):
            made += self._option(option)
        for argument in door.arguments:
            if argument.required or chance.random() < 0.8:
                times = chance.choice((1, 1, 2, 4)) if argument.repeats else 1
                made += [value(chance, argument.value, self._ids) for _ in range(times)]
        if chance.random() < 0.05:
            made.insert(chance.randrange(len(made) + 1), hostile(chance))
        return [entry.replace("\0", "") for entry in made]

    def _option(self, option: Option) -> list[str]:
        name = self._chance.choice(option.names)
        if option.value is None:
            return [name]
        given = value(self._chance, option.value, self._ids)
        return [f"{name}={given}"] if name.startswith("--") and self._chance.random() < 0.3 else [name, given]

    def _circumstances(self, door: Door) -> Circumstances:
        chance = self._chance
        met = chance.choice(SIGNALS) if chance.random() < 0.12 and self._place.disk == "usual" else None
        out = chance.choice(OUTPUTS)
        return Circumstances(
            environment(self._place, chance),
            stdin=None if chance.random() < 0.05 else stdin(chance, self._export),
            out=out,
            err=chance.choice(
                (
                    "pipe",
                    "pipe",
                    "pipe",
                    "pipe",
                    "closed",
                    "full",
                    "terminal" if out == "terminal" else "pipe",
                )
            ),
            signal=met,
            after=chance.uniform(0.0, 1.5),
        )
