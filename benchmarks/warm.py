"""How long a command takes that a warm process answers, in parts of what it takes cold."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings
from benchmarks.measure import BIN, commands
from benchmarks.texts import sentences

TARGETS = {"recall (10,000)": 0.1, "search (10,000)": 0.1, "add": 0.25}
BARE = 6.0
"""How many times a bare Python the reads may take."""
MEMORIES = 10_000


def run(folder: Path) -> list[dict[str, object]]:
    """Measure and return a row for each command, and one for each read beside a bare Python."""
    large, small = str(folder / "large.db"), str(folder / "small.db")
    copy = str(folder / "copy.db")
    with SyncAgentMemory("bench", Settings(backend_config={"path": large})) as memory:
        memory.semantic.add_many(sentences(MEMORIES))
    shutil.copy(
        large, copy
    )  # for the cold commands: each notes accesses, which a warm process would have to read
    program, question = str(BIN / "agentmem"), "why was the billing service rolled back"
    words = {
        "recall (10,000)": ["--db", large, "recall", question],
        "search (10,000)": ["--db", large, "search", question],
        "add": ["--db", small, "add", "the cache layer was renamed", "--type", "fact"],
    }
    socket = str(folder / "run" / "warm.sock")
    there = {"AGENTMEM_HOME": str(folder), "AGENTMEM_WARM_SOCKET": socket}
    table = {"bare": [sys.executable, "-I", "-S", "-c", "pass"]}
    for name, arguments in words.items():
        table[name] = [program, *arguments]
        others = [copy if word == large else word for word in arguments]
        table[f"{name}, cold"] = ["env", "AGENTMEM_WARM=0", program, *others]
    env = {**os.environ, **there}
    try:
        subprocess.run([program, "warm"], env=env, check=True, stderr=subprocess.DEVNULL)
        times = commands(table, AGENTMEM_HOME=str(folder), AGENTMEM_WARM_SOCKET=socket)
    finally:
        subprocess.run([program, "warm", "stop"], env=env, check=False, stderr=subprocess.DEVNULL)
    rows = []
    for name, target in TARGETS.items():
        rows.append(_row(name, times[name], times[f"{name}, cold"], "the same, cold", target))
        if target < 0.2:
            rows.append(_row(name, times[name], times["bare"], "python -I -S -c pass", BARE))
    return rows


def _row(name: str, seconds: float, unit: float, compared: str, target: float) -> dict[str, object]:
    return {
        "what": f"agentmem {name}, warm",
        "ms": round(1000 * seconds, 1),
        "compared with": f"{compared}, {1000 * unit:.0f} ms",
        "ratio": round(seconds / unit, 2),
        "target": f"<= {target}",
        "met": seconds / unit <= target,
    }
