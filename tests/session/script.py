"""Reading the days of the week: plain text in which a turn is a command line and what is expected of it.

# a comment
export NAME=VALUE             for all turns that follow, on all days
write PATH                    a file, whose lines follow, each four spaces in
conversation PATH             a file with the long conversation
$ agentmem COMMAND ...        a turn; it may be any command line of a shell
  id: NAME                    what it prints is an id, which later turns call $NAME
  exit: 3                     the exit code, if not 0
  lines: 2                    so many lines on stdout
  out: TEXT, not: TEXT        stdout holds this, or does not
  err: TEXT                   stderr holds this
  first: TEXT                 one of the first three things found holds this
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

EXPECTATIONS = frozenset({"id", "exit", "lines", "out", "not", "err", "first"})


@dataclass(frozen=True)
class Step:
    """Something that happens: a turn, a file that is written, a variable that is set."""

    kind: str
    """`turn`, `write`, `conversation` or `export`."""
    text: str
    """The command line, the path, or the variable with its value."""
    where: str
    """The day and the line."""
    body: list[str] = field(default_factory=list)
    """The lines of a file."""
    expected: list[tuple[str, str]] = field(default_factory=list)
    """Of a turn: names and values of what is expected."""


def read(days: Sequence[Path]) -> list[Step]:
    """Read all steps of all days, in order."""
    return [step for day in days for step in _steps(day)]


def _steps(day: Path) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(day.read_text(encoding="utf-8").splitlines(), 1):
        if step is not None and step.kind == "write" and (line.startswith("    ") or not line):
            step.body.append(line)
        elif line.startswith("  "):
            assert step is not None, line
            name, _, value = line.strip().partition(": ")
            assert name in EXPECTATIONS, f"{day.name}:{number}: {line}"
            step.expected.append((name, value))
        elif line and not line.startswith("#"):
            if step is not None:
                yield step
            word, _, text = line.partition(" ")
            kind = "turn" if word == "$" else word
            assert kind in ("turn", "write", "conversation", "export"), f"{day.name}:{number}: {line}"
            step = Step(kind, text, f"{day.name}:{number}")
    if step is not None:
        yield step


def contents(step: Step) -> str:
    """Return what is written to a file."""
    return textwrap.dedent("\n".join(step.body)).strip("\n") + "\n"
