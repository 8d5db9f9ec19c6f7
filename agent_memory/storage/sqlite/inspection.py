"""Reading a store's file in SQL, and nothing but reading.

Three guards, each enough for itself: the file is opened with `mode=ro`, the connection is `query_only`, and an
authorizer refuses every action that is not on a list of reading ones. The first two cannot stop `attach`, which
makes files, and `load_extension`, which runs code; the third does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from agent_memory import filesystem
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    StoreBusyError,
    ValidationError,
)
from agent_memory.hints import Hint
from agent_memory.storage.sqlite import driver, filters, ownership
from agent_memory.storage.sqlite.errors import is_busy, translated
from agent_memory.storage.sqlite.migrate import APPLICATION_ID

BUSY_TIMEOUT: Final = 10.0  # seconds; a reader waits only while a file is being created or recovered
_READ_ONLY_MODES = ("mode=ro", "mode=ro&immutable=1")
"""The second for a folder in which nothing can be made: there SQLite cannot read a WAL file otherwise."""
_OK, _DENY = 0, 1
_PRAGMA, _UPDATE, _FUNCTION = 19, 23, 31
_SCHEMA: Final = frozenset({"sqlite_master", "sqlite_temp_master"})
"""SQLite before 3.41 says that it updates these where it declares a virtual table, to read it. Whoever wants to do so
needs an action that is refused as well: creating, dropping, altering, or the pragma `writable_schema`."""
_READING: Final = frozenset({20, 21, 22, 32, 33})
"""READ, SELECT, TRANSACTION, SAVEPOINT and RECURSIVE in SQLite's numbers, which the oldest drivers do not name."""
_NAMED: Final = {24: "attach", 25: "detach"}
"""Refused actions that are named; every other one is writing, however it is spelt."""
_REFUSED: Final = ("not authorized", "authorization denied", "prohibited")
"""What SQLite says where the authorizer has refused something."""
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"})
_PRAGMAS_THAT_LIST: Final = frozenset(
    (
        *("table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo"),
        *("foreign_key_list", "foreign_key_check", "integrity_check", "quick_check"),
    )
)
"""They take the name of a table, or a number of rows, and change nothing."""
_PRAGMAS_THAT_TELL: Final = frozenset(
    (
        *("application_id", "collation_list", "compile_options", "data_version", "database_list", "encoding"),
        *("freelist_count", "function_list", "journal_mode", "module_list", "page_count", "page_size"),
        *("pragma_list", "query_only", "schema_version", "user_version"),
    )
)
"""They tell something without a value, and may change it with one."""


class Reader:
    """A connection that can only read, and the reason for its latest refusal."""

    def __init__(self, connection: driver.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path
        self._refused: str | None = None
        connection.set_authorizer(self._authorize)

    def _authorize(self, action: int, first: Any, second: Any, database: Any, inner: Any) -> int:
        if action in _READING or (action == _UPDATE and str(first) in _SCHEMA):
            return _OK
        if action == _FUNCTION:
            what = str(second).lower()
            allowed = what not in _FORBIDDEN_FUNCTIONS
        elif action == _PRAGMA:
            name = str(first).lower()
            what = f"pragma {name}" if second is None else f"pragma {name} with a value"
            allowed = name in _PRAGMAS_THAT_LIST or (second is None and name in _PRAGMAS_THAT_TELL)
        else:
            what, allowed = _NAMED.get(action, "writing"), False
        if allowed:
            return _OK
        self._refused = what
        return _DENY

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what goes wrong with somebody's statement into our errors.

        Raises:
            PolicyError: the statement would do more than read.
            ValidationError: SQLite does not understand it, or it fails as it runs.
            StoreBusyError: others hold the file.
            IntegrityError: the file is damaged.
        """  # noqa: DOC501
        self._refused = None
        try:
            yield
        except (driver.Error, driver.module.Warning) as error:
            raise self._ours(error) from error
        except ValueError as error:  # sqlite-utils: no rows; the driver: a NUL character
            if isinstance(error, AgentMemoryError):
                raise
            raise self._no_rows(error) from error

    def _ours(self, error: Exception) -> AgentMemoryError:
        said = " ".join(str(error).split())
        if self._refused is not None and any(word in said for word in _REFUSED):
            return _refusal(self._refused)
        if "readonly database" in said or "query_only" in said:
            return _refusal("writing")
        if is_busy(error):
            return StoreBusyError(str(self.path))
        if any(word in said for word in ("malformed", "disk image", "not a database", "disk I/O")):
            return IntegrityError(f"{self.path} is damaged: {said}", hint=Hint("{CHECK} says where"))
        if "one statement at a time" in said:
            return ValidationError("there is more than one statement", hint="give one at a time")
        return ValidationError(f"SQLite says: {said}", hint=Hint("{SCHEMA} shows the tables and columns"))

    def _no_rows(self, error: ValueError) -> AgentMemoryError:
        if "returns rows" in str(error) or "return rows" in str(error):
            return PolicyError(
                "SQL may only read here, and this returns no rows", hint="begin with select or with"
            )
        return ValidationError(str(error), hint="give one SQL statement")


def _refusal(what: str) -> PolicyError:
    return PolicyError(
        f"SQL may only read here, and {what} is refused", hint="change memories with the commands for that"
    )


@contextmanager
def reading(path: Path) -> Iterator[Reader]:
    """Open one of our files for reading in SQL, sqlite-vec loaded where that is possible.

    Others may write meanwhile; a statement sees one state of the file, from its first row to its last.

    Args:
        path: the file; it is not created.

    Yields:
        The connection, and what turns its errors into ours.

    Raises:
        MemoryNotFoundError: it is not there.
        IntegrityError: it is not one of ours, or damaged.
        BackendError: it cannot be read.
    """
    if not ownership.check_there(path):
        raise MemoryNotFoundError(str(path), what="memory file", hint=Hint("{ADD} makes one"))
    beside = [ownership.beside(path, suffix) for suffix in ("-wal", "-shm")]
    were_there = any(filesystem.kind(item) for item in beside)
    try:
        with translated(str(path)), closing(_opened(path)) as connection:
            _set_up(connection)
            if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
                what = "is not a memory" if filesystem.file_size(path) else "is empty, and no memory yet"
                raise IntegrityError(f"{path} {what}", hint=Hint("give {ANOTHER_FILE}"))
            reader = Reader(connection, path)
            try:
                yield reader
            finally:
                connection.set_authorizer(None)
    finally:
        if not were_there:
            _tidy(path)


def _opened(path: Path) -> driver.Connection:
    for mode in _READ_ONLY_MODES:
        connection = driver.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=BUSY_TIMEOUT)
        try:
            connection.execute("select 1 from sqlite_master").fetchone()
        except driver.Error:
            connection.close()
            if mode is _READ_ONLY_MODES[-1]:
                raise
        else:
            return connection
    raise BackendError(f"cannot open {path}")  # pragma: no cover - the loop has returned or raised


def _set_up(connection: driver.Connection) -> None:
    connection.execute(f"pragma busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
    connection.execute("pragma trusted_schema = off")  # the file may be somebody else's
    connection.execute("pragma temp_store = memory")
    driver.load_vector_extension(connection)
    filters.register(connection)
    connection.execute("pragma query_only = on")


def _tidy(path: Path) -> None:
    """Take away the two files that a reader leaves beside a WAL file: only one that may write can do so."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with suppress(driver.Error, OSError), closing(driver.connect(uri, uri=True, timeout=0)) as connection:
        connection.execute("select 1 from sqlite_master").fetchone()
