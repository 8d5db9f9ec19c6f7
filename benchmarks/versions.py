"""`python -m benchmarks.versions OTHER`: cold commands of this installation beside those of another one, by turns.

OTHER is the `agentmem` of an environment in which another version is installed. Each has its own copy of a file of
10,000 memories with vectors; what counts are the ratios of processor time, which others on the machine disturb least.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings
from benchmarks.measure import BIN
from benchmarks.texts import QUERIES, sentences

MEMORIES = 10_000
COMMANDS: dict[str, Sequence[str]] = {
    "help": ["--help"],
    "list": ["list", "-n", "5"],
    "add": ["add", "the cache layer was renamed again", "--type", "fact"],
    "search --mode keyword": ["search", QUERIES[0], "--mode", "keyword"],
    "search": ["search", QUERIES[0]],
    "recall": ["recall", QUERIES[0]],
}


class Taken(NamedTuple):
    """What one run of a command took, in seconds."""

    wall: float
    processor: float


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.versions", description=__doc__)
    parser.add_argument("other", type=Path, metavar="OTHER")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--file", type=Path, help="a file of memories, instead of one that is filled now")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        filled = options.file or _filled(Path(folder) / "filled.db")
        files = {program: Path(folder) / f"{number}.db" for number, program in enumerate(("other", "this"))}
        for file in files.values():
            shutil.copy(filled, file)
        programs = {"other": str(options.other), "this": str(BIN / "agentmem")}
        print(f"{'ms of processor time (wall)':32}{'other':>18}{'this':>18}{'ratio':>8}")
        for name, words in COMMANDS.items():
            taken = _medians(programs, files, words, options.runs)
            other, this = taken["other"], taken["this"]
            cells = [f"{1000 * item.processor:,.0f} ({1000 * item.wall:,.0f})" for item in (other, this)]
            print(
                f"{name:32}{cells[0]:>18}{cells[1]:>18}{this.processor / other.processor:>8.2f}", flush=True
            )


def _filled(path: Path) -> Path:
    with SyncAgentMemory("bench", Settings(backend_config={"path": str(path)})) as memory:
        memory.semantic.add_many(sentences(MEMORIES))
    return path


def _medians(
    programs: dict[str, str], files: dict[str, Path], words: Sequence[str], runs: int
) -> dict[str, Taken]:
    """Run each program by turns; the first run of each warms the system's cache."""
    taken: dict[str, list[Taken]] = {name: [] for name in programs}
    for _ in range(runs + 1):
        for name, program in programs.items():
            taken[name].append(_run([program, "--db", str(files[name]), *words]))
    return {
        name: Taken(*(statistics.median(column) for column in zip(*rows[1:], strict=True)))
        for name, rows in taken.items()
    }


def _run(arguments: list[str]) -> Taken:
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    begun = time.perf_counter()
    process = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=nowhere)
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(arguments)} failed")
    return Taken(wall, usage.ru_utime + usage.ru_stime)


if __name__ == "__main__":
    main()
