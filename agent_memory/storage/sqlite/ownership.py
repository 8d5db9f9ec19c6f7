"""Whose a file is: what is asked before it is opened, renamed or deleted.

A file is never looked into but by SQLite: to open and close it besides would drop the locks that SQLite has on it.

To rename an agent takes two steps, the file's name and the id inside, and the program may be killed between them. So
the new id is noted in the file first; the file is moved, which is what counts; and the note is made true afterwards,
by whoever opens the file next if need be.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from agent_memory import filesystem, paths
from agent_memory.errors import BackendError, IntegrityError, StoreBusyError
from agent_memory.hints import Hint
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import driver, setting
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.errors import translated

_AGENT: Final = "agent_id"
"""Under this name the file remembers whose it is."""
_RENAMING: Final = "renaming_to"
"""Under this one the id that it is about to get: true as soon as the file is named after it."""
_RENAMED: Final = "renamed_from"
SETTINGS: Final = (_AGENT, _RENAMING, _RENAMED)
BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""
_SMALLEST: Final = 512
"""Bytes of the smallest database. SQLite takes a file of one byte for an empty one, and would write over it."""
_PATIENCE: Final = 2.0  # seconds to wait for others to let go of a file


def check_there(path: Path) -> bool:
    """Return whether a file is there that may be a database, or become one since it is empty.

    Raises:
        BackendError: what is there is no file, such as a folder or a named pipe, or may not be looked at.
        IntegrityError: it is too small for a database.
    """
    size = filesystem.file_size(path)
    for suffix in BESIDE:
        filesystem.file_size(beside(path, suffix))
    if size is not None and 0 < size < _SMALLEST:
        raise IntegrityError(
            f"{path} is damaged, or not a database", hint=Hint("give {ANOTHER_FILE}; nothing was changed")
        )
    if size is not None and not os.access(path, os.R_OK):
        raise BackendError(f"{path} may not be read", hint="check its permissions")
    return size is not None


def beside(path: Path, suffix: str) -> Path:
    """Return the path of what SQLite keeps beside a file."""
    return path.with_name(path.name + suffix)


@contextmanager
def alone(path: Path) -> Iterator[Connection]:
    """Hold a file so that no other process can open it, after those that have it open had time to let go.

    Yields:
        A connection that holds the file.

    Raises:
        StoreBusyError: they did not.
        BackendError: it is read-only.
    """  # noqa: DOC501
    if not os.access(path, os.W_OK):
        raise BackendError(f"{path} is read-only", hint="check its permissions")
    with translated(str(path)):
        connection = driver.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        try:
            # In this mode WAL keeps its index in this process's memory, which works for one process only.
            connection.execute("pragma locking_mode = exclusive")
            try:
                connection.execute("begin exclusive")
                connection.execute("commit")
            except driver.Error as error:
                if "locked" in str(error):
                    raise StoreBusyError(str(path)) from error
                raise
            yield connection
        finally:
            connection.close()


def delete(path: Path) -> None:
    """Delete a file and what stands beside it."""
    for file in (path, *(beside(path, suffix) for suffix in BESIDE)):
        file.unlink(missing_ok=True)


# --- whose ------------------------------------------------------------------------------------------------------


class Names(NamedTuple):
    """Whose a file is, and was before the agent was renamed; None where nothing is said of it."""

    agent: str | None
    former: str | None
    settled: bool = True
    """Whether the file says so itself, wherever it is."""
    damaged: bool = False
    """Whether what it said cannot be read; it is not written over then."""


def names_in(connection: Connection, path: Path) -> Names:
    """Return whose a file is. A renaming that was cut off counts from the moment that the file had its new name."""
    damaged = Damaged()
    agent, renamed, former = (setting.get(connection, name, damaged) for name in SETTINGS)
    if renamed is not None and renamed != agent and path.name == f"{paths.file_stem(renamed)}.db":
        return Names(renamed, agent, settled=False)
    return Names(agent, former, damaged=bool(damaged))


def settle(connection: Connection, names: Names) -> None:
    """Write down whose a file is, so that it is true of a copy with another name too."""
    setting.put(connection, _AGENT, names.agent)
    setting.put(connection, _RENAMED, names.former)
    setting.put(connection, _RENAMING, None)


def rename(path: Path, target: Path, agent_id: str) -> None:
    """Give a file to another agent, with the name that goes with it. Killed at any moment, it can be done again.

    Raises:
        FileExistsError: another file has that name.
        StoreBusyError: another process has the file open.
    """
    if path != target:
        _free(target)
    with alone(path) as connection:
        # Should the name turn out to be taken, the note says nothing: it holds for a file of that name only.
        setting.put(connection, _RENAMING, agent_id)
        # What stands beside the file keeps its old name, so the file has to be whole without it. The next who opens
        # it switches to WAL again.
        connection.execute("pragma journal_mode = delete").fetchone()
        if path != target and os.name != "nt":
            filesystem.move(path, target)
    if path != target and os.name == "nt":  # there, a file that is open keeps its name
        filesystem.move(path, target)
    finish(target)


def finish(path: Path) -> None:
    """Settle whose a file is that was renamed."""
    with alone(path) as connection:
        connection.execute("begin immediate")
        settle(connection, names_in(connection, path))
        connection.execute("commit")


def _free(path: Path) -> None:
    """Take away what is left of a file in which nothing is stored: an empty one, or the log of one that is gone.

    SQLite would take such a log for that of the next file of this name; beside an empty one it deletes it.

    Raises:
        FileExistsError: something is stored there.
    """
    size = check_there(path)
    if not size and not any(beside(path, suffix).exists() for suffix in BESIDE):
        return
    if not size:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with translated(str(path)):
        connection = driver.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE)
        with closing(connection):
            connection.execute("select 1 from sqlite_master").fetchone()
    if filesystem.file_size(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    path.unlink()
