"""A Chroma server, from its own wheel."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from servers.ports import free_port
from servers.server import Server

_SECONDS = 30.0
_PROGRAM = (
    "import resource, sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; "
    "most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]; "
    "resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)); app()"
)
"""What the wheel's script does, which may not start where the path to Python is long or holds spaces.

A server keeps four files of each collection open, and answers nobody any more once the limit of 1,024 is reached.
"""


class ChromaServer(Server):
    """One server on a free port, with its data in a folder of its own."""

    def __init__(self) -> None:
        if importlib.util.find_spec("chromadb") is None:
            raise RuntimeError("the wheel chromadb is not installed: pip install --group dev")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="chroma-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _PROGRAM,
                "run",
                "--path",
                self._folder,
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5):
                    return self
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError("the Chroma server does not start") from None
                time.sleep(0.05)

    def kill(self) -> None:
        """Kill it as a power cut would, as far as a process can be."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start it again with the data that it has on disk."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Stop it and take its data away."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)
