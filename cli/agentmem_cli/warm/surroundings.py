"""What of a process belongs to the command that runs in it: taken over before, put back afterwards."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from agentmem_cli.warm import peer, wire

Begins = Callable[[bytes], None]
_MODES = ("r", "w", "w")
_NAMES = ("<stdin>", "<stdout>", "<stderr>")


class Request:
    """A command as it was asked for."""

    def __init__(self, fields: list[bytes], limits: peer.Limits) -> None:
        fixed, words, environment, streams, umask, home = fields
        self.fixed = wire.of_texts(fixed)
        self.words = wire.of_texts(words)
        self.environment = dict(item.partition(b"=")[::2] for item in environment.split(b"\0") if item)
        self.streams = wire.of_texts(streams)
        self.umask = int.from_bytes(umask, "big")
        self.home = wire.of_texts(home)
        self.limits = limits


class _Stream(io.FileIO):
    """One of the three descriptors, which tells when it is first used."""

    begins: Begins | None = None
    kind = b""
    ends: Begins | None = None
    """Told once that there is nothing more to read."""

    def _used(self) -> None:
        if self.begins is not None:
            begins, self.begins = self.begins, None
            begins(self.kind)

    def _at_end(self) -> None:
        if self.ends is not None:
            ends, self.ends = self.ends, None
            ends(wire.STDIN_ENDED)

    def readinto(self, buffer: Any, /) -> int | None:
        self._used()
        count = super().readinto(buffer)
        if count == 0 and len(buffer):
            self._at_end()
        return count

    def read(self, size: int | None = -1, /) -> bytes | None:  # type: ignore[override]
        self._used()
        data = super().read(-1 if size is None else size)
        if not data and size != 0:
            self._at_end()
        return data

    def readall(self) -> bytes:
        self._used()
        data = super().readall() or b""
        self._at_end()
        return data

    def write(self, data: Any, /) -> int | None:  # type: ignore[override]
        self._used()
        return super().write(data)


@contextmanager
def taken_over(request: Request, descriptors: Sequence[int], begins: Begins) -> Iterator[None]:
    """Run what is inside with the streams, folder, variables and limits of whoever asked."""
    before = _resources(request.limits)
    umask, arguments = os.umask(request.umask), sys.argv
    try:
        for number in range(3):
            os.dup2(descriptors[number], number)
        os.fchdir(descriptors[3])
        _set_environment(request.environment)
        sys.argv = request.words
        _use([_opened(number, described, begins) for number, described in enumerate(request.streams)])
        tempfile.tempdir = None  # it is looked for once in a process
        with warnings.catch_warnings():  # each is said once in a process, so it has to forget what was said
            yield
    finally:
        sys.argv = arguments
        os.umask(umask)
        os.chdir("/")
        _put_away()
        _put_back(before)


def _use(streams: Sequence[Any]) -> None:
    sys.stdin, sys.stdout, sys.stderr = streams
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]


def _put_away() -> None:
    """Let go of the streams, so that whoever reads them sees their end."""
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for number in range(3):
        os.dup2(nowhere, number)
    os.close(nowhere)
    _use([open(number, mode, closefd=False) for number, mode in enumerate(_MODES)])  # noqa: SIM115


def _opened(number: int, described: str, begins: Begins) -> TextIO:
    """Open a stream as Python itself does when it starts."""
    encoding, errors, write_through = described.split(" ")
    raw = _Stream(number, _MODES[number], closefd=False)
    raw.begins, raw.kind = begins, wire.PRINTS if number else wire.READS_STDIN
    raw.ends = None if number else begins
    unbuffered = bool(number) and write_through == "1"
    buffer: Any = raw if unbuffered else io.BufferedWriter(raw) if number else io.BufferedReader(raw)
    raw.name = _NAMES[number]
    stream = io.TextIOWrapper(
        buffer,
        encoding=encoding,
        errors=errors,
        newline="\n",
        line_buffering=write_through == "0" and (number == 2 or os.isatty(number)),
        write_through=unbuffered,
    )
    stream.mode = _MODES[number]  # type: ignore[misc]
    return stream


def _set_environment(wanted: dict[bytes, bytes]) -> None:
    """Make the variables the ones that are wanted, in the same mapping: libraries keep it."""
    present = os.environb
    for name in [name for name in present if name not in wanted]:
        del present[name]
    for name, value in wanted.items():
        if present.get(name) != value:
            present[name] = value
    time.tzset()


def _resources(limits: peer.Limits) -> dict[int, tuple[int, int]]:
    """Take limits over, and return the ones in force before."""
    if not limits:
        return {}
    import resource

    before = {number: resource.getrlimit(number) for number in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)}
    peer.take_over(limits)
    return before


def _put_back(limits: dict[int, tuple[int, int]]) -> None:
    if limits:
        import resource

        for number, values in limits.items():
            with suppress(OSError, ValueError):
                resource.setrlimit(number, values)
