"""A plug-in for sqlite-utils: our files open there with the vector index readable.

`sqlite-utils tables FILE --counts` fails on any file with a `vec0` table as long as sqlite-vec is not loaded. This
hook loads it into each connection that sqlite-utils opens in the same environment: some 0.2 ms, and nothing is
imported for it. Where it cannot be loaded, the connection stays as it was.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sqlite_utils import hookimpl

from agent_memory.storage.sqlite import driver


@hookimpl
def prepare_connection(conn: Any) -> None:
    """Load sqlite-vec into a connection that can load extensions.

    Args:
        conn: a connection of whichever SQLite driver sqlite-utils uses.
    """
    file = driver.vector_extension()
    if file is None or not hasattr(conn, "enable_load_extension"):
        return
    # The error of the connection's own driver: those of two drivers have no class in common. It is raised for an
    # extension that was built for another machine, and by a driver that was told to load none.
    with suppress(conn.Error):
        conn.enable_load_extension(True)
        try:
            conn.load_extension(str(file.with_suffix("")))
        finally:
            conn.enable_load_extension(False)
