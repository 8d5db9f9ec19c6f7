"""The memory that the agents are given, and ways to break it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

from .place import BIN, Place
from .programs import Program

FACT = "The staging database runs in Oslo on PostgreSQL 16."
QUESTION = "where does the staging database run?"


def enter(program: Program, place: Place, *options: str) -> str:
    """Enter the server as `agentmem mcp --print` says; return what it printed."""
    printed = place.agentmem("mcp", "--print", program.name, *options)
    assert printed.returncode == 0, printed.stderr
    program.register(place, printed.stdout)
    return printed.stdout


def instructions(place: Place) -> str:
    """Return what the server tells its client of itself."""
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    done = subprocess.run(
        [str(BIN / "agentmem"), "mcp"],
        input=json.dumps(message) + "\n",
        env=place.variables(),
        capture_output=True,
        text=True,
        timeout=30,
    )
    return str(json.loads(done.stdout.splitlines()[0])["result"]["instructions"])


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Keep every other process out of the file, readers too."""
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("begin exclusive")
        yield
        connection.execute("rollback")


@contextmanager
def corrupt(place: Place) -> Iterator[None]:
    """Fill the file with what is no database."""
    for path in place.file.parent.glob(f"{place.file.name}*"):
        path.write_bytes(b"no database at all. " * 5000)
    yield


@contextmanager
def missing(place: Place) -> Iterator[None]:
    """Take the file away."""
    for path in place.file.parent.glob(f"{place.file.name}*"):
        path.unlink()
    yield


@contextmanager
def newer(place: Place) -> Iterator[None]:
    """Mark the file as one of a later version of this program."""
    with closing(sqlite3.connect(place.file, isolation_level=None)) as connection:
        connection.execute("pragma user_version = 9999")
    yield


FAULTS: Mapping[str, tuple[Callable[[Place], AbstractContextManager[None]], str]] = {
    "locked": (locked, "locked by another process"),
    "corrupt": (corrupt, "not a database"),
    "missing": (missing, "no memory yet"),
    "newer": (newer, "newer version"),
}
"""By name: how the store is broken, and a word that the model has to read of it."""
