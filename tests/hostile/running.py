"""Running the program with a deadline, and saying how to run it again by hand."""

from __future__ import annotations

import os
import pty
import resource
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .places import Circumstances, Place, namespaces, prefix

DEADLINE = 30.0
"""Seconds after which a program counts as one that hangs, however busy the machine is."""
_PLAIN = sys.executable.isascii()
PROGRAM = (sys.executable, *(() if _PLAIN else ("-S",)), "-m", "agentmem_cli")
_MORE = {} if _PLAIN else {"PYTHONPATH": os.pathsep.join(sys.path)}
"""From a path with other letters than ASCII, Python starts in any locale only where it reads no `.pth` file."""
_FULL_FILE = 400_000
"""Bytes that a file may have where a full disk cannot be mounted."""


@dataclass(frozen=True)
class Ran:
    """What a run left behind."""

    arguments: tuple[str, ...]
    circumstances: Circumstances
    code: int | None
    """None: it did not end."""
    out: bytes
    err: bytes
    seconds: float
    signalled: float | None
    """After how many seconds it was sent its signal; None if it had ended before, or gets none."""


def run(place: Place, arguments: Sequence[str], circumstances: Circumstances) -> Ran:
    """Run the program."""
    master, out, err = _streams(circumstances)
    command = [*prefix(place), *PROGRAM, *arguments]
    given = circumstances.stdin
    started = time.monotonic()

    def prepare() -> None:
        for signal in (2, 15, 1):
            _default(signal)
        for number, kind in (
            (0, "closed" if given is None else ""),
            (1, circumstances.out),
            (2, circumstances.err),
        ):
            if kind == "closed":
                os.close(number)
        if place.disk == "full" and not namespaces():
            resource.setrlimit(resource.RLIMIT_FSIZE, (_FULL_FILE, _FULL_FILE))

    process = subprocess.Popen(
        [os.fsencode(item) for item in command],
        cwd=place.work if place.disk == "usual" or not namespaces() else place.root,
        env={**circumstances.environment, **_MORE},
        stdin=subprocess.PIPE if given is not None else None,
        stdout=out,
        stderr=err,
        preexec_fn=prepare,
        start_new_session=True,
    )
    for item in (out, err):
        if isinstance(item, int) and item >= 0:
            os.close(item)
    return _ended(process, tuple(arguments), circumstances, master, started)


def _default(number: int) -> None:
    import signal

    signal.signal(number, signal.SIG_DFL)  # a test runner in the background ignores some


def _streams(circumstances: Circumstances) -> tuple[int | None, int, int]:
    master = None
    opened = []
    for kind in (circumstances.out, circumstances.err):
        if kind == "terminal":
            master, slave = pty.openpty() if master is None else (master, os.dup(opened[0]))
            opened.append(slave)
        elif kind == "full":
            opened.append(os.open("/dev/full", os.O_WRONLY))
        elif kind == "gone":
            read, write = os.pipe()
            os.close(read)
            opened.append(write)
        elif kind == "closed":
            opened.append(os.open(os.devnull, os.O_WRONLY))  # closed as the program starts
        else:
            opened.append(subprocess.PIPE)
    return master, opened[0], opened[1]


def _ended(
    process: subprocess.Popen[bytes],
    arguments: tuple[str, ...],
    circumstances: Circumstances,
    master: int | None,
    started: float,
) -> Ran:
    """Feed it, read it, signal it, and wait until it ends."""
    inputs = memoryview(circumstances.stdin or b"")
    read: dict[int, list[bytes]] = {}
    pipes: dict[int, IO[bytes]] = {}
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipes[pipe.fileno()] = pipe
    watched = {*pipes, *([master] if master is not None else [])}
    if process.stdin is not None:
        os.set_blocking(process.stdin.fileno(), False)
    signalled = None
    while time.monotonic() - started < DEADLINE:
        if circumstances.signal and signalled is None and time.monotonic() - started >= circumstances.after:
            if process.poll() is None:
                process.send_signal(circumstances.signal)
                signalled = time.monotonic() - started
            else:
                signalled = -1.0
        writable = [process.stdin.fileno()] if process.stdin is not None and not process.stdin.closed else []
        if not watched and not writable and process.poll() is not None:
            break
        ready, free, _ = select.select(list(watched), writable, [], 0.02)
        for number in ready:
            try:
                data = os.read(number, 65536)
            except OSError:
                data = b""
            read.setdefault(number, []).append(data)
            if not data:
                watched.discard(number)
        if not ready and process.poll() is not None and master in watched:
            watched.discard(master)
        if free and process.stdin is not None:
            try:
                inputs = inputs[os.write(process.stdin.fileno(), inputs[:65536]) if inputs else 0 :]
            except BlockingIOError:
                pass
            except OSError:
                inputs = inputs[:0]
            if not inputs:
                process.stdin.close()
    code = process.poll()
    seconds = time.monotonic() - started
    if code is None:
        os.killpg(process.pid, 9)
        process.wait()
    texts = [
        b"".join(read.get(p.fileno(), [])) if p is not None else b"" for p in (process.stdout, process.stderr)
    ]
    if master is not None:
        shown = b"".join(read.get(master, []))
        texts = [
            shown if k == "terminal" else t
            for k, t in zip((circumstances.out, circumstances.err), texts, strict=True)
        ]
        os.close(master)
    for pipe in pipes.values():
        pipe.close()
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()
    late = None if signalled is None or signalled < 0 else signalled
    return Ran(arguments, circumstances, code, texts[0], texts[1], seconds, late)


def pasted(place: Place, ran: Ran, number: int) -> str:
    """Write a run as a command for a shell; what stands on stdin is kept in a file."""
    given = ran.circumstances.stdin
    file = Path(place.root, f"stdin-{number}")
    if given is not None:
        file.write_bytes(given)
    env = [f"{name}={value}" for name, value in {**ran.circumstances.environment, **_MORE}.items()]
    words = ["env", "-i", *env, *prefix(place), *PROGRAM, *ran.arguments]
    marks = {"closed": "&-", "full": "/dev/full", "gone": ">(true)"}
    streams = "<&-" if given is None else f"< {file}"
    for name, kind in (("", ran.circumstances.out), ("2", ran.circumstances.err)):
        if kind in marks:
            streams += f" {name}>{marks[kind]}"
        elif kind == "terminal":
            streams += f"  # {'stderr' if name else 'stdout'} is a terminal"
    if ran.circumstances.signal:
        streams += f"  # {ran.circumstances.signal.name} after {ran.circumstances.after:.2f} s"
    return f"{' '.join(map(_quoted, words))} {streams}"


def _quoted(word: str) -> str:
    """Quote a word for bash, control characters and bytes that are no UTF-8 included."""
    if word.isprintable():
        return (
            shlex.quote(word)
            if len(word) < 2000
            else f"{shlex.quote(word[:200])}  # ... {len(word)} characters"
        )
    said = "".join(
        f"\\x{byte:02x}" if byte < 32 or byte > 126 or byte in b"'\\" else chr(byte)
        for byte in os.fsencode(word)
    )
    return f"$'{said}'" if len(said) < 4000 else f"$'{said[:400]}'  # ... {len(word)} characters"
