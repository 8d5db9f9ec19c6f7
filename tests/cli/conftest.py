"""Every command is run in an empty folder, with an empty config, and with vectors that cost nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.process.programs import PROGRAM, surroundings
from tests.cli.running import ANSWERED


@pytest.fixture(scope="session")
def warm_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the warm process that answers the commands of all tests, where the variable says so."""
    if ANSWERED != "warm":
        yield ""
        return
    folder = tmp_path_factory.mktemp("warm")
    folder.chmod(0o700)
    socket = str(folder / "w.sock")
    env = surroundings(AGENTMEM_WARM_SOCKET=socket, AGENTMEM_HOME=str(folder))
    subprocess.run([PROGRAM, "warm"], env=env, check=True)
    yield socket
    told = subprocess.run(
        [PROGRAM, "warm", "status", "--json"], env=env, check=True, capture_output=True
    ).stdout
    subprocess.run([PROGRAM, "warm", "stop"], env=env, check=True)
    if listing := os.environ.get("AGENTMEM_TESTS_WARM_STATUS"):
        with Path(listing).open("ab") as file:
            file.write(told.replace(b"\n", b"") + b"\n")


@pytest.fixture(autouse=True)
def clean_surroundings(
    private_home: Path, tmp_path: Path, warm_socket: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Keep a person's settings out, and return the folder that the commands run in."""
    for name in [name for name in os.environ if name.startswith("AGENTMEM_")]:
        if name not in ("AGENTMEM_HOME", "AGENTMEM_CACHE", "AGENTMEM_SQLITE_DRIVER"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AGENTMEM_CONFIG", str(private_home / "config" / "config.toml"))
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "dummy")
    if warm_socket:
        monkeypatch.setenv("AGENTMEM_WARM_SOCKET", warm_socket)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
