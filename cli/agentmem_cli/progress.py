"""A bar for long work: on stderr, on a terminal only, and only if it takes a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from agentmem_cli import streams

if TYPE_CHECKING:
    from rich.progress import Progress

Report = Callable[[int, int], None]
_PATIENCE: Final = 0.4  # seconds before a bar is worth drawing
_BETWEEN: Final = 0.1  # seconds from one drawing to the next


@contextmanager
def bar(what: str, *, unit: str = "", quiet: bool = False) -> Iterator[Report | None]:
    """Give a function to call with (done, total); None where nobody would see the bar."""
    if quiet or not streams.obeys():
        yield None
        return
    progress: Progress | None = None
    next_drawing = time.monotonic() + _PATIENCE

    def report(done: int, total: int) -> None:
        nonlocal progress, next_drawing
        now = time.monotonic()
        if total <= 0 or now < next_drawing:
            return
        next_drawing = now + _BETWEEN
        if progress is None:
            progress = _progress(unit)
            progress.add_task(what, total=total)
            progress.start()
        progress.update(progress.task_ids[0], completed=done, total=total)
        progress.refresh()

    try:
        yield report
    finally:
        if progress is not None:
            progress.stop()


def _progress(unit: str) -> Progress:
    """Return a bar that is drawn when it is told to, and gone when it is stopped."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(file=streams.unchecked(sys.stderr), width=streams.columns(), force_terminal=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        *((DownloadColumn(),) if unit == "bytes" else (MofNCompleteColumn(), TextColumn(unit))),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,  # no thread of its own: a command may fork, and is ended by signals
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
