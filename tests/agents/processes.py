"""Processes that a run has left behind, and their end."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path


def of_home(home: Path) -> dict[int, str]:
    """Return the processes whose home that is, with their command lines.

    A server may have made a session of its own or have lost its parent, but it keeps its environment.
    """
    mark, found = f"HOME={home}".encode(), {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                found[int(folder.name)] = b" ".join(words).decode(errors="replace").strip()
    return found


def end_all(home: Path, patience: float) -> list[str]:
    """Wait until all processes of a home have ended; kill what has not after so many seconds, and return it."""
    limit = time.monotonic() + patience
    while (left := of_home(home)) and time.monotonic() < limit:
        time.sleep(0.05)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return list(left.values())


def kill_all(home: Path, *, but: str) -> list[str]:
    """Kill the processes of a home, except those whose command line holds a text; return these."""
    spared = []
    for process, line in of_home(home).items():
        if but in line:
            spared.append(line)
        else:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    return spared
