"""Workers as the test sees them: started, asked, killed and started again."""

from __future__ import annotations

import os
import pickle
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

SECONDS = 120.0
"""After that long without an answer a call is said to hang."""
_TESTS = Path(__file__).parent.parent


class WorkerDiedError(AssertionError):
    """The process went away, or does not answer."""


class Worker:
    """One process with handles on a store."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self._environment.items())

    def ask(self, what: str, moment: datetime | None = None, **arguments: Any) -> Any:
        """Send a request and wait for its answer."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        said = (what, moment.isoformat() if moment is not None else None, arguments)
        try:
            pickle.dump(said, process.stdin)
            process.stdin.flush()
            if not select.select([process.stdout], [], [], SECONDS)[0]:
                self.kill()
                raise WorkerDiedError(f"{what} did not return within {SECONDS:.0f} s: {arguments}")
            return pickle.load(process.stdout)
        except (EOFError, BrokenPipeError) as error:
            self.kill()
            raise WorkerDiedError(f"the process died in {what}: {arguments}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", "from walk.worker import main; main()"],
                cwd=_TESTS,
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self._process

    def kill(self) -> None:
        """End it at once, as a power cut would; the next request starts another."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stream.close()
            self._process = None
