"""Bars for long work: on stderr, on a terminal only, and only if it takes a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from agentmem_cli import streams

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from agent_memory.transfer.fleet import Report as AgentReport

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


@contextmanager
def agents(note: Callable[[str], None], *, quiet: bool = False) -> Iterator[AgentReport]:
    """Yield a function to call with (agent, phase, done, total), which draws a table of the agents under way.

    Elsewhere than on a terminal a line is said of each agent that is done.

    Yields:
        The function.
    """
    if quiet or not streams.obeys():
        lines = _AgentLines(note)
        yield lines.report
        return
    table = _AgentTable()
    try:
        yield table.report
    finally:
        table.stop()


class _AgentLines:
    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._total = self._ended = 0

    def report(self, agent_id: str, phase: str, done: int = 0, total: int = 0) -> None:
        if phase == "waiting":
            self._total += 1
        elif phase in ("done", "failed"):
            self._ended += 1
            self._note(f"{agent_id}: {phase} ({self._ended} of {self._total})")


class _AgentTable:
    """A line for all, and one for each agent under way."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._total = self._ended = self._failed = 0
        self._all: TaskID | None = None
        self._lines: dict[str, TaskID] = {}
        self._next = time.monotonic() + _PATIENCE

    def report(self, agent_id: str, phase: str, done: int = 0, total: int = 0) -> None:
        if phase == "waiting":
            self._total += 1
            return
        if phase in ("done", "failed"):
            self._ended += 1
            self._failed += phase == "failed"
        if self._progress is None:
            if time.monotonic() < self._next:
                return
            self._progress = _agents_progress()
            self._all = self._progress.add_task("all", phase="", total=self._total)
            self._progress.start()
        self._update(self._progress, agent_id, phase, done, total)

    def _update(self, progress: Progress, agent_id: str, phase: str, done: int, total: int) -> None:
        if phase in ("done", "failed"):
            if agent_id in self._lines:
                progress.remove_task(self._lines.pop(agent_id))
        else:
            if agent_id not in self._lines:
                self._lines[agent_id] = progress.add_task(agent_id, phase=phase, total=None)
            progress.update(self._lines[agent_id], phase=phase, completed=done, total=total or None)
        assert self._all is not None
        said = f"{self._failed} failed" if self._failed else ""
        progress.update(self._all, completed=self._ended, total=self._total, phase=said)
        if (now := time.monotonic()) >= self._next:
            self._next = now + _BETWEEN
            progress.refresh()

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _agents_progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(file=streams.unchecked(sys.stderr), width=streams.columns(), force_terminal=True)
    return Progress(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[phase]}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


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
