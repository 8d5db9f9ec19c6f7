"""One process for all who start at once, and every reason for it to end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import agent_memory
import agentmem_cli
from tests.cli.process.programs import PROGRAM, surroundings
from tests.cli.warm.processes import Warm, agentmem, cold, processes

Eventually = Callable[[Callable[[], object]], None]
HOME = "AGENTMEM_HOME"


def listed() -> list[str]:
    return [line.rpartition("  ")[2] for line in agentmem("list", "-o", "text").stdout.splitlines()]


def test_twenty_that_start_at_once_have_one_process(eventually: Eventually, runtime_folder: Path) -> None:
    crowd = [
        subprocess.Popen(
            [PROGRAM, "add", f"number {number}"], env=surroundings(AGENTMEM_WARM="1"), stdout=subprocess.PIPE
        )
        for number in range(20)
    ]
    for process in crowd:
        process.communicate(timeout=120)
    assert [process.returncode for process in crowd] == [0] * 20
    path = Path(os.environ["AGENTMEM_WARM_SOCKET"])
    eventually(lambda: Warm(path).status["running"])
    workers = set(Warm(path).workers)
    assert set(processes(path)) - workers == {Warm(path).process}
    assert len(cold("list", "--all", "-o", "id").stdout.split()) == 20


def test_a_project_does_not_start_it(clean_surroundings: Path, runtime_folder: Path) -> None:
    (clean_surroundings / ".agentmem.toml").write_text("warm = true\n")
    agentmem("config", "trust")
    assert agentmem("add", "one").returncode == 0
    assert not processes(Path(os.environ["AGENTMEM_WARM_SOCKET"]))


def test_the_users_own_word_starts_it(eventually: Eventually, runtime_folder: Path) -> None:
    assert agentmem("config", "set", "warm", "true").returncode == 0
    assert agentmem("add", "one").returncode == 0
    eventually(lambda: Warm(Path(os.environ["AGENTMEM_WARM_SOCKET"])).status["running"])


def test_stopped_it_stays_stopped_until_the_next_command(
    eventually: Eventually, runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert agentmem("warm").returncode == 0
    monkeypatch.setenv("AGENTMEM_WARM", "1")
    path = Path(os.environ["AGENTMEM_WARM_SOCKET"])
    assert agentmem("--quiet", "warm", "stop").returncode == 0
    eventually(lambda: not processes(path))
    for words in (["warm", "status"], ["warm", "stop"], ["mcp", "--cost"]):
        assert agentmem(*words).returncode == 0
        time.sleep(0.3)
        assert processes(path) == [], words
    assert agentmem("list").returncode == 0
    eventually(lambda: processes(path))


def test_it_ends_when_nobody_has_asked_for_a_while(
    eventually: Eventually, runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_WARM_IDLE", "1")
    assert agentmem("warm").returncode == 0
    path = Path(os.environ["AGENTMEM_WARM_SOCKET"])
    eventually(lambda: not processes(path))
    assert not path.exists()


def test_it_ends_with_its_folder_of_memories(warm: Warm, eventually: Eventually) -> None:
    assert agentmem("add", "one").returncode == 0
    home = Path(os.environ[HOME])
    home.rename(home.with_name("elsewhere"))
    eventually(lambda: not processes(warm.socket))
    assert listed() == []


def test_it_stays_where_a_command_has_another_home(warm: Warm, tmp_path: Path) -> None:
    assert not Path(os.environ["AGENTMEM_HOME"]).exists(), "what is made later is waited for"
    for _ in range(3):
        assert agentmem("add", "one", env={"AGENTMEM_HOME": str(tmp_path / "other")}).returncode == 0
    assert warm.requests == 3


def test_a_killed_one_is_replaced(warm: Warm, eventually: Eventually) -> None:
    agentmem("add", "one")
    os.kill(warm.process, signal.SIGKILL)
    eventually(lambda: not processes(warm.socket))
    assert listed() == ["one"]
    assert agentmem("warm").returncode == 0
    assert listed() == ["one"]
    assert warm.requests == 1


def test_an_update_ends_it(eventually: Eventually, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    for package in (agent_memory, agentmem_cli):
        folder = Path(package.__file__ or "").parent
        shutil.copytree(folder, installed / folder.name, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "agentmem_cli", *words],
            env=surroundings(PYTHONPATH=str(installed)),
            capture_output=True,
            text=True,
        )

    assert run("warm").returncode == 0
    path = Path(os.environ["AGENTMEM_WARM_SOCKET"])
    assert run("add", "before").returncode == 0
    assert Warm(path).requests == 1
    version = installed / "agent_memory" / "version.py"
    version.write_text('"""The version."""\n\n__version__ = "99.0"\n')
    assert run("version", "--json").stdout == '{"version": "99.0"}\n'
    eventually(lambda: not processes(path))


def test_stop_lets_a_command_finish(warm: Warm, eventually: Eventually) -> None:
    process = subprocess.Popen(
        [PROGRAM, "add", "-"], env=surroundings(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    eventually(lambda: warm.status["workers"][0]["busy"])
    stopping = subprocess.Popen([PROGRAM, "warm", "stop"], env=surroundings())
    eventually(lambda: not warm.socket.exists())
    process.communicate(b"finished", timeout=20)
    assert (process.returncode, stopping.wait(20)) == (0, 0)
    assert listed() == ["finished"]


@pytest.mark.parametrize("garbage", [b"", b"?", b"R", b"R\xff\xff\xff\xff", b"R\0\0\0\4abcd", b"S" * 100])
def test_what_is_no_request_disturbs_nobody(garbage: bytes, warm: Warm) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(warm.socket))
        connection.sendall(garbage)
    assert agentmem("list").returncode == 0
    assert warm.requests == 1


# --- stores --------------------------------------------------------------------------------------------------------


def test_a_store_that_was_replaced(warm: Warm) -> None:
    agentmem("add", "one")
    file = Path(os.environ[HOME]) / "default.db"
    copy = file.with_name("copy")
    shutil.copy(file, copy)  # no log lies beside it: all is in the file
    agentmem("add", "two")
    shutil.copy(copy, file)
    assert listed() == ["one"]
    agentmem("add", "three")
    copy.replace(file)
    assert listed() == ["one"]
    assert agentmem("doctor").returncode == 0
    assert [path.name for path in file.parent.iterdir()] == ["default.db"]
    assert warm.requests == 6


def test_a_store_that_was_deleted(warm: Warm) -> None:
    agentmem("add", "one")
    (Path(os.environ[HOME]) / "default.db").unlink()
    ran, expected = agentmem("list"), cold("list")
    assert (ran.returncode, ran.stdout, ran.stderr) == (expected.returncode, expected.stdout, expected.stderr)
    assert warm.requests == 2


def test_a_store_that_was_damaged(warm: Warm) -> None:
    agentmem("add", "one")
    (Path(os.environ[HOME]) / "default.db").write_bytes(b"no database at all" * 1000)
    ran, expected = agentmem("list"), cold("list")
    assert (ran.returncode, ran.stderr) == (5, expected.stderr)
    assert warm.requests == 2
