"""Opening a copy of a damaged file, with what stands in the way of reading put right in the copy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from agent_memory import temporary
from agent_memory.errors import IntegrityError
from agent_memory.storage.sqlite import driver, ownership
from agent_memory.storage.sqlite.connection import PAGE_SIZE
from agent_memory.storage.sqlite.damage import marking
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.migrate import migrate

_MAGIC: Final = b"SQLite format 3\0"
_SIZES: Final = (PAGE_SIZE, 4096, 1024, 16384, 32768, 65536, 2048, 512)
_VERSION: Final = slice(60, 64)  # `pragma user_version` in the header
_CHANGED_FORM: Final = 3  # the version of the schema from which on rows are in the present form


class Source(NamedTuple):
    """A copy of a damaged file that can be read."""

    connection: Connection
    first_form: bool
    """Whether its rows are as the first versions of this program wrote them."""


@contextmanager
def opened(path: Path, folder: Path) -> Iterator[Source]:
    """Copy a file into a folder of its own beside the new one, and open the copy; it is deleted afterwards.

    Yields:
        The copy, open for reading.

    Raises:
        IntegrityError: not even the list of its tables can be read.
    """
    with (
        tempfile.TemporaryDirectory(prefix=".salvage-", dir=folder) as beside,
        temporary.registered(beside),
    ):
        copy = Path(beside, "copy.db")
        for suffix in ("", *ownership.BESIDE):
            part = ownership.beside(path, suffix) if suffix else path
            if part.exists() and suffix != "-shm":
                shutil.copyfile(part, ownership.beside(copy, suffix) if suffix else copy)
        version = int.from_bytes(_header(copy)[_VERSION], "big")
        connection = _readable(copy)
        if connection is None:
            raise IntegrityError(
                f"the list of tables in {path} cannot be read", hint="restore it from a backup"
            )
        try:
            yield Source(connection, first_form=0 < version < _CHANGED_FORM)
        finally:
            connection.close()


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100).ljust(100, b"\0")


def _readable(copy: Path) -> Connection | None:
    """Open a file with its own header, else with one made for each size of page that there may be."""
    own_header = _header(copy)
    for header in (own_header, *(_mended(own_header, size) for size in _SIZES)):
        with copy.open("r+b") as file:
            file.write(header)
        with suppress(driver.Error):
            if (connection := _opened(copy)) is not None:
                return connection
    return None


def _mended(header: bytes, size: int) -> bytes:
    """Return the header of a database of ours with pages of a size, as far as the given one need not be believed."""
    mended = bytearray(header)
    mended[:16] = _MAGIC
    mended[16:18] = (size if size < 65536 else 1).to_bytes(2, "big")
    mended[18:24] = bytes((2, 2, 0, 64, 32, 32))
    mended[28:40] = bytes(12)  # how many pages, which SQLite then takes from the file, and no free ones
    mended[44:48] = (4).to_bytes(4, "big")
    mended[52:60] = bytes((0, 0, 0, 0, 0, 0, 0, 1))  # no automatic vacuum; UTF-8
    return bytes(mended)


def _opened(copy: Path) -> Connection | None:
    _mend_schema(copy)
    connection = _connected(copy)
    try:
        if connection.execute("select 1 from sqlite_master where name in ('memory', 'journal')").fetchone():
            return connection
    except driver.Error:
        pass
    connection.close()
    return None


def _connected(path: Path) -> Connection:
    connection = driver.connect(str(path))
    # With this SQLite reads a file that is shorter than it should be, and leaves out tables whose definition it
    # cannot understand, instead of refusing all.
    connection.execute("pragma writable_schema = on")
    connection.execute("pragma trusted_schema = off")
    connection.text_factory = marking
    return connection


def _mend_schema(copy: Path) -> None:
    """Give every table the definition that it has in a new file; columns were only ever added at the end."""
    connection = _connected(copy)
    try:
        entries: list[tuple[int, object, object, object]] = []
        with suppress(driver.Error):  # what was read before an error is enough for some tables
            entries.extend(connection.execute("select rowid, type, name, sql from sqlite_master"))
        for name, sql in _tables().items():
            begins = f"CREATE TABLE {name} ".lower()
            rows = [row for row in entries if row[2] == name] or [
                row for row in entries if isinstance(row[3], str) and row[3].lower().startswith(begins)
            ]
            if rows and rows[0][1:] != ("table", name, sql):
                connection.execute(
                    "update sqlite_master set type = 'table', name = ?, tbl_name = ?, sql = ? where rowid = ?",
                    (name, name, sql, rows[0][0]),
                )
    finally:
        connection.close()


def _tables() -> dict[str, str]:
    """Return the definitions of the tables in a new file, by name; not those of the full-text index."""
    connection = driver.connect(":memory:")
    try:
        migrate(connection)
        query = "select name, sql from sqlite_master where type = 'table' and name not like 'memory_fts%'"
        return dict(connection.execute(query).fetchall())
    finally:
        connection.close()
