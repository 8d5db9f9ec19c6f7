"""Opening a file, creating it private, bringing it up to date, and turning the driver's errors into ours."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_memory.errors import BackendError, ConfigurationError, IntegrityError, StoreBusyError
from agent_memory.paths import private_folder
from agent_memory.storage.interim import driver
from agent_memory.storage.interim.driver import Connection

APPLICATION_ID = 0x41474D31  # "AGM1"
BUSY_TIMEOUT = 10.0  # seconds; commits take milliseconds, so this is a crowd of thousands


def open_file(path: str, *, busy_timeout: float, synchronous: str) -> tuple[Connection, bool]:
    """Open a store's file, creating it if need be, and return the connection and whether it can be written."""
    target = Path(path)
    created = path != ":memory:" and _create_private(target)
    try:
        with translated(path):
            return _prepared(path, busy_timeout, synchronous), True
    except BackendError as error:
        if created or not _read_only(error.__cause__):
            raise
    with translated(path):
        uri = target.absolute().as_uri() + (
            "?mode=ro" if os.access(target.parent, os.W_OK) else "?mode=ro&immutable=1"
        )
        connection = driver.connect(uri, uri=True)
        _set_up(connection, busy_timeout)
        _check_identity(connection, path)
        return connection, False


def _create_private(path: Path) -> bool:
    """Make an empty file that only this user can read, before SQLite makes one that others can."""
    private_folder(path.parent)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise BackendError(
            f"cannot create {path}: {error.strerror}", hint="give another --db PATH"
        ) from error
    return True


def _prepared(path: str, busy_timeout: float, synchronous: str) -> Connection:
    connection = driver.connect(path, timeout=busy_timeout)
    try:
        _set_up(connection, busy_timeout)
        _use_wal(connection, busy_timeout)
        connection.execute(f"pragma synchronous = {synchronous}")
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: Connection, busy_timeout: float) -> None:
    connection.execute(f"pragma busy_timeout = {int(busy_timeout * 1000)}")
    connection.execute("pragma foreign_keys = on")


def _use_wal(connection: Connection, busy_timeout: float) -> None:
    """Switch to WAL if the file is not there yet; SQLite itself does not wait for the lock this takes."""
    deadline = time.monotonic() + busy_timeout
    while connection.execute("pragma journal_mode").fetchone()[0] != "wal":
        try:
            if connection.execute("pragma journal_mode = wal").fetchone()[0] in ("wal", "memory"):
                return
        except driver.Error as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


# --- migrations ------------------------------------------------------------------------------------------------


def migrations() -> list[tuple[int, str]]:
    """List the numbered schema changes, in order."""
    named = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
    return [(int(path.name.partition("_")[0]), path.read_text(encoding="utf-8")) for path in named]


def migrate(connection: Connection, path: str, steps: list[tuple[int, str]] | None = None) -> None:
    """Bring a file up to the newest schema; several processes may try at once."""
    version = _check_identity(connection, path)
    steps = migrations() if steps is None else steps
    newest = steps[-1][0]
    if version > newest:
        raise IntegrityError(
            f"{path} was written by a newer version (schema {version}, this one knows {newest})",
            hint="upgrade this program",
        )
    if version == newest:
        return
    connection.execute("begin immediate")
    try:
        version = connection.execute("pragma user_version").fetchone()[0]
        for number, sql in steps:
            if number > version:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"pragma user_version = {number}")
        connection.execute(f"pragma application_id = {APPLICATION_ID}")
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _check_identity(connection: Connection, path: str) -> int:
    """Return the schema version of a file that is ours, 0 for an empty one."""
    version = int(connection.execute("pragma user_version").fetchone()[0])
    application = connection.execute("pragma application_id").fetchone()[0]
    if application == APPLICATION_ID:
        return version
    if version or application or connection.execute("select count(*) from sqlite_master").fetchone()[0]:
        raise IntegrityError(f"{path} is a database of another program", hint="give another --db PATH")
    return 0


def _statements(sql: str) -> Iterator[str]:
    """Cut a script into statements; `executescript` would commit the transaction it runs in."""
    pending = ""
    for line in sql.splitlines(keepends=True):
        pending += line
        if driver.module.complete_statement(pending):
            yield pending
            pending = ""


# --- errors ----------------------------------------------------------------------------------------------------


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what the driver raises into our errors, keeping the cause."""
    try:
        yield
    except driver.Error as error:
        raise _ours(error, path) from error


def _ours(error: Exception, path: str) -> BackendError:
    said = str(error)
    if "locked" in said or "busy" in said:
        return StoreBusyError(path)
    if "not a database" in said or "malformed" in said:
        return IntegrityError(
            f"{path} is damaged or not a database", hint="restore it from a backup, or move it away"
        )
    if _read_only(error):
        return BackendError(
            f"{path} cannot be written", hint="check the permissions of the file and its folder"
        )
    if "full" in said:
        return BackendError(
            f"the disk of {path} is full", hint="make room and try again; nothing was written"
        )
    if "unable to open" in said:
        return BackendError(f"cannot open {path}", hint="check that the folder exists and may be written")
    return BackendError(f"{path}: {said}", hint="`agentmem doctor` may know more")


def _read_only(error: BaseException | None) -> bool:
    said = str(error)
    return "readonly" in said or "read-only" in said or "unable to open" in said


def check_settings(path: object, busy_timeout: object, synchronous: object) -> None:
    """Raise ConfigurationError where a setting of this backend cannot be used."""
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(f"path is {path!r}", hint="give a file name")
    if not isinstance(busy_timeout, (int, float)) or isinstance(busy_timeout, bool) or busy_timeout < 0:
        raise ConfigurationError(f"busy_timeout is {busy_timeout!r}", hint="give seconds, such as 10")
    if synchronous not in ("full", "normal"):
        raise ConfigurationError.unknown("synchronous", synchronous, ["full", "normal"])
