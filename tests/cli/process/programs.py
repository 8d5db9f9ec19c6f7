"""Running the real program as a process of its own, in a pipe or on a terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = str(Path(sys.executable).parent / "agentmem")

ANYWHERE = (
    [PROGRAM] if PROGRAM.isascii() else [sys.executable, "-S", "-m", "agentmem_cli"],
    {} if PROGRAM.isascii() else {"PYTHONPATH": os.pathsep.join(sys.path)},
)
"""The program for any locale, and what has to stand in the environment for it.

From a path with other letters than ASCII, Python itself does not start in a locale without them: it reads the `.pth`
file of an editable installation in the locale's encoding. Without `site` it reads none.
"""


def surroundings(**more: str) -> dict[str, str]:
    """Return the environment, with some variables set."""
    return {**os.environ, **more}


def started(
    *arguments: str, stdin: int | None = subprocess.DEVNULL, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start the program so that it can be interrupted: what a shell starts in the background ignores that."""
    return subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings(**(env or {})),
        text=True,
        preexec_fn=heeding_signals,
    )


def heeding_signals() -> None:
    """Ignore no signal any more, in a process that is about to become the program."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for(there: Path, seconds: float = 30.0) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + seconds
    while not there.exists():
        assert time.monotonic() < end, f"{there} did not come"
        time.sleep(0.01)


def on_a_terminal(
    arguments: Sequence[str], *, typed: bytes = b"", columns: int = 100, env: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Run the program on a terminal of its own, and return its exit code and all that was sent to the terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(PROGRAM, [PROGRAM, *arguments], surroundings(COLUMNS=str(columns), **(env or {})))
    shown = b""
    if typed:
        os.write(terminal, typed)
    while select.select([terminal], [], [], 60)[0]:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown
