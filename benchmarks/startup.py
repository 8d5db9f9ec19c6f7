"""How long a command takes, from a cold start, in units of `python -c "import typer"`."""

from __future__ import annotations

import sys
from pathlib import Path

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings
from benchmarks.measure import BIN, commands
from benchmarks.texts import sentences

TARGETS = {
    "help": 2.5,
    "list": 4.0,
    "add": 4.0,
    "search --mode keyword": 4.0,
    "search (10,000)": 11.0,
    "recall (10,000)": 11.0,
}
MEMORIES = 10_000


def run(folder: Path) -> list[dict[str, object]]:
    """Measure and return one row per command."""
    large = folder / "large.db"
    with SyncAgentMemory("bench", Settings(backend_config={"path": str(large)})) as memory:
        memory.semantic.add_many(sentences(MEMORIES))
    program, small = str(BIN / "agentmem"), str(folder / "small.db")
    question = "why was the billing service rolled back"
    times = commands(
        {
            "unit": [sys.executable, "-c", "import typer"],
            "help": [program, "--help"],
            "list": [program, "--db", str(large), "list", "-n", "5"],
            "add": [program, "--db", small, "add", "the cache layer was renamed", "--type", "fact"],
            "search --mode keyword": [program, "--db", str(large), "search", question, "--mode", "keyword"],
            "search (10,000)": [program, "--db", str(large), "search", question],
            "recall (10,000)": [program, "--db", str(large), "recall", question],
        },
        AGENTMEM_HOME=str(folder),
    )
    unit = times.pop("unit")
    return [
        {
            "what": f"agentmem {name}",
            "ms": round(1000 * seconds, 1),
            "compared with": f"import typer, {1000 * unit:.0f} ms",
            "ratio": round(seconds / unit, 2),
            "target": f"<= {TARGETS[name]}",
            "met": seconds / unit <= TARGETS[name],
        }
        for name, seconds in times.items()
    ]
