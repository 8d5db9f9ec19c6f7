"""Where the warm process is met: a socket in a folder that only this user can enter.

Imported by every command before anything else, so it needs nothing but `os` and `sys`.
"""

import os
import sys

OFF = frozenset({"0", "false", "no", "off"})
"""Values of `AGENTMEM_WARM` with which a command asks nobody."""
_SETS_THE_HOME = ("AGENTMEM_HOME", "HOME", "XDG_DATA_HOME")
_NAMES_A_PROCESS = ("/dev/fd/", "/dev/tty", "/proc/")
"""Beginnings of names that mean something else in another process."""
_PRIME, _MASK = 0x100000001B3, (1 << 64) - 1


def socket_path() -> str | None:
    """Return the path of the socket for this user, home folder, installation and version; None where there is none.

    Two versions have two names, so neither has to ask the other which it is.
    """
    if not sys.platform.startswith(("linux", "darwin")) or os.getuid() != os.geteuid():
        return None
    if named_path := os.environ.get("AGENTMEM_WARM_SOCKET"):
        return named_path
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    named = [package, sys.prefix, *(os.environ.get(name, "") for name in _SETS_THE_HOME), version_mark()]
    # A path of a Unix socket ends at 103 bytes on macOS, so the names are hashed; that they are the right ones is
    # checked when a command is asked for.
    value = 0xCBF29CE484222325
    for byte in "\0".join(named).encode("utf-8", "surrogateescape"):
        value = (value ^ byte) * _PRIME & _MASK
    return f"{folder()}/{value:016x}.sock"


def folder() -> str:
    """Return the folder of the sockets: in the user's runtime folder, else one of its own in `/tmp`."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and len(runtime) < 70 and is_private(runtime):
        return runtime.rstrip("/") + "/agentmem"
    return f"/tmp/agentmem-{os.getuid()}"  # noqa: S108 - its owner and mode are checked before it is used


def version_mark() -> str:
    """Return what changes when another version is installed in place of this one."""
    try:
        about = os.stat(__file__)  # noqa: PTH116
    except OSError:
        return ""
    return f"{about.st_dev} {about.st_ino} {about.st_mtime_ns} {about.st_size}"


def is_there(path: str) -> bool:
    """Return whether a socket of this user's lies there, in a folder that nobody else can enter."""
    try:
        about = os.lstat(path)
    except OSError:
        return False
    return (
        about.st_mode & 0o170000 == 0o140000
        and about.st_uid == os.getuid()
        and is_private(path[: path.rindex("/")])
    )


def is_private(path: str) -> bool:
    """Return whether a folder is there that only this user can enter."""
    try:
        about = os.lstat(path)
    except OSError:
        return False
    return about.st_mode & 0o170000 == 0o040000 and about.st_uid == os.getuid() and not about.st_mode & 0o077


def may_ask(arguments: list[str]) -> bool:
    """Return whether somebody else may run these words: they name nothing that only this process has."""
    if os.environ.get("AGENTMEM_WARM", "").strip().lower() in OFF:
        return False
    if any(name in argument for argument in arguments for name in _NAMES_A_PROCESS):
        return False
    return not any(
        name in value
        for variable, value in os.environ.items()
        if variable.startswith("AGENTMEM_")
        for name in _NAMES_A_PROCESS
    )
