"""Running the real program beside a real warm process, and looking at its processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agentmem_cli.warm import asking
from tests.cli.process.programs import PROGRAM, surroundings

Ran = subprocess.CompletedProcess[str]


def agentmem(
    *words: str, stdin: str = "", env: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Ran:
    """Run the program as a process of its own, whoever answers it."""
    return subprocess.run(
        [*before, PROGRAM, *words],
        input=stdin,
        env=surroundings(**(env or {})),
        capture_output=True,
        text=True,
        timeout=60,
    )


def cold(*words: str, stdin: str = "") -> Ran:
    """Run the program, and let nobody else answer."""
    return agentmem(*words, stdin=stdin, env={"AGENTMEM_WARM": "0"})


def processes(socket: Path) -> list[int]:
    """List the processes that serve a socket, or are workers of one that does."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if os.fsencode(socket) in words and b"agentmem_cli.warm" in words:
                found.append(int(folder.name))
    return found


class Warm(NamedTuple):
    """A warm process that runs."""

    socket: Path

    @property
    def status(self) -> dict[str, Any]:
        return asking.status()

    @property
    def process(self) -> int:
        return int(self.status["process"])

    @property
    def requests(self) -> int:
        """How many commands it has answered."""
        return int(self.status["requests"])

    @property
    def workers(self) -> list[int]:
        return [worker["process"] for worker in self.status["workers"]]

    @property
    def cold(self) -> dict[str, int]:
        """How many commands it has left to a process of their own, by reason."""
        return dict(self.status["cold"])
