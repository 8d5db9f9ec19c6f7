"""A warm process for each test, in a folder of its own, that is gone when the test is over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.warm.processes import Warm, agentmem, processes


@pytest.fixture(autouse=True)
def runtime_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Give the sockets a folder of the test's own, and insist that nothing is left that serves one there."""
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    socket = folder / "agentmem" / "warm.sock"
    monkeypatch.setenv("AGENTMEM_WARM_SOCKET", str(socket))
    monkeypatch.setenv("AGENTMEM_WARM_IDLE", "60")
    monkeypatch.setenv("AGENTMEM_WARM_PATIENCE", "20")  # however busy the machine is
    monkeypatch.delenv("AGENTMEM_WARM", raising=False)
    yield folder
    with suppress(OSError):
        agentmem("warm", "stop")
    end = time.monotonic() + 20
    while left := processes(socket):
        assert time.monotonic() < end, left
        time.sleep(0.02)


@pytest.fixture
def warm(clean_surroundings: Path, runtime_folder: Path) -> Warm:
    """Start a warm process."""
    started = agentmem("warm")
    assert started.returncode == 0, started.stderr
    return Warm(Path(os.environ["AGENTMEM_WARM_SOCKET"]))


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait until something is true."""

    def wait(true: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not true():
            assert time.monotonic() < end
            time.sleep(0.02)

    return wait
