"""Signals at random moments of long work: the program ends at once, and the file is whole."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from pathlib import Path
from random import Random

import pytest

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings

from . import laws
from .places import Circumstances, Place
from .running import Ran, run

SEED = int(os.environ.get("AGENTMEM_HOSTILE_SEED", "0"))
MEMORIES = 3000
SOON = 3.0
"""Seconds; storing or importing all would take longer than that."""
LINES = "".join(f"line {number} of a long log, with a heron\n" for number in range(20_000)).encode()
COMMANDS = {
    "add": (("add", "--lines", "-"), 3.0),
    "import": (("import", "-"), 3.0),
    "forget": (("forget", "--before", "0s", "-y"), 1.2),
    "reembed": (("reembed", "dummy", "-y"), 2.0),
    "search": (("search", "the heron of the marsh", "--mode", "vector"), 1.2),
}
"""What is run, and within how many seconds the signal comes."""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with many memories, none of them embedded, and an export of others."""
    root = tmp_path_factory.mktemp("signals") / "start"
    for name, word in (("default", "heron"), ("other", "kestrel")):
        settings = Settings(
            backend_config={"path": str(root / "home" / f"{name}.db")},
            embedding_provider="dummy",
            embed_on_write=False,
        )
        (root / "home").mkdir(parents=True, exist_ok=True)
        (root / "work").mkdir(exist_ok=True)
        with SyncAgentMemory(name, settings) as memory:
            memory.add_many([{"content": f"Fact {number} of the {word}"} for number in range(MEMORIES)])
            if name == "other":
                memory.export_to(root / "other.jsonl")
    return root


def _interrupted(place: Place, name: str, met: signal.Signals, after: float, driver: str) -> Ran:
    arguments, _ = COMMANDS[name]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place.root),
        "AGENTMEM_HOME": str(place.home),
        "AGENTMEM_EMBEDDING_PROVIDER": "dummy",
        "AGENTMEM_SQLITE_DRIVER": driver,
    }
    data = {"add": LINES, "import": (place.root / "other.jsonl").read_bytes()}.get(name, b"")
    return run(place, arguments, Circumstances(environment, data, signal=met, after=after))


def _check(place: Place, ran: Ran) -> None:
    laws.check(ran)
    settings = Settings(
        backend_config={"path": str(place.home / "default.db")}, embedding_provider="none", actor="test"
    )
    with SyncAgentMemory(None, settings) as memory:
        assert memory.check() == []
        assert memory.count(status=None) >= MEMORIES, "nothing that was there is lost"


@pytest.mark.parametrize("count", [1, pytest.param(50, marks=[pytest.mark.soak, pytest.mark.timeout(0)])])
@pytest.mark.parametrize("met", [signal.SIGINT, signal.SIGTERM], ids=lambda item: item.name)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_it_at_once_and_the_file_is_whole(
    start: Path, tmp_path: Path, name: str, met: signal.Signals, count: int
) -> None:
    seed = (SEED or secrets.randbelow(2**31)) if count > 1 else 7
    chance, longest, ended = Random(f"{seed} {name} {met.name}"), 0.0, 0
    print(f"\n{name} {met.name} seed {seed}")
    for number in range(count):
        place = Place(tmp_path / str(number))
        shutil.copytree(start, place.root)
        ran = _interrupted(
            place, name, met, chance.uniform(0.05, COMMANDS[name][1]), chance.choice(("sqlite3", "pysqlite3"))
        )
        _check(place, ran)
        if ran.signalled is not None:
            ended += ran.code == 128 + met
            longest = max(longest, ran.seconds - ran.signalled)
            # Only one that was about to end anyway may end otherwise.
            assert ran.code or ran.seconds - ran.signalled < SOON, "it went on as if nothing had come"
        shutil.rmtree(place.root)
    print(f"{ended} of {count} were ended by it, the slowest after {longest:.2f} s")
