"""The client's two pipes: lines of JSON come in by one, and leave by the other.

Nothing else may get between them, so the numbers 0 and 1 are taken away from the rest of the process: what anybody
prints goes to stderr, and what anybody reads from stdin is empty.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final

Line = bytes | None
"""A line without its end; None is the end of all lines."""

LONGEST: Final = 64 * 1024 * 1024
"""Bytes of a line; of a longer one only the beginning is delivered, which is no JSON and is answered as such."""
_CHUNK: Final = 256 * 1024


class Wire:
    """Delivers the client's lines from a thread of its own, and writes lines to it.

    Args:
        source: the descriptor to read from.
        sink: the descriptor to write to.
        ended: called once, when the client has gone.
    """

    def __init__(self, source: int, sink: int, ended: Callable[[], None]) -> None:
        self._source = source
        self._sink = sink
        self._tell_ended = ended
        self._writing = threading.Lock()
        self._delivering = threading.Lock()
        self._ended = False
        self.backlog: SimpleQueue[Any] = SimpleQueue()
        """Where lines are put until somebody receives them."""
        self._deliver: Callable[[Line], None] = self.backlog.put

    @classmethod
    def take_standard_streams(cls, ended: Callable[[], None]) -> Wire:
        """Take stdin and stdout over from the rest of the process."""
        source, sink = os.dup(0), os.dup(1)
        if sys.platform == "win32":
            import msvcrt

            for number in (source, sink):  # else the ends of lines are changed on their way
                msvcrt.setmode(number, os.O_BINARY)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        return cls(source, sink, ended)

    def start(self) -> None:
        """Begin to read."""
        threading.Thread(target=self._read, name="agentmem-stdin", daemon=True).start()

    def deliver_to(self, receive: Callable[[Line], None]) -> None:
        """Give every line to a function from now on, those first that nobody has received yet."""
        with self._delivering:
            while True:
                try:
                    receive(self.backlog.get_nowait())
                except Empty:
                    break
            self._deliver = receive

    def end(self) -> None:
        """Deliver the end, as if the client had closed its pipe; does nothing the second time."""
        with self._delivering:
            if self._ended:
                return
            self._ended = True
            self._deliver(None)
        self._tell_ended()

    def write(self, line: bytes) -> None:
        """Write a line; where the client does not take it any more, end."""
        view = memoryview(line + b"\n")
        try:
            with self._writing:
                while view:
                    view = view[os.write(self._sink, view) :]
        except OSError:
            self.end()

    def _read(self) -> None:
        lines = LineSplitter()
        while True:
            try:
                chunk = os.read(self._source, _CHUNK)
            except OSError:
                chunk = b""
            for line in lines.feed(chunk) if chunk else lines.rest():
                with self._delivering:
                    if self._ended:
                        return
                    self._deliver(line)
            if not chunk:
                self.end()
                return


class LineSplitter:
    """Cuts bytes into lines as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take some more bytes and return the lines that they complete; empty lines are left out."""
        *complete, last = chunk.split(b"\n")
        lines: list[bytes] = []
        for part in complete:
            self._keep(part)
            lines += self.rest()
        self._keep(last)
        return lines

    def rest(self) -> list[bytes]:
        """Return what has come of the present line, and begin the next one."""
        line = b"".join(self._parts).strip(b"\r\t ")
        self._parts, self._size = [], 0
        return [line] if line else []

    def _keep(self, part: bytes) -> None:
        part = part[: LONGEST - self._size]
        if part:
            self._parts.append(part)
            self._size += len(part)
