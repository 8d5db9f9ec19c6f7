"""A bar for long work: on stderr, on a terminal only, and only if it takes a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agentmem_cli import streams

Report = Callable[[int, int], None]
_PATIENCE = 0.4  # seconds before a bar is worth drawing
_WIDTH = 30


@contextmanager
def bar(what: str, *, unit: str = "", quiet: bool = False) -> Iterator[Report | None]:
    """Give a function to call with (done, total); None where nobody would see the bar."""
    if quiet or not streams.obeys():
        yield None
        return
    started = time.monotonic()
    drawn = False
    terminal = streams.unchecked(sys.stderr)

    def report(done: int, total: int) -> None:
        nonlocal drawn
        spent = time.monotonic() - started
        if spent < _PATIENCE or total <= 0:
            return
        share = min(1.0, done / total)
        left = spent / share - spent if share else 0.0
        filled = "█" * int(share * _WIDTH)
        count = _bytes(done, total) if unit == "bytes" else f"{done:,}/{total:,} {unit}".rstrip()
        terminal.write(f"\r{what} {filled:·<{_WIDTH}} {share:4.0%} {count} {left:.0f}s left \x1b[K")
        terminal.flush()
        drawn = True

    try:
        yield report
    finally:
        if drawn:
            terminal.write("\r\x1b[K")
            terminal.flush()


def _bytes(done: int, total: int) -> str:
    return f"{done / 1e6:.1f}/{total / 1e6:.1f} MB"
