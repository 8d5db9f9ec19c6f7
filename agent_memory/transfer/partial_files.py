"""Files that an export had not finished as it was killed: the next export to their folder takes them away."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_NAME: Final = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
_BEGINNING: Final = b'{"agentmem":'
_NEW: Final = 60.0
_STALE: Final = 86_400.0
"""Seconds after which nobody is at it any more, where the system has no locks that say so."""


def hold(file: BinaryIO) -> None:
    """Mark a file as one that is being written, for as long as this process has it open."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def sweep(folder: Path) -> None:
    """Delete this user's unfinished exports in a folder that no process writes any more."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    _delete_if_stale(Path(entry.path))


def _delete_if_stale(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if hasattr(os, "getuid") and about.st_uid != os.getuid():
            return
        beginning, age = file.read(len(_BEGINNING)), time.time() - about.st_mtime
        # What is empty may have been made just now, and is not held yet.
        if beginning != _BEGINNING and (beginning or age < _NEW):
            return
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where somebody is at it
        elif age < _STALE:
            return
        if fcntl is not None:
            path.unlink()
    if fcntl is None:
        path.unlink()
