"""The process that stays: it owns the socket, and hands each command to a worker process that is free.

It knows nothing of memories. Its workers are forked from it once everything that a command imports is there, so they
begin at once and share it; models and stores are each worker's own.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from agentmem_cli.warm import client, wire
from agentmem_cli.warm.installed import Installed

IDLE: Final = 900.0
"""Seconds without a command after which the process ends."""
SPARE_IDLE: Final = 60.0
"""Seconds without a command after which a worker ends that is not the last."""
IDLE_VARIABLE: Final = "AGENTMEM_WARM_IDLE"
SPARE_VARIABLE: Final = "AGENTMEM_WARM_SPARE_IDLE"
_TICK: Final = 5.0
_LOOK: Final = 1.0
"""Seconds from one look at the installed files to the next, apart from that for each command."""
_WAITING: Final = 32
"""Commands that may wait for a worker; they wait for a quarter of a second only."""
_MOST_WORKERS: Final = 8


class _Member:
    """A worker process, seen from the supervisor."""

    def __init__(self, process: int, control: socket.socket) -> None:
        self.process = process
        self.control = control
        self.busy = True
        """Also until it has reported that it is ready."""
        self.since = time.monotonic()
        """When it became free, or busy."""
        self.requests = 0
        self.new = True
        """Whether it has not reported yet."""


class Supervisor:
    """Serves one socket until there is a reason to end.

    Args:
        path: where the socket lies.
        lock: the descriptor of the lock that says that this process lives.
        with_model: whether a worker loads the default model before it is asked to.
    """

    def __init__(self, path: str, lock: int, *, with_model: bool = False) -> None:
        self._path = path
        self._lock = lock
        self._with_model = with_model
        self._members: list[_Member] = []
        self._queue: deque[socket.socket] = deque()
        self._unread: list[socket.socket] = []
        self._last = time.monotonic()
        self._began = time.time()
        self._requests = 0
        self._cold: dict[str, int] = {}
        self._ending = self._told = False
        self._looked = 0.0
        """When it was last looked whether the installed files are still the same."""
        self._stopping: list[socket.socket] = []
        """Who waits for this process to end."""
        self._home = client.home()
        self._home_was = client.folder_identity(self._home)
        self._installed = Installed()
        self._idle = _seconds(IDLE_VARIABLE, IDLE)
        self._spare_idle = _seconds(SPARE_VARIABLE, SPARE_IDLE)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._most = min(_MOST_WORKERS, max(2, os.cpu_count() or 1))

    # --- life ----------------------------------------------------------------------------------------------

    def serve(self) -> None:
        """Bind the socket, and hand out commands until there is a reason to end."""
        with suppress(FileNotFoundError):
            Path(self._path).unlink()  # of a process that was killed: the lock says that none lives
        self._hire()
        self._hear(self._members[0].control)  # until it is ready there is nothing to be asked for
        if not self._members:
            return
        before = os.umask(0o177)
        self._listener.bind(self._path)
        os.umask(before)
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._bound = _file(self._path)
        signal.signal(signal.SIGTERM, self._told_to_end)
        try:
            while not (self._ending and not self._members):
                self._turn()
        finally:
            self._close()

    def _turn(self) -> None:
        """Wait for something to happen, and do what it asks for."""
        watched: list[socket.socket] = [*self._unread, *(member.control for member in self._members)]
        if not self._ending:
            watched.append(self._listener)
        ready, _, _ = select.select(watched, [], [], self._patience())
        for connection in ready:
            if connection is self._listener:
                self._accept()
            elif connection in self._unread:
                self._unread.remove(connection)
                self._read(connection)
            else:
                self._hear(connection)
        self._reap()
        if not self._ending:
            self._dispatch()
            self._dismiss_idle()
            if self._reason_to_end():
                self._end()

    def _patience(self) -> float:
        return min(_TICK, self._idle, self._spare_idle, 0.2 if self._queue else _TICK)

    def _told_to_end(self, *_: object) -> None:
        if self._ending:  # told twice, it waits for no command
            self._close()
            os._exit(128 + signal.SIGTERM)
        self._told = True

    def _reason_to_end(self) -> bool:
        if self._told:
            return True
        if any(member.busy for member in self._members) or self._queue:
            self._last = time.monotonic()
        elif time.monotonic() - self._last > self._idle:
            return True
        if not self._home_was:
            self._home_was = client.folder_identity(self._home)  # it is made with the first memory
        if client.folder_identity(self._home) != self._home_was or _file(self._path) != self._bound:
            return True
        return time.monotonic() - self._looked > _LOOK and self._outdated()

    def _outdated(self) -> bool:
        """Look whether what runs here is still what is installed; if not, this process is told to end."""
        self._looked = time.monotonic()
        self._told = self._told or _file(self._path) != self._bound or self._installed.changed()
        return self._told

    def _end(self) -> None:
        """Take no more commands; workers that have one finish it."""
        if self._ending:
            return
        self._ending = True
        if _file(self._path) == self._bound:
            with suppress(OSError):
                Path(self._path).unlink()
        self._listener.close()
        for connection in self._queue:
            connection.close()
        self._queue.clear()
        for member in [member for member in self._members if not member.busy]:
            self._dismiss(member)

    def _close(self) -> None:
        for member in self._members:
            with suppress(OSError):
                os.kill(member.process, signal.SIGTERM)
        for connection in self._unread:
            connection.close()

    # --- commands ------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        if client.peer_user(connection) != os.getuid() or len(self._unread) + len(self._queue) >= _WAITING:
            connection.close()
            return
        connection.setblocking(False)
        self._unread.append(connection)

    def _read(self, connection: socket.socket) -> None:
        """See what is asked for; a command is left for a worker to read."""
        try:
            kind = connection.recv(1, socket.MSG_PEEK)
        except OSError:
            kind = b""
        if kind == wire.RUN:
            self._queue.append(connection)
        elif kind == wire.STATUS:
            with suppress(OSError):
                connection.recv(5)  # closed with something unread, it would be reset
                connection.sendall(json.dumps(self._status()).encode())
            connection.close()
        elif kind == wire.STOP:
            with suppress(OSError):
                connection.recv(5)
            self._stopping.append(connection)  # it is closed as this process ends, which is the answer
            self._end()
        else:
            connection.close()

    def _dispatch(self) -> None:
        """Give commands that wait to workers that are free, and start one more if all are busy."""
        while self._queue:
            free = next((member for member in self._members if not member.busy), None)
            if free is None:
                # One at a time: the next is needed only if this one does not suffice.
                if len(self._members) < self._most and not any(member.new for member in self._members):
                    self._hire()
                return
            connection = self._queue.popleft()
            if not _waits(connection):
                connection.close()
                continue
            connection.setblocking(True)
            try:
                socket.send_fds(free.control, [b"!"], [connection.fileno()])
            except OSError:
                free.busy = True  # it has ended, and is reaped in a moment
                self._queue.appendleft(connection)
                continue
            free.busy, free.since = True, time.monotonic()
            connection.close()
            # It is looked while the worker reads the command, which it begins once it is told that it may.
            outdated = self._outdated()
            with suppress(OSError):
                free.control.send(wire.STALE if outdated else wire.CURRENT)
            if outdated:
                return

    def _hear(self, control: socket.socket) -> None:
        """Take down what a worker reports: it is free again, or it has ended."""
        member = next(member for member in self._members if member.control is control)
        try:
            said = control.recv(4096)
        except OSError:
            said = b""
        if not said:
            self._dismiss(member)
            return
        report = json.loads(said)
        member.busy, member.new, member.since = False, False, time.monotonic()
        member.requests += report["answered"]
        self._requests += report["answered"]
        self._with_model = self._with_model or report["model"]
        home, identity = report["home"]
        if home == self._home:  # a command may have another
            self._home_was = self._home_was or identity
        if (reason := report["refused"]) is not None:
            self._cold[reason] = self._cold.get(reason, 0) + 1
        if self._ending:
            self._dismiss(member)

    # --- workers -------------------------------------------------------------------------------------------

    def _hire(self) -> None:
        """Start one more worker."""
        own, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = os.fork()
        if process == 0:
            self._become_worker(own, theirs)
        theirs.close()
        self._members.append(_Member(process, own))

    def _become_worker(self, own: socket.socket, control: socket.socket) -> None:
        code = 1
        try:
            own.close()
            self._listener.close()
            for connection in [*self._queue, *self._unread, *(member.control for member in self._members)]:
                connection.close()
            os.close(self._lock)
            from agentmem_cli.warm import ready

            ready.work(control, with_model=self._with_model)
            code = 0
        finally:
            os._exit(code)

    def _dismiss(self, member: _Member) -> None:
        """Let a worker end: it does when its connection is closed."""
        member.control.close()
        self._members.remove(member)

    def _dismiss_idle(self) -> None:
        now = time.monotonic()
        for member in self._members[1:]:
            if not member.busy and now - member.since > self._spare_idle:
                self._dismiss(member)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    # --- status --------------------------------------------------------------------------------------------

    def _status(self) -> dict[str, Any]:
        processes = [os.getpid(), *(member.process for member in self._members)]
        return {
            "running": True,
            "process": os.getpid(),
            "since": self._began,
            "idle_seconds": round(time.monotonic() - self._last),
            "requests": self._requests,
            "cold": self._cold,
            "memory_bytes": sum(map(_memory, processes)),
            "workers": [
                {"process": member.process, "busy": member.busy, "requests": member.requests}
                for member in self._members
            ],
            "home": self._home,
        }


def _seconds(variable: str, default: float) -> float:
    try:
        return float(os.environ.get(variable, default))
    except ValueError:
        return default


def _file(path: str) -> tuple[int, int] | None:
    try:
        about = os.lstat(path)
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _waits(connection: socket.socket) -> bool:
    """Return whether somebody is still at the other end."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    except OSError:
        return False


def _memory(process: int) -> int:
    """Return the bytes that a process takes, its share of what is shared with others; 0 where nobody says."""
    with suppress(OSError, ValueError), open(f"/proc/{process}/smaps_rollup") as file:  # noqa: PTH123
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
