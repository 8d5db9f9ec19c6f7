"""Choosing the SQLite library, once per process: nothing else in this program imports one.

Some Pythons come with a `sqlite3` that cannot load extensions; `pysqlite3` and `sqlean` can. One file is never
opened by two SQLite libraries in one process: closing a file in one drops the other's locks
(https://www.sqlite.org/howtocorrupt.html, section 2.2).

`AGENTMEM_SQLITE_DRIVER` names one of the three and overrides the choice; `AGENTMEM_NO_VECTOR_INDEX` does without
sqlite-vec.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from agent_memory.errors import ConfigurationError

VARIABLE = "AGENTMEM_SQLITE_DRIVER"
NAMES = ("sqlite3", "pysqlite3", "sqlean")
_STEPS_OF_SQLITE = 1_000_000
"""Between two of which a signal waits: a few hundredths of a second."""
Connection = Any
"""A connection of whichever library was chosen; their classes have no common base."""


def _loads_extensions(module: ModuleType) -> bool:
    return hasattr(module.Connection, "enable_load_extension")


def pick() -> ModuleType:
    """Import the library to use: the standard one if it can load extensions, else a stand-in that can.

    Where none can, the standard one: vectors are then compared without an index.

    Returns:
        The module of the library.

    Raises:
        ConfigurationError: the environment names an unknown library, or one that is not installed.
    """  # noqa: DOC501
    if wanted := os.environ.get(VARIABLE):
        if wanted not in NAMES:
            raise ConfigurationError.unknown(VARIABLE, wanted, NAMES)
        try:
            return import_module(wanted)
        except ImportError as error:
            raise ConfigurationError(
                f"{VARIABLE} names {wanted}, which is not installed", hint=f"install it, or unset {VARIABLE}"
            ) from error
    standard = import_module("sqlite3")
    if _loads_extensions(standard):
        return standard
    for name in NAMES[1:]:
        try:
            module = import_module(name)
        except ImportError:
            continue
        if _loads_extensions(module):
            return module
    return standard


module = pick()
Error: type[Exception] = module.Error


def name() -> str:
    """Return the chosen library's name and SQLite's version."""
    return f"{module.__name__} {module.sqlite_version}"


def connect(path: str, **options: Any) -> Connection:
    """Open a connection that any thread may use and that begins no transaction by itself."""
    connection = module.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256, **options
    )
    if threading.current_thread() is threading.main_thread():
        # Python answers a signal between steps of its own, on this thread: in the midst of a statement it needs one.
        connection.set_progress_handler(_step_of_python, _STEPS_OF_SQLITE)
    return connection


def _step_of_python() -> int:
    return 0  # go on


def insert_many(
    connection: Connection, into: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows: `into` is how the statement begins, as in `insert into memory`.

    For every None and every `bytes` that it binds, the library looks for an adapter that is not there: 1 to 3 µs,
    as much as the rest of a row takes. So columns that are empty in all rows are left out, and stay NULL: they must
    have no other default. BLOBs go as `bytearray`, which is bound as it is.
    """
    if not rows:
        return
    filled: dict[str, Iterable[Any]] = {}
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        kinds = set(map(type, values))
        if kinds != {type(None)}:
            filled[name] = map(bytearray, values) if kinds == {bytes} else values
    statement = f"{into} ({', '.join(filled)}) values ({', '.join('?' * len(filled))})"
    connection.executemany(statement, zip(*filled.values(), strict=True))


def blobs(values: Iterable[bytes]) -> list[bytearray]:
    """Return BLOBs as the library binds them fastest; see `insert_many`."""
    return list(map(bytearray, values))


def vector_extension() -> Path | None:
    """Return where sqlite-vec's library is, found without importing its package, which would import numpy."""
    if not _loads_extensions(module) or os.environ.get("AGENTMEM_NO_VECTOR_INDEX"):
        return None
    spec = find_spec("sqlite_vec")
    for position in (spec.submodule_search_locations or ()) if spec else ():
        for suffix in (".so", ".dylib", ".dll"):
            if (file := Path(position, "vec0" + suffix)).is_file():
                return file
    return None


def load_vector_extension(connection: Connection) -> bool:
    """Load sqlite-vec into a connection; False where that is not possible."""
    file = vector_extension()
    if file is None:
        return False
    try:
        connection.enable_load_extension(True)
        try:
            connection.load_extension(str(file.with_suffix("")))
        finally:
            connection.enable_load_extension(False)
    except Error:  # built for another processor or C library
        return False
    return True
