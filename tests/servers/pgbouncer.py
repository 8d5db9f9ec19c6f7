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
from servers.tls import Authority
from servers.unprivileged import folder_for, somebody_else

_SECONDS = 10.0


class PgBouncer(Server):
    """One pooler before a server, with fewer sessions than clients. All users have the password, if there is one.

    With an authority it takes connections with TLS only.
    """

    def __init__(
        self,
        server: PostgresServer,
        *,
        users: tuple[str, ...] = ("postgres",),
        size: int = 3,
        password: str = "",
        authority: Authority | None = None,
    ) -> None:
        self.port = free_port()
        self._program = _program()
        self._who = somebody_else()
        self._folder = folder_for(self._who, "pgbouncer-")
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "users").write_text("".join(f'"{user}" "{password}"\n' for user in users))
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = {'scram-sha-256' if password else 'trust'}\nauth_file = {self._folder / 'users'}\n"
            f"pool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 500\n"
            + (self._tls(authority) if authority is not None else "")
        )

    def _tls(self, authority: Authority) -> str:
        """Write the settings that let only clients with TLS in."""
        for file in (authority.certificate, authority.key):
            copy = self._folder / file.name
            shutil.copy(file, copy)
            if self._who:
                os.chown(copy, self._who["user"], self._who["group"])
        return (
            f"client_tls_sslmode = require\nclient_tls_cert_file = {self._folder / authority.certificate.name}\n"
            f"client_tls_key_file = {self._folder / authority.key.name}\n"
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
