"""Opening a file: creating it private, bringing it up to date, and falling back to reading only."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from agent_memory.errors import BackendError, ConfigurationError, MemoryNotFoundError, StoreReadOnlyError
from agent_memory.hints import Hint
from agent_memory.paths import private_folder
from agent_memory.storage.sqlite import driver, filters
from agent_memory.storage.sqlite.damage import tolerantly
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.errors import is_busy, is_unwritable, translated, why_unwritable
from agent_memory.storage.sqlite.migrate import APPLICATION_ID, check_ours, migrate, newest, schema_version
from agent_memory.storage.sqlite.ownership import check_there
from agent_memory.storage.sqlite.vectors import fitting

__all__ = ["APPLICATION_ID", "open_file", "translated", "writing"]

T = TypeVar("T")
BUSY_TIMEOUT = 10.0  # seconds; commits take milliseconds, so this is a crowd of thousands
CACHE_KIB = 65_536
"""Pages kept in memory, once read. With SQLite's own 2,000, looking up 100 of a million memories takes 7 ms for 1."""
PAGE_SIZE = 8192
"""Bytes. Five vectors of 384 dimensions fill such a page; of SQLite's usual 4,096 two leave a fifth empty."""
_ROUNDS = 3  # how often the whole busy timeout is waited for
_creating = threading.Lock()


def open_file(
    path: str, *, busy_timeout: float, synchronous: str, create: bool = True
) -> tuple[Connection, BackendError | None]:
    """Open a store's file, creating it if need be.

    Returns:
        The connection, and what to tell whoever wants to write where the file can only be read.

    Raises:
        IntegrityError: it is not a database, not one of ours, or of a newer version.
        MemoryNotFoundError: it is not there and is not to be created.
        StoreBusyError: somebody else holds it and all retries are used up.
        BackendError: it cannot be opened or created.
    """  # noqa: DOC501
    with translated(path):
        _ensure_there(Path(path), create)
        # SQLite would open a file that may not be written all the same, and say so at the first write.
        if not os.access(path, os.W_OK):
            return _open_for_reading(path, busy_timeout), StoreReadOnlyError(path)
        try:
            return _open_for_writing(path, busy_timeout, synchronous), None
        except driver.Error as error:
            if not is_unwritable(error):
                raise
            why = why_unwritable(error, path)
        return _open_for_reading(path, busy_timeout), why


def _ensure_there(path: Path, create: bool) -> None:
    """Make an empty file that only this user can read, before SQLite makes one that others can.

    One at a time in this process: closing the new file would drop the locks of a connection that another thread
    opened to it in between.

    Raises:
        MemoryNotFoundError: it is not there and is not to be created.
        BackendError: it cannot be created, or is no file.
    """
    with _creating:
        if check_there(path):
            return
        if not create:
            raise MemoryNotFoundError(str(path), what="memory file", hint=Hint("{ADD} makes one"))
        try:
            private_folder(path.parent)
        except OSError as error:
            raise BackendError(
                f"cannot create the folder {path.parent}: {error.strerror}", hint=Hint("give {ANOTHER_FILE}")
            ) from error
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return  # another process was faster
        except OSError as error:
            raise BackendError(
                f"cannot create {path}: {error.strerror}", hint=Hint("give {ANOTHER_FILE}")
            ) from error


def _open_for_writing(path: str, busy_timeout: float, synchronous: str) -> Connection:
    # `mode=rw`: should the file vanish meanwhile, SQLite must not make one that others can read.
    connection = driver.connect(f"{Path(path).absolute().as_uri()}?mode=rw", uri=True, timeout=busy_timeout)
    try:
        _set_up(connection, busy_timeout)
        known = newest()
        version = _patiently(lambda: check_ours(connection, path, known), busy_timeout)
        if version == 0:
            connection.execute(f"pragma page_size = {PAGE_SIZE}")
        _use_wal(connection, busy_timeout)
        connection.execute(f"pragma synchronous = {synchronous}")
        tolerantly(connection, lambda open_: _bring_up_to_date(open_, path, known))
    except BaseException:
        connection.close()
        raise
    return connection


def _bring_up_to_date(connection: Connection, path: str, known: int) -> None:
    """Bring the schema into its present version, and what stands in it into the present form."""
    from agent_memory.storage.sqlite import renewing  # here, since looking into a file needs none of it

    if schema_version(connection) == known and renewing.current(connection):
        return
    with writing(connection):
        check_ours(connection, path, known)
        migrate(connection)
        row = connection.execute("select value from setting where name = 'agent_id'").fetchone()
        renewing.bring_up_to_date(connection, str(row[0]) if row else "default")


