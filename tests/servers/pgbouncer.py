"""PgBouncer in transaction mode, from the distribution's package: each transaction may reach another session."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from servers.ports import free_port
from servers.postgres import PostgresServer
from servers.server import Server
from servers.unprivileged import folder_for, somebody_else

_SECONDS = 10.0


class PgBouncer(Server):
    """One pooler before a server, with fewer sessions than clients; users need no password."""

    def __init__(
        self, server: PostgresServer, *, users: tuple[str, ...] = ("postgres",), size: int = 3
    ) -> None:
        self.port = free_port()
        self._program = _program()
        self._who = somebody_else()
        self._folder = folder_for(self._who, "pgbouncer-")
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "users").write_text("".join(f'"{user}" ""\n' for user in users))
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {self._folder / 'users'}\n"
            f"pool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 500\n"
        )

    def url(self, user: str = "postgres") -> str:
        """Where it listens."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/postgres"

    def start(self) -> Self:
        """Start it and wait until it takes connections."""
        self._process = subprocess.Popen(
            [self._program, "--quiet", self._folder / "pgbouncer.ini"],
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._who,
        )
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"{self._program} does not start") from None
                time.sleep(0.01)

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _program() -> Path:
    # Debian keeps it where only root's path leads.
    found = shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise RuntimeError("pgbouncer is not installed: run `sudo sh .ci/servers`, which does it by apt-get")
    return Path(found)
