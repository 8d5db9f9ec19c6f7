"""Timing, and describing the machine it was done on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent


def command(arguments: Sequence[str], *, runs: int = 15, stdin: str = "", **environment: str) -> float:
    """Return the median wall time of a command, in seconds, after one run to warm the disk cache."""
    env = {**os.environ, **environment}
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(arguments, input=stdin, text=True, env=env, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def commands(table: Mapping[str, Sequence[str]], *, runs: int = 15, **environment: str) -> dict[str, float]:
    """Return the median wall time of each command, in seconds; they take turns, so that all see the same machine."""
    env = {**os.environ, **environment}
    times: dict[str, list[float]] = {name: [] for name in table}
    for _ in range(runs + 1):
        for name, arguments in table.items():
            started = time.perf_counter()
            subprocess.run(
                arguments, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(item[1:]) for name, item in times.items()}


def calls(action: Callable[[int], object], *, runs: int) -> float:
    """Return the median time of a call, in seconds; it gets the number of the run."""
    times = []
    for number in range(runs + 3):
        started = time.perf_counter()
        action(number)
        times.append(time.perf_counter() - started)
    return statistics.median(times[3:])


def turns(actions: Mapping[str, Callable[[int], object]], *, runs: int) -> dict[str, float]:
    """Return the median time of each call, in seconds; they take turns, so that all see the same machine."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(runs + 3):
        for name, action in actions.items():
            started = time.perf_counter()
            action(number)
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(item[3:]) for name, item in times.items()}


def machine() -> dict[str, str]:
    """Describe the machine without naming it."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.processor() or platform.machine(),
    )
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
