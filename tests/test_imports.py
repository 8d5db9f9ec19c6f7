"""Start-up is a feature: what a command does not need is not imported, proved in fresh interpreters."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import agent_memory

HEAVY = {
    "numpy",
    "onnxruntime",
    "fastembed",
    "huggingface_hub",
    "httpx",
    "requests",
    "sqlite_utils",
    "tokenizers",
}


def modules_after(code: str, *arguments: str, **environment: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level packages it has imported at its end."""
    program = (
        "import atexit, json, os, sys\n"
        "def tell():\n"
        "    with open(os.environ['MODULES_FILE'], 'w') as file: json.dump(sorted(sys.modules), file)\n"
        "atexit.register(tell)\n" + code
    )
    listing = Path(environment["MODULES_FILE"])
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(listing.read_text())}


def run_command(tmp_path: Path, *arguments: str) -> set[str]:
    code = "import sys; sys.argv[0] = 'agentmem'\nfrom agentmem_cli.entry import main\nmain()\n"
    return modules_after(code, *arguments, MODULES_FILE=str(tmp_path / "modules.json"))


@pytest.mark.parametrize("state", ["missing", "old", "present"])
def test_everyday_commands_import_nothing_heavy(tmp_path: Path, state: str) -> None:
    database = ["--db", str(tmp_path / "a.db")]
    if state != "missing":
        run_command(tmp_path, "add", "a fact about zebras", "--type", "fact", "--key", "k", *database)
    if state == "old":
        # A second run after the first finds the file as an earlier process left it, with embeddings owed.
        run_command(tmp_path, "add", "another", *database)
    assert not run_command(tmp_path, "--help") & HEAVY
    assert (
        not run_command(tmp_path, "add", "a fact about lions", "--type", "fact", "--key", "k", *database)
        & HEAVY
    )
    assert not run_command(tmp_path, "get", "k", *database) & HEAVY
    assert not run_command(tmp_path, "list", *database) & HEAVY
    assert not run_command(tmp_path, "search", "lions", "--mode", "keyword", *database) & HEAVY


def test_only_the_command_for_sql_imports_sqlite_utils(tmp_path: Path) -> None:
    database = ["--db", str(tmp_path / "a.db")]
    loaded = run_command(tmp_path, "add", "a fact", *database) | run_command(tmp_path, "status", *database)
    assert "sqlite_utils" not in loaded | run_command(tmp_path, "sql", "--help", *database)
    assert "sqlite_utils" in run_command(tmp_path, "sql", "select 1", *database)


def test_only_config_set_imports_the_library_that_edits_toml(tmp_path: Path) -> None:
    surroundings = {"AGENTMEM_CONFIG": str(tmp_path / "config.toml")}
    for words, expected in ((("config", "set", "limit", "5"), True), (("config", "show"), False)):
        code = "import sys; sys.argv[0] = 'agentmem'\nfrom agentmem_cli.entry import main\nmain()\n"
        loaded = modules_after(code, *words, MODULES_FILE=str(tmp_path / "modules.json"), **surroundings)
        assert ("tomlkit" in loaded) is expected


def test_a_document_that_did_not_change_needs_no_tokenizer(tmp_path: Path) -> None:
    database = ["--db", str(tmp_path / "a.db")]
    (tmp_path / "long.md").write_text("A sentence about the zebras of the north. " * 100)
    (tmp_path / "short.md").write_text("A sentence about zebras.")
    assert "tokenizers" in run_command(tmp_path, "doc", "add", str(tmp_path / "long.md"), *database)
    both = [str(tmp_path / "long.md"), str(tmp_path / "short.md")]
    assert not run_command(tmp_path, "doc", "add", *both, *database) & HEAVY


IMPORT_EACH = """
import gc, importlib, json, os, sys, traceback
names = json.load(sys.stdin)
ours = {name.partition(".")[0] for name in names}

def in_a_child(work):
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        said = ""
        try:
            said = work() or ""
        except BaseException:
            said = traceback.format_exc()
        with os.fdopen(write, "w") as pipe:
            pipe.write(said)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said

def others():
    for name in names:
        importlib.import_module(name)
    return json.dumps([name for name in sys.modules if name.partition(".")[0] not in ours])

said = in_a_child(others)
try:
    preloaded = json.loads(said)
except ValueError:
    sys.exit(said)
for name in preloaded:
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # made by another module, not imported by its name
assert not [name for name in sys.modules if name.partition(".")[0] in ours]
gc.disable()  # a child that collects copies every page that it shares
gc.freeze()
faults = {name: said for name in names if (said := in_a_child(lambda: importlib.import_module(name) and None))}
json.dump(faults, sys.stdout)
"""


def test_every_module_imports_alone() -> None:
    """Each is imported by a process that has imported none of ours.

    They are forked from one that has the packages of others already: what they import of those is no question of
    ours, and takes most of the time.
    """
    names = [
        walk_package.name
        for package in ("agent_memory", "agentmem_cli", "agentmem_mcp")
        for walk_package in pkgutil.walk_packages(__import__(package).__path__, f"{package}.")
        if ".testing" not in walk_package.name and not walk_package.name.endswith("__main__")
    ]
    assert len(names) > 250
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_EACH],
        input=json.dumps(names),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_importing_the_library_loads_next_to_nothing(tmp_path: Path) -> None:
    loaded = modules_after("import agent_memory\n", MODULES_FILE=str(tmp_path / "modules.json"))
    assert not loaded & (HEAVY | {"anyio", "asyncio", "pydantic", "sqlite3", "typer", "rich"})


def test_public_names_are_sorted_and_there() -> None:
    assert agent_memory.__all__ == sorted(agent_memory.__all__)
    for name in agent_memory.__all__:
        assert getattr(agent_memory, name) is not None
