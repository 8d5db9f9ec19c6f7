"""Looking into a file without opening a store: fast, never writing, never waiting long.

For listing the agents of a machine and for completing what is typed in a shell. Whatever cannot be read, because
the file is another program's, damaged, or of a newer version, is an error that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory import clock, filesystem
from agent_memory.errors import IntegrityError, MemoryNotFoundError, StoreBusyError
from agent_memory.storage.sqlite import driver, ownership
from agent_memory.storage.sqlite.connection import APPLICATION_ID, translated

_PATIENCE = 1.0  # seconds; readers wait only while a file is being created or recovered
_HOWEVER_SHORT = ("pragma writable_schema = on", "pragma application_id")
"""What a file can be asked that has lost its end: so SQLite does not mind."""
_LIVE = "status = 'active' and (expires_at is null or expires_at > :now)"


class Contents(NamedTuple):
    """What a file says of itself."""

    agent_id: str
    schema_version: int
    bytes: int
    memories: dict[str, int]
    """Live memories per type; types without any are left out."""
    last_write: str | None
    """ISO-8601 in UTC; None before the first."""
    embedded_with: str | None
    former_agent_id: str | None
    """The agent's id before it was renamed."""


@contextmanager
def looking(path: Path) -> Iterator[driver.Connection]:
    """Open one of our files for reading only.

    Yields:
        A connection that only reads.

    Raises:
        BackendError: it cannot be read, or is not one of ours.
        IntegrityError: it is a file of another program.
    """
    with translated(str(path)), closing(_opened(path)) as connection:
        connection.execute("pragma query_only = on")
        if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
            what = "is not a memory" if filesystem.file_size(path) else "is empty, and no memory yet"
            raise IntegrityError(f"{path} {what}", hint="move it away, or give another file")
        yield connection


def deletable(path: Path) -> bool:
    """Return whether a file is one of ours, however damaged, or empty: whether nobody else can miss it.

    Raises:
        BackendError: it cannot be read, or is no file.
    """
    try:
        if not ownership.check_there(path) or not filesystem.file_size(path):
            return True
        with translated(str(path)), closing(_opened(path, *_HOWEVER_SHORT)) as connection:
            return bool(connection.execute("pragma application_id").fetchone()[0] == APPLICATION_ID)
    except IntegrityError:
        return False


def is_database(path: Path) -> bool:
    """Return whether a file is a database, of whichever program; a damaged or locked one is.

    Raises:
        BackendError: it is no file, or may not be read.
    """
    try:
        with translated(str(path)), closing(_opened(path)):
            return filesystem.file_size(path) != 0
    except StoreBusyError:
        return True
    except IntegrityError as error:
        return "not a database" not in str(error.__cause__ or error)


def _opened(path: Path, *questions: str) -> driver.Connection:
    if not ownership.check_there(path):
        raise MemoryNotFoundError(str(path), what="memory file")
    # `mode=rw` first, though nothing is written: a `mode=ro` connection cannot tidy up behind itself, and leaves
    # a -wal and a -shm file. In a folder that may not be written, only a file taken as unchanging can be read.
    for mode in ("mode=rw", "mode=ro", "mode=ro&immutable=1"):
        try:
            connection = driver.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_PATIENCE)
        except driver.Error:
            if "immutable" in mode:
                raise
            continue
        try:
            for question in questions or ("select 1 from sqlite_master",):
                connection.execute(question).fetchone()
            return connection
        except driver.Error:
            connection.close()
            if "immutable" in mode:
                raise
    raise AssertionError("unreachable")


def contents(path: Path) -> Contents:
    """Read what a file says of itself."""
    counts = f"select type, count(*) from memory where {_LIVE} group by type order by type"
    with looking(path) as connection:

        def one(sql: str) -> Any:
            return connection.execute(sql).fetchone()

        names = ownership.names_in(connection, path)
        space = one("select provider, model, dimension from embedding_space where current = 1")
        return Contents(
            agent_id=names.agent or "default",
            schema_version=int(one("pragma user_version")[0]),
            bytes=int(one("pragma page_count")[0] * one("pragma page_size")[0]),
            memories=dict(connection.execute(counts, {"now": clock.to_text(clock.now())}).fetchall()),
            last_write=one("select max(started_at) from operation")[0],
            embedded_with=f"{space[0]} ({space[1]}, {space[2]} dimensions)" if space else None,
            former_agent_id=names.former,
        )


# --- values to complete with -----------------------------------------------------------------------------------

_LIKE = "like :begin escape '\\'"
_VALUES = {
    "ids": f"select id, content from memory where {_LIVE} and id {_LIKE} order by created_at desc",
    "keys": f"select key, content from memory where {_LIVE} and key {_LIKE} order by created_at desc",
    "working": "select key, value from short_term join memory on pk = memory"
    f" where {_LIVE} and kind = 'working' and key {_LIKE} order by updated_at desc",
    "categories": "select category, content from long_term join memory on pk = memory"
    f" where {_LIVE} and kind = 'preference' and category {_LIKE} group by category order by category",
    "tags": "select tag, count(*) || iif(count(*) = 1, ' memory', ' memories')"
    f" from memory_tag where tag {_LIKE} group by tag order by count(*) desc",
    "sessions": "select conversation_id, count(*) || iif(count(*) = 1, ' message', ' messages')"
    f" from conversation where conversation_id {_LIKE}"
    " group by conversation_id order by max(memory) desc",
    "skills": f"select name, content from procedural join memory on pk = memory where {_LIVE} and name {_LIKE}"
    " order by name",
    "documents": "select document_id, coalesce(max(title), min(content)) from semantic join memory on pk = memory"
    f" where {_LIVE} and document_id {_LIKE} group by document_id order by max(pk) desc",
}
KINDS = tuple(_VALUES)
"""What `values` can list."""


def values(path: Path, kind: str, beginning: str = "", limit: int = 1000) -> list[tuple[str, str]]:
    """List what of a kind begins so, each with a word on what it is."""
    escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    parameters: dict[str, Any] = {"begin": f"{escaped}%", "limit": limit, "now": clock.to_text(clock.now())}
    with looking(path) as connection:
        rows = connection.execute(f"{_VALUES[kind]} limit :limit", parameters).fetchall()
    return [(str(value), str(about)) for value, about in rows]
