"""`sqlite-utils` itself opens our files, the vector index too."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sqlite_utils.utils import sqlite3

from agent_memory import MemoryConfig, SyncAgentMemory
from agent_memory.sqlite_utils_plugin import prepare_connection

ROOT = Path(__file__).parent.parent


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the entry points that an installation of pyproject.toml has."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["sqlite_utils"]
    folder = tmp_path / "site" / "agent_memory_plugin-0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: agent-memory-plugin\nVersion: 0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (folder / "entry_points.txt").write_text("\n".join(["[sqlite_utils]", *lines]))
    return folder.parent


def sqlite_utils(*arguments: str, site: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sqlite_utils", *arguments],
        env={**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", **environment},
        capture_output=True,
        text=True,
    )


def test_the_tables_of_a_memory_are_counted(tmp_path: Path, installed: Path) -> None:
    file = tmp_path / "a.db"
    config = MemoryConfig(backend_config={"path": str(file)}, embedding_provider="dummy")
    with SyncAgentMemory(config=config) as memory:
        memory.long_term.store_fact("a zebra")
        memory.index()
    done = sqlite_utils("tables", str(file), "--counts", site=installed)
    assert done.returncode == 0, done.stderr
    assert '{"table": "memory_vec", "count": 1}' in done.stdout


@pytest.mark.parametrize(
    "environment", [{}, {"AGENTMEM_NO_VECTOR_INDEX": "1"}, {"AGENTMEM_SQLITE_DRIVER": "sqlite3"}]
)
def test_another_database_is_as_before(tmp_path: Path, installed: Path, environment: dict[str, str]) -> None:
    file = str(tmp_path / "other.db")
    added = sqlite_utils("insert", file, "t", "-", "--csv", site=installed, **environment)
    assert "agent_memory" not in added.stderr
    done = sqlite_utils("query", file, "select 1 as one", site=installed, **environment)
    assert (done.returncode, done.stdout) == (0, '[{"one": 1}]\n'), done.stderr


def test_a_connection_that_cannot_load_is_left_alone() -> None:
    class Plain:
        """A driver without extensions."""

    prepare_connection(Plain())


def test_an_extension_that_does_not_load_is_no_error() -> None:
    connection = sqlite3.connect(":memory:")
    if hasattr(connection, "enable_load_extension"):
        prepare_connection(connection)
        assert connection.execute("select vec_version()").fetchone()
        with pytest.raises(sqlite3.OperationalError):  # loading is switched off again
            connection.load_extension("nothing")


def test_the_plug_in_imports_nothing_heavy(installed: Path) -> None:
    """Of ours and of the standard library a little, and of other packages nothing."""
    code = (
        "import sys, sqlite_utils.db\n"
        "before = set(sys.modules)\n"
        "sqlite_utils.Database(memory=True)\n"
        "assert 'agent_memory.sqlite_utils_plugin' in sys.modules\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "['agent_memory']\n", done.stderr
