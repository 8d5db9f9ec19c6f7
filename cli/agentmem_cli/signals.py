"""What ends the program from outside: Ctrl-C, a request to stop, a terminal that goes away.

Each ends it at once, with a line and 128 plus its number as the exit code. Nothing is unwound, since that could wait:
for a server, for a model, for a thread in the middle of its work. A memory's file survives an end at any point.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
_ENDING = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))
tell_of_end: Callable[[int], None] | None = None
"""Called with the exit code before the program ends so; for whoever runs a command for somebody else."""
_HINT = "`agentmem log` shows what was stored"


def end_at_once() -> None:
    """Let each of these signals end the program; one that is ignored, as under `nohup`, stays ignored."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    atexit.register(_ignore)  # the first to be registered is the last to run


def _ignore() -> None:
    """Let no signal end the program any more: all is done, and the exit code must not deny it."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interrupts_are_for_others() -> Iterator[None]:
    """Leave Ctrl-C to a program that was started on the same terminal, such as an editor."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    # A function, since SIG_IGN would be inherited by that program.
    signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def end(number: int, _frame: FrameType | None = None) -> None:
    """End the program as this signal does."""
    _ignore()
    temporary = sys.modules.get("agent_memory.temporary")
    if temporary is not None:
        temporary.remove_all()
    with suppress(OSError, ValueError):
        _say(number)
    if tell_of_end is not None:
        tell_of_end(128 + number)
    os._exit(128 + number)


def _say(number: int) -> None:
    what = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    if "--json" in sys.argv:
        line = f'{{"error": {{"code": "interrupted", "message": "{what}", "hint": "{_HINT}"}}}}\n'
    else:
        line = f"{what}: {_HINT}\n"
    if os.isatty(2):
        line = "\r\x1b[K" + line  # in place of a bar that may be drawn there
    if os.name != "nt":
        import select

        if not select.select([], [2], [], 0)[1]:
            return  # nobody reads there, and waiting is what must not happen
    os.write(2, line.encode())
