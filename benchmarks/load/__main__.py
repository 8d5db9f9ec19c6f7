"""`python -m benchmarks.load URL`: how much a server of your own bears, and how long its callers wait.

Agents named load-000000 and so on are written to and searched by several writers at once, and taken away at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
from collections.abc import Sequence

from agent_memory.redaction import redacted
from agent_memory.storage.registry import create_store
from benchmarks.load.size import size_of
from benchmarks.load.worker import OPEN, Job, Measured, agent_name, run

_LABELS = {"put": "store one memory", "words": "search by words", "vector": "search by vector"}


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("url", help="a backend: postgresql://..., redis+cluster://..., a name such as sqlite")
    parser.add_argument("--agents", type=int, default=100, help="agents among which the writers choose")
    parser.add_argument("--writers", type=int, default=8, help="who write and search at once")
    parser.add_argument("--processes", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--dimension", type=int, default=384, help="of the vectors")
    parser.add_argument(
        "--search-every", type=int, default=5, help="of so many calls one is a search; 0: none is"
    )
    parser.add_argument("--keep", action="store_true", help="leave the agents there")
    options = parser.parse_args()
    jobs = jobs_of(options)
    processes = len(jobs)
    before = asyncio.run(size_of(options.url, options.agents))
    measured = Measured()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for part in pool.imap_unordered(run, jobs):
            measured.add(part)
    after = asyncio.run(size_of(options.url, options.agents))
    print(
        f"{redacted(options.url)}: {options.agents} agents, {options.writers} writers in {processes} processes"
    )
    print("\n".join(report(measured, options.seconds)))
    puts = len(measured.times["put"])
    if before is not None and after is not None and puts:
        print(
            f"bytes: {(after - before) / puts:,.0f} a memory, {measured.text_bytes / puts:,.0f} of which are its text"
        )
    else:
        print("bytes: this backend does not say")
    if not options.keep:
        asyncio.run(_drop(options.url, options.agents))


def jobs_of(arguments: argparse.Namespace) -> list[Job]:
    """Share the writers, and the agents that may be open at once, among processes."""
    processes = max(1, min(arguments.processes, arguments.writers, OPEN))
    url, agents, seconds = arguments.url, arguments.agents, arguments.seconds
    return [
        Job(
            *(url, agents, arguments.writers // processes + (number < arguments.writers % processes)),
            *(seconds, arguments.dimension, arguments.search_every, number),
            open_at_once=OPEN // processes,
        )
        for number in range(processes)
    ]


def report(measured: Measured, seconds: float) -> list[str]:
    """Write what was measured, a line for each kind of call and for each kind of error."""
    lines = [f"{'':<18} {'a second':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'most ms':>8}"]
    for kind, times in measured.times.items():
        if times:
            marks = "".join(f" {1000 * at(times, share):>8.1f}" for share in (0.5, 0.95, 0.99, 1.0))
            lines.append(f"{_LABELS[kind]:<18} {len(times) / seconds:>9,.1f}{marks}")
    lines.append(f"errors: {measured.errors.total()}")
    lines += [f"  {count} x {text}" for text, count in measured.errors.most_common(5)]
    return lines


def at(times: Sequence[float], share: float) -> float:
    """Return the time that this share of all stays within."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _drop(url: str, agents: int) -> None:
    for number in range(agents):
        store = create_store(url, agent_name(number), {})
        await store.open()
        await store.drop()


if __name__ == "__main__":
    main()