def _open_for_reading(path: str, busy_timeout: float) -> Connection:
    """Open a file that cannot be written.

    In a folder where nothing can be made, SQLite reads a WAL file only if told that nobody changes it: true of a
    read-only medium, and of a folder that this user may not write as long as no log lies beside the file.

    Returns:
        The connection.
    """  # noqa: DOC501
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    log = Path(f"{path}-wal")
    modes = (uri,) if log.exists() and log.stat().st_size else (uri, f"{uri}&immutable=1")
    for mode in modes:
        connection = driver.connect(mode, uri=True, timeout=busy_timeout)
        try:
            _set_up(connection, busy_timeout)
            if check_ours(connection, path, newest()) < newest():
                connection = _copied(connection, path, busy_timeout)
        except driver.Error:
            connection.close()
            if mode is modes[-1]:
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError("unreachable")


def _copied(connection: Connection, path: str, busy_timeout: float) -> Connection:
    """Return a copy in memory of a file of an older version, brought up to date; the file is closed."""
    copy = driver.connect(":memory:")
    try:
        connection.backup(copy)
        _set_up(copy, busy_timeout)
        tolerantly(copy, lambda open_: _bring_up_to_date(open_, path, newest()))
        return copy
    except BaseException:
        copy.close()
        raise
    finally:
        connection.close()


def _set_up(connection: Connection, busy_timeout: float) -> None:
    set_busy_timeout(connection, busy_timeout)
    connection.execute("pragma foreign_keys = on")
    connection.execute("pragma trusted_schema = off")  # the file may be somebody else's
    connection.execute("pragma temp_store = memory")
    connection.execute(f"pragma cache_size = -{CACHE_KIB}")
    filters.register(connection)
    connection.create_function("fitting", 3, _fitting, deterministic=True)


def _fitting(dtype: bytes, vector: bytes, dimension: int) -> bytes:
    """Do what `vectors.fitting` does. The name comes as bytes: as a text it could not be handed over if damaged."""
    return fitting(dtype.decode("ascii", "replace"), vector, dimension)


def set_busy_timeout(connection: Connection, seconds: float) -> None:
    """Return how long SQLite itself waits for a lock."""
    connection.execute(f"pragma busy_timeout = {int(seconds * 1000)}")


def _use_wal(connection: Connection, busy_timeout: float) -> None:
    """Switch to WAL if the file is not there yet; SQLite itself does not wait for the lock this takes.

    Where the file system cannot share memory between processes, the file keeps the mode it has.
    """

    def switch() -> None:
        if connection.execute("pragma journal_mode").fetchone()[0] != "wal":
            connection.execute("pragma journal_mode = wal").fetchone()

    _patiently(switch, busy_timeout)


def _patiently(function: Callable[[], T], seconds: float) -> T:
    """Call a function again while others hold the file, with pauses of chance length so that all get their turn."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return function()
        except driver.Error as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0.001, 0.02))


@contextmanager
def writing(connection: Connection, rounds: int = _ROUNDS) -> Iterator[None]:
    """Hold one explicit write transaction; a deferred one that reads first would fail at once in a crowd."""
    for left in reversed(range(rounds)):
        try:
            connection.execute("begin immediate")
            break
        except driver.Error as error:
            if not is_busy(error) or not left:
                raise
        time.sleep(random.uniform(0.001, 0.02))
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


@contextmanager
def writing_aside(connection: Connection) -> Iterator[None]:
    """Hold one state of the file, and write what only this connection sees; no lock is taken for that."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """Hold one state of the file through several statements."""
    connection.execute("begin")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("rollback")


def check_settings(path: object, synchronous: object, create: object) -> None:
    """Raise ConfigurationError where a setting of this backend cannot be used."""
    if path is not None and (not isinstance(path, (str, os.PathLike)) or not str(path)):
        raise ConfigurationError(f"path is {path!r}", hint="give a file name")
    if path is not None and "\x00" in str(path):
        raise ConfigurationError(f"path is {str(path)!r}, with a NUL character", hint="take it out")
    if path is not None and str(path) == ":memory:":
        raise ConfigurationError("':memory:' is no file", hint="use the backend 'memory'")
    if synchronous not in ("full", "normal"):
        raise ConfigurationError.unknown("synchronous", synchronous, ["full", "normal"])
    if not isinstance(create, bool):
        raise ConfigurationError(f"create is {create!r}", hint="give true or false")
