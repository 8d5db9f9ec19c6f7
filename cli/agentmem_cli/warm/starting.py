"""Starting the warm process: by its own command, or behind the answer of a cold one where the settings ask for it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Final

from agentmem_cli.warm import place

wanted = False
"""Whether the settings of the command that ran ask for a warm process."""
_DIRECTORY_MODE: Final = 0o700


def start(path: str) -> int | None:
    """Start the warm process in a session of its own; it serves once it has imported what commands need.

    Args:
        path: where its socket is to lie.

    Returns:
        The number of the process; None where one is there already, or is just being started.

    Raises:
        OSError: the folder of the sockets is not this user's alone, or no process can be started.
    """
    lock = _locked(path)
    if lock is None:
        return None
    try:
        os.set_inheritable(lock, True)
        model = ["--model"] if "onnxruntime" in sys.modules else []
        nowhere = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, 0, 1),
            (os.POSIX_SPAWN_DUP2, 0, 2),
        ]
        others = [
            (os.POSIX_SPAWN_CLOSE, number) for number in _open_descriptors() if number > 2 and number != lock
        ]
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", "-m", "agentmem_cli.warm", str(lock), path, *model],
            os.environb,
            file_actions=[*nowhere, *others],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
        )
    finally:
        os.close(lock)


def is_alive(path: str) -> bool:
    """Return whether a process has a socket's lock: one that serves it, is just being started, or is about to end."""
    import fcntl

    try:
        lock = os.open(_lock_path(path), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _lock_path(path: str) -> str:
    return path.removesuffix(".sock") + ".lock"


def _locked(path: str) -> int | None:
    """Return a descriptor that holds the lock beside the socket; None if another process does."""
    import fcntl

    folder = os.path.dirname(path)  # noqa: PTH120
    with suppress(FileExistsError):
        os.mkdir(folder, _DIRECTORY_MODE)  # noqa: PTH102
    if not place.is_private(folder):
        raise PermissionError(1, "must be this user's alone", folder)
    lock = os.open(_lock_path(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _open_descriptors() -> list[int]:
    """List what a new process would inherit."""
    try:
        numbers = [int(name) for name in os.listdir("/proc/self/fd")]  # noqa: PTH208
    except OSError:
        numbers = list(range(3, 256))
    inherited = []
    for number in numbers:
        with suppress(OSError):
            if os.get_inheritable(number):
                inherited.append(number)
    return inherited


def start_quietly(path: str) -> None:
    """Start it if that is possible: the command that asked for it has been answered already."""
    with suppress(OSError):
        start(path)
