"""Many clients at once, and all tests of the command line again with a warm process behind them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.process.programs import surroundings
from tests.cli.warm.processes import Warm, agentmem, processes
from tests.cli.warm.test_same import seen

pytestmark = pytest.mark.soak
CLIENTS, REQUESTS = 20, 500
AGENTS, HOMES = ("ann", "bob", "cid"), ("one", "two")
READS = (
    ("list", "-o", "text"),
    ("search", "theme", "--json"),
    ("search", "zebra", "--mode", "keyword"),
    ("recall", "what is the theme", "--budget", "300"),
    ("get", "a-key"),
    ("get", "nothing"),
    ("stats", "--json"),
    ("work", "list"),
    ("nonsense",),
)
IDLE_MEGABYTES = 200
SPARE_SECONDS = 60
ROOT = Path(__file__).parents[3]


def test_twenty_clients_of_three_agents_in_two_homes(
    runtime_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [tmp_path / name for name in HOMES]
    places = [{"AGENTMEM_HOME": str(home), "AGENTMEM_AGENT": agent} for home in homes for agent in AGENTS]
    for place in places:
        who = f"{place['AGENTMEM_AGENT']} in {Path(place['AGENTMEM_HOME']).name}"
        cold = {**place, "AGENTMEM_WARM": "0"}
        assert agentmem("add", f"the theme of {who} is dark", "--key", "a-key", env=cold).returncode == 0
        assert agentmem("work", "set", "who", who, env=cold).returncode == 0
        assert agentmem("index", env=cold).returncode == 0
        for words in READS:  # what was never read says so
            agentmem(*words, env=cold)
    expected = {
        (number, words): seen(agentmem(*words, env={**place, "AGENTMEM_WARM": "0"}))
        for number, place in enumerate(places)
        for words in READS
    }
    monkeypatch.setenv("AGENTMEM_WARM_IDLE", str(10 * SPARE_SECONDS))
    assert agentmem("warm").returncode == 0
    warm = Warm(Path(os.environ["AGENTMEM_WARM_SOCKET"]))

    def ask(number: int) -> list[str]:
        chosen = random.Random(number)
        wrong = []
        for _ in range(REQUESTS // CLIENTS):
            place, words = chosen.randrange(len(places)), chosen.choice(READS)
            answer = seen(agentmem(*words, env=places[place]))
            if answer != expected[place, words]:
                wrong.append(f"{places[place]} {words}: {answer}")
        return wrong

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert [wrong for wrong in clients.map(ask, range(CLIENTS)) if wrong] == []
    assert warm.requests == REQUESTS
    assert warm.cold == {}
    _check_that_nothing_stays(warm)


def _check_that_nothing_stays(warm: Warm) -> None:
    """Wait until the spare workers have left, and look at what the others hold."""
    end = time.monotonic() + 2 * SPARE_SECONDS
    while len(warm.workers) > 1:
        assert time.monotonic() < end, warm.status
        time.sleep(1)
    assert len(processes(warm.socket)) == 2, "the process itself and one worker"
    assert warm.status["memory_bytes"] <= IDLE_MEGABYTES * 1_000_000
    for process in processes(warm.socket):
        opened = [file.readlink().name for file in Path(f"/proc/{process}/fd").iterdir()]
        assert not [name for name in opened if ".db" in name], opened
        assert len(opened) < 20, opened


def test_every_test_of_the_command_line_passes_warm(tmp_path: Path) -> None:
    status = tmp_path / "status.ndjson"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "tests/cli", "-n", "0", "-p", "no:cacheprovider"),
            *("-m", "not soak and not server and not cold", "--ignore", "tests/cli/warm"),
        ],
        cwd=ROOT,
        env=surroundings(AGENTMEM_TESTS_ANSWERED="warm", AGENTMEM_TESTS_WARM_STATUS=str(status)),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-5000:]
    (told,) = map(json.loads, status.read_text().splitlines())
    print(
        f"\n{told['requests']} commands were answered warm, {sum(told['cold'].values())} cold: {told['cold']}"
    )
    assert told["requests"] > 10 * sum(told["cold"].values())
