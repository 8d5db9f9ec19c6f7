"""What the agents did, as a table and as the file that the documentation is checked against."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent_memory.version import __version__

from .programs import PROGRAMS

FILE = Path(__file__).parents[2] / "benchmarks" / "results" / "agents.json"
Recorded = dict[str, dict[str, Any]]
"""By the agent's name, and the name of what was recorded."""
ORDER = (
    "version",
    "entry",
    "tools",
    "instructions",
    "results",
    "errors",
    "rights",
    "skill",
    "seconds",
    "outside",
)
"""What is recorded of each agent, in the order of the file."""
_IN_THE_FILE = {"entry", "results"}
"""What is too long for the table."""


def gathered(properties: Iterable[Iterable[tuple[str, Any]]]) -> Recorded:
    """Bring together what the tests have recorded."""
    recorded: Recorded = {name: {} for name in PROGRAMS}
    for name, values in (item for of_test in properties for item in of_test):
        _add(recorded[name], values)
    return {name: values for name, values in recorded.items() if values}


def size(values: Mapping[str, Any]) -> int:
    """Return how many bytes the definitions of our tools took in one request."""
    return sum(tool["bytes"] for tool in values["tools"])


def table(recorded: Recorded) -> list[str]:
    """Lay out the most telling values, an agent in each column."""
    rows: dict[str, list[str]] = {"": [PROGRAMS[name].title for name in recorded]}
    seen = {key for values in recorded.values() for key in values} - _IN_THE_FILE
    for key in (key for key in ORDER if key in seen):
        rows[key] = [_short(key, values) for values in recorded.values()]
    widths = [
        max(map(len, column)) for column in zip(*([name, *row] for name, row in rows.items()), strict=True)
    ]
    return [
        " | ".join(cell.ljust(width) for cell, width in zip([name, *row], widths, strict=True)).rstrip()
        for name, row in rows.items()
    ]


def _short(key: str, values: Mapping[str, Any]) -> str:
    value = values.get(key, "-")
    if key == "tools" and key in values:
        return f"{len(value)} in {size(values):,} bytes, {size(values) / 4:.0f} tokens"
    if key == "instructions" and key in values:
        where = value["where"]
        return where if where == "nowhere" else f"{value['bytes']} bytes in the {where}"
    if key == "skill" and key in values:
        return str(value["where"])
    if key == "errors" and key in values:
        return f"{len(value)} kinds read; server missing: {value.get('server missing', '-')}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {item}" if len(str(item)) < 20 else name for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def write(recorded: Recorded) -> Path:
    """Bring the file of results up to date; what was not recorded this time stays if it is of the same version."""
    before: Recorded = json.loads(FILE.read_text())["agents"] if FILE.exists() else {}
    agents = {}
    for name, program in PROGRAMS.items():
        values = before.get(name, {})
        values = values if values.get("version") == program.version else {}
        _add(values, recorded.get(name, {}))
        agents[name] = {"title": program.title, **{key: values[key] for key in ORDER if key in values}}
    about = {
        "version": __version__,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "tokens": "estimated as bytes / 4",
    }
    FILE.write_text(json.dumps({**about, "agents": agents}, indent=1, ensure_ascii=False) + "\n")
    return FILE.relative_to(Path(__file__).parents[2])


def _add(values: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Take over recorded values; what has parts of its own keeps those that are not recorded again."""
    for key, value in more.items():
        before = values.get(key)
        values[key] = {**before, **value} if isinstance(before, dict) else value
