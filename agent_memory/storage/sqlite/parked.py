"""What was kept of a file when it was closed, for the next time that this process opens it.

For a process that carries out one short command after another, each with the file opened and closed, as a warm one
does. Nothing holds the file open meanwhile. It is taken up again only where nobody has written since: the file is the
same one, as large and last changed at the same moment as when it was closed; no log with anything in it lies beside
it; and its last operation, its last change and its last vector are the same. That is asked in the snapshot in which
it is used. Anything else, such as a copy put back in the file's place, and it is all read anew.

A write of this process to a file drops what is parked of it, and so does a minute in which nobody asked.
"""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.kept import Kept

SECONDS: Final = 60.0
"""How long something stays parked."""
_LARGEST_CODES: Final = 8_000_000
"""Bytes; the signs of some 140,000 vectors."""

Mark = tuple[object, ...]


class _State(NamedTuple):
    """A file that nobody is writing to."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


class _Parked(NamedTuple):
    state: _State
    mark: Mark
    kept: Kept
    since: float


_most = 0
_parked: dict[str, _Parked] = {}
"""By path, the one that was closed longest ago first."""


def keep(files: int) -> None:
    """Park what was kept of so many files from now on; of none, which is how a process begins, forget all."""
    global _most
    _most = files
    forget_old(files)


def paths() -> list[str]:
    """List the files of which something is parked."""
    return list(_parked)


def worth_parking(kept: Kept) -> bool:
    """Return whether a store that is being closed should leave what it kept."""
    return (
        _most > 0
        and kept.version is not None
        and (kept.codes is None or kept.codes.words.nbytes <= _LARGEST_CODES)
    )


def mark(connection: Connection) -> Mark | None:
    """Return what identifies the last write; None where the file is damaged."""
    try:
        return tuple(
            connection.execute(
                "select (select id from operation order by seq desc limit 1),"
                " (select change_id from journal order by seq desc limit 1),"
                " (select checksum from embedding order by id desc limit 1)"
            ).fetchone()
        )
    except driver.Error:
        return None


def park(path: str, mark: Mark, kept: Kept) -> None:
    """Park what was kept of a file that has just been closed."""
    state = _state(path)
    if state is None:
        return  # somebody else has it open
    # Both are compared with what this connection alone knows.
    kept.version = kept.selection = None
    if kept.codes is not None:
        kept.codes.latest = None
    _parked.pop(path, None)
    _parked[path] = _Parked(state, mark, kept, time.monotonic())
    forget_old(_most)


def take_up(path: str, connection: Connection) -> Kept | None:
    """Return what is parked of a file, if it holds in the snapshot that the connection has open."""
    parked = _parked.pop(path, None)
    if parked is None or parked.mark != mark(connection) or parked.state != _state(path):
        return None
    return parked.kept


def forget(path: str) -> None:
    """Forget what is parked of a file."""
    _parked.pop(path, None)


def forget_old(most: int, seconds: float = SECONDS) -> None:
    """Forget what was parked that long ago, and what more there is than so many, the oldest first."""
    oldest = time.monotonic() - seconds
    for path, parked in list(_parked.items()):
        if parked.since <= oldest or len(_parked) > most:
            del _parked[path]


def _state(path: str) -> _State | None:
    """Return the state of a file; None if there is a log beside it with something in it."""
    try:
        if os.stat(f"{path}-wal").st_size:  # noqa: PTH116
            return None
    except FileNotFoundError:
        pass
    except OSError:
        return None
    try:
        about = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return _State(about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
