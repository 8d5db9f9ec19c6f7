"""Run every benchmark, print a table, and write it to `benchmarks/results/`."""

from __future__ import annotations

import argparse
import compileall
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import agent_memory
import agentmem_cli
from agent_memory import __version__
from benchmarks import bulk, many, searching, startup, warm
from benchmarks.measure import machine

RESULTS = Path(__file__).parent / "results"
SUITES = {
    "startup": startup.run,
    "searching": searching.run,
    "bulk": bulk.run,
    "many": many.run,
    "warm": warm.run,
}


def main() -> int:
    """Read the arguments, and run all suites or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="SUITE", help=f"one of {', '.join(SUITES)}; all if none")
    names = parser.parse_args().names
    if unknown := set(names) - set(SUITES):
        parser.error(f"no suite is called {', '.join(sorted(unknown))}")
    _compile()
    rows = []
    for name in names or SUITES:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            for row in SUITES[name](Path(folder)):
                rows.append({"suite": name, **row})
                mark = "ok  " if row["met"] else "MISS"
                compared = f"{row['ratio']} x ({row['target']}) [{row['compared with']}]"
                print(f"{mark} {row['what']}: {row['ms']} ms, {compared}")
    if not names:
        RESULTS.mkdir(exist_ok=True)
        report: dict[str, object] = {
            "version": __version__,
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
            "machine": machine(),
            "rows": rows,
        }
        (RESULTS / "speed.json").write_text(json.dumps(report, indent=1) + "\n")
        (RESULTS / "speed.md").write_text(_markdown(report))
        print(f"written to {RESULTS.name}/speed.md and speed.json")
    return 0 if all(row["met"] for row in rows) else 1


def _compile() -> None:
    """Compile what is measured, as it is wherever it was installed; a checkout may hold changed files."""
    for package in (agent_memory, agentmem_cli):
        compileall.compile_dir(Path(package.__file__ or "").parent, quiet=2)


def _markdown(report: dict[str, object]) -> str:
    about = report["machine"]
    assert isinstance(about, dict)
    lines = [
        "# Speed",
        "",
        f"Version {report['version']}, {report['date']}: "
        + ", ".join(f"{name} {value}" for name, value in about.items())
        + ".",
        "",
        "Ratios of medians taken in turns in one run; the milliseconds are this machine's and mean little elsewhere.",
        "",
        "| what | ms | compared with | ratio | target | met |",
        "|---|---|---|---|---|---|",
    ]
    rows = report["rows"]
    assert isinstance(rows, list)
    lines += [
        f"| {row['what']} | {row['ms']} | {row['compared with']} | {row['ratio']} | {row['target']} |"
        f" {'yes' if row['met'] else '**no**'} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
