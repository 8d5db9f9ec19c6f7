"""One command at a time, run as it would run in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Any, Final

from agent_memory import staying
from agentmem_cli import entry, repeating, signals
from agentmem_cli.warm import client, interpreter, peer, ready, wire
from agentmem_cli.warm.surroundings import Request, taken_over

_GO_PATIENCE: Final = 2.0  # seconds in which a command says GO, which it does at once
_HEARD_PATIENCE: Final = 2.0  # seconds in which a command answers, which it does at once
_QUIET: Final = 1.0  # seconds without a command
_LARGEST_KIB: Final = 500_000
"""Memory beyond which a worker makes room for a new one."""


class Worker:
    """Takes connections from the supervisor, and runs what is asked for there.

    Args:
        control: the connection to the supervisor.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._fixed = interpreter.fixed()
        self._own = peer.Surroundings("self") if sys.platform == "linux" else None
        self._watched: socket.socket | None = None
        self._watching = threading.Event()
        self._heard = threading.Event()
        self._refused: str | None = None
        signals.tell_of_end = self._ends_by_signal

    def serve(self) -> None:
        """Run commands until the supervisor lets go."""
        threading.Thread(target=self._watch, name="agentmem client", daemon=True).start()
        self._report(False)
        while True:
            message, descriptors = self._next()
            if not message or not descriptors:
                return
            with socket.socket(fileno=descriptors[0]) as connection:
                code = self._serve(connection)
                # First of all, so that the client's next command, which may follow at once, finds this worker free.
                self._report(code is not None)
                if code is not None:
                    with suppress(OSError):
                        connection.sendall(wire.ENDED + bytes((code & 0xFF,)))
            if _kibibytes() > _LARGEST_KIB:
                return

    def _next(self) -> tuple[bytes, list[int]]:
        """Wait for the next connection; what the last command has left is given back when nothing follows at once."""
        for seconds, forget in ((_QUIET, None), (staying.SECONDS, staying.forget_files)):
            self._control.settimeout(seconds)
            try:
                return self._received()
            except TimeoutError:
                if forget is not None:
                    forget()
                gc.collect()
                ready.give_back()
        self._control.settimeout(None)
        return self._received()

    def _received(self) -> tuple[bytes, list[int]]:
        message, descriptors, *_ = socket.recv_fds(self._control, 16, 1)
        return message, descriptors

    def _serve(self, connection: socket.socket) -> int | None:
        """Run the command that is asked for over a connection, and return its exit code; None if it was not run."""
        self._refused = None
        descriptors: list[int] = []
        try:
            connection.settimeout(_GO_PATIENCE)
            try:
                request = self._asked(connection)
            finally:
                current = self._is_current()
            if not current:
                return None
            connection.sendall(wire.READY)
            go, received, *_ = socket.recv_fds(connection, 1, wire.DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
            descriptors += received
            if go != wire.GO or len(descriptors) != wire.DESCRIPTORS:
                return None
            return self._run(request, descriptors, connection)
        except peer.StrangerError as error:
            self._refused = str(error)
            with suppress(OSError):
                connection.sendall(wire.REFUSED)
            return None
        except (OSError, ValueError, LookupError):
            return None  # it waits no longer, or is no command of ours
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _asked(self, connection: socket.socket) -> Request:
        """Read a request, and check that it can be met here.

        Returns:
            The request.

        Raises:
            StrangerError: it cannot.
            ValueError: it is no request.
        """
        limits = peer.check(connection, self._own)
        length = int.from_bytes(_whole(connection, 5)[1:], "big")
        if length > wire.LARGEST:
            raise ValueError("the request is too long")
        request = Request(wire.unpacked(_whole(connection, length)), limits)
        if request.fixed != self._fixed:
            raise peer.StrangerError("another interpreter, or other variables that it reads as it starts")
        path, identity = request.home
        if client.folder_identity(path) != identity:
            raise peer.StrangerError("another folder of the same name")
        return request

    def _is_current(self) -> bool:
        """Hear whether what runs here is still what is installed, which the supervisor says of each command."""
        self._control.settimeout(None)
        return self._control.recv(1) == wire.CURRENT

    def _run(self, request: Request, descriptors: list[int], connection: socket.socket) -> int:
        def begins(kind: bytes) -> None:
            self._heard.clear()
            with suppress(OSError):
                connection.send(kind)
                if kind == wire.STDIN_ENDED:
                    self._heard.wait(_HEARD_PATIENCE)  # a signal that came before the end arrives before

        connection.settimeout(None)
        with taken_over(request, descriptors, begins):
            repeating.tell = lambda: begins(wire.WRITES)
            self._watched = connection
            self._watching.set()
            code = _exit_code()
            self._watched = None
            self._watching.clear()
            repeating.tell = None
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)  # wakes the thread that watches it
        return code

    def _ends_by_signal(self, code: int) -> None:
        """Tell the client with which code this process is about to end."""
        connection = self._watched
        if connection is not None:
            with suppress(OSError):
                connection.send(wire.ENDED + bytes((code,)), socket.MSG_DONTWAIT)

    def _watch(self) -> None:
        """Hand on the signals that the client was sent, and end with it."""
        main = threading.main_thread().ident
        assert main is not None
        while True:
            self._watching.wait()
            connection = self._watched
            if connection is None:
                continue
            try:
                data = connection.recv(16)
            except OSError:
                data = b""
            if self._watched is not connection:
                continue
            if not data:
                _leave()
            for number in data:
                if number == wire.HEARD[0]:
                    self._heard.set()
                else:
                    signal.pthread_kill(main, number)

    def _report(self, answered: bool) -> None:
        home = client.home()
        said: dict[str, Any] = {
            "answered": answered,
            "refused": self._refused,
            "model": _has_model(),
            "home": [home, client.folder_identity(home)],  # which the command may have made
        }
        self._control.sendall(json.dumps(said).encode())


def _exit_code() -> int:
    """Run the command in its streams, as the program does, and return its exit code."""
    try:
        return entry.answer(sys.argv[1:])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        gc.collect(1)


def _leave() -> None:
    """End now: whoever asked has gone, as if this process had been killed."""
    temporary = sys.modules.get("agent_memory.temporary")
    if temporary is not None:
        temporary.remove_all()
    os._exit(128 + signal.SIGHUP)


def _whole(connection: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = connection.recv(min(length, 1 << 20))
        if not part:
            raise ValueError("the request ends in the middle")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _has_model() -> bool:
    """Return whether the default model is loaded."""
    local = sys.modules.get("agent_memory.embeddings.local_model")
    sharing = sys.modules.get("agent_memory.embeddings.sharing")
    return local is not None and sharing is not None and bool(sharing.loaded_models(local.LocalModel))


def _kibibytes() -> int:
    """Return the memory in use; 0 where the system does not say."""
    with suppress(OSError, ValueError), open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    return 0
