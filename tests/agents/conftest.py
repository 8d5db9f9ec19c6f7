"""Nothing here is collected without `-m agents`: the agents are large programs, and have to be installed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from . import report
from .place import BIN, Place
from .programs import PROGRAMS, Program

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("AGENTMEM_AGENTS_PROGRAMS") or HERE.parent.parent / "build" / "agents")
"""Where the agents are installed: 1.4 GB."""

Record = Callable[..., None]
"""Keep values for the table and the file of results, by their names."""


def _wanted(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "agents")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the whole folder out of the ordinary runs."""
    return None if _wanted(config) else True


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Mark all that is in this folder."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("agents")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Install what is missing, once and not in each process of a parallel run."""
    if _wanted(session.config) and not hasattr(session.config, "workerinput"):
        for program in PROGRAMS.values():
            program(FOLDER).install()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was recorded, and keep it if all has passed."""
    if not _wanted(config):
        return
    stats = terminalreporter.stats
    recorded = report.gathered(item.user_properties for item in stats.get("passed", ()))
    for line in report.table(recorded):
        terminalreporter.write_line(line)
    if recorded and not stats.get("failed") and not stats.get("error"):
        terminalreporter.write_line(f"written to {report.write(recorded)}")


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Program:
    """Each agent in turn."""
    return PROGRAMS[request.param](FOLDER)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A home, a project and a folder for temporary files that are new."""
    return Place.made_in(tmp_path / "place")


@pytest.fixture
def record(request: pytest.FixtureRequest, program: Program, place: Place) -> Record:
    """Return a function that keeps values under the agent's name; paths are shown as a user's would be."""

    def keep(**values: Any) -> None:
        text = (
            json.dumps(values).replace(f"{BIN}/agentmem", "/path/to/agentmem").replace(str(place.home), "~")
        )
        request.node.user_properties.append((program.name, json.loads(text)))

    keep(version=program.installed())
    return keep
