"""Who is at the other end of a connection, and whether it sees and may do exactly what this process does.

Everything here is asked of the system, not of the other process. A program in a sandbox or a container must not
reach through the warm process what it cannot reach by itself.
"""

from __future__ import annotations

import os
import sys
from socket import SO_PEERCRED, SOL_SOCKET, socket
from typing import Final

_NAMESPACES: Final = ("mnt", "user", "pid", "net", "ipc", "uts", "cgroup", "time")
_RIGHTS: Final = (
    *("Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp"),
    *("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"),
)
"""Lines of `/proc/PID/status` that say what a process may do. Landlock needs NoNewPrivs."""
_TAKEN_OVER: Final = {"Max core file size": "RLIMIT_CORE", "Max file size": "RLIMIT_FSIZE"}
"""Limits that hold for what a process does from now on, and are taken over; others have been used up in part."""

Limits = dict[str, tuple[str, str]]


class StrangerError(Exception):
    """The other process cannot be stood in for; the text says why."""


class Surroundings:
    """What the system says of a process."""

    def __init__(self, process: int | str) -> None:
        folder = (
            f"/proc/{process}"  # no Path: this is asked before each command, and that takes twice as long
        )
        self.namespaces = {name: _link(f"{folder}/ns/{name}") for name in _NAMESPACES}
        root = os.stat(f"{folder}/root")  # noqa: PTH116
        self.root = (root.st_dev, root.st_ino)
        lines = dict(line.partition(":")[::2] for line in _read(f"{folder}/status").splitlines())
        self.rights = {name: lines.get(name, "").strip() for name in _RIGHTS}
        self.label = _text(f"{folder}/attr/current")
        self.limits = _limits(_read(f"{folder}/limits"))


def check(connection: socket, own: Surroundings | None) -> Limits:
    """Check that the process at the other end is this user's, in the same namespaces and with the same rights.

    Args:
        connection: the connection that it made.
        own: what is known of this process; None where the system does not say.

    Returns:
        Its limits, where they differ from this process's.

    Raises:
        StrangerError: it is not, or this cannot be known.
    """
    if sys.platform != "linux" or own is None:
        return {}
    credentials = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)
    process, user = (int.from_bytes(credentials[place : place + 4], sys.byteorder) for place in (0, 4))
    if user != os.getuid():
        raise StrangerError("another user")
    if not process:
        raise StrangerError("another process namespace")
    try:
        other = Surroundings(process)
    except (OSError, ValueError):
        raise StrangerError("its surroundings cannot be read") from None
    for name, value in own.namespaces.items():
        if other.namespaces[name] != value:
            raise StrangerError(f"another {name} namespace")
    if other.root != own.root:
        raise StrangerError("another root folder")
    if (other.rights, other.label) != (own.rights, own.label):
        raise StrangerError("other rights")
    differing = {name: limit for name, limit in other.limits.items() if own.limits.get(name) != limit}
    if any(name not in _TAKEN_OVER for name in differing) or other.limits.keys() != own.limits.keys():
        raise StrangerError("other limits")
    return differing


def take_over(limits: Limits) -> None:
    """Put limits of another process into force here; their upper bounds stay, so that they can be lifted again.

    Raises:
        StrangerError: one of them is above what this process may have.
    """
    import resource

    for name, (soft, _) in limits.items():
        number = getattr(resource, _TAKEN_OVER[name])
        hard = resource.getrlimit(number)[1]
        try:
            resource.setrlimit(number, (resource.RLIM_INFINITY if soft == "unlimited" else int(soft), hard))
        except (OSError, ValueError):
            raise StrangerError("other limits") from None


def _limits(text: str) -> Limits:
    """Read `/proc/PID/limits`, whose columns have fixed widths."""
    rows = (line for line in text.splitlines()[1:] if len(line) > 26)
    return {line[:26].strip(): (line[26:].split()[0], line[26:].split()[1]) for line in rows}


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115
    except FileNotFoundError:
        return None  # an older kernel


def _text(path: str) -> str | None:
    try:
        return _read(path)
    except OSError:
        return None  # no such security module


def _read(path: str) -> str:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(number, 65_536):
            parts.append(part)
    finally:
        os.close(number)
    return b"".join(parts).decode("ascii", "replace")
