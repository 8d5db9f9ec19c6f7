"""Looking into a file without opening a store: fast, never writing, never waiting long.

For listing the agents of a machine and for completing what is typed in a shell. Whatever cannot be read, because
the file is another program's, damaged, or of a newer version, is an error that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory.errors import IntegrityError
from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.connection import APPLICATION_ID, translated

_PATIENCE = 1.0  # seconds; readers wait only while a file is being created or recovered
_LIVE = "status = 'active' and (expires_at is null or expires_at > strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"


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


@contextmanager
def looking(path: Path) -> Iterator[driver.Connection]:
    """Open one of our files for reading only.

    Raises:
        BackendError: it cannot be read, or is not one of ours.
    """
    with translated(str(path)), closing(_opened(path)) as connection:
        connection.execute("pragma query_only = on")
        if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
            raise IntegrityError(f"{path} is not a memory", hint="move it away, or give another file")
        yield connection


def _opened(path: Path) -> driver.Connection:
    # Not `mode=ro`: such a connection cannot tidy up behind itself, and leaves a -wal and a -shm file.
    uri = path.absolute().as_uri()
    connection = driver.connect(f"{uri}?mode=rw", uri=True, timeout=_PATIENCE)
    try:
        connection.execute("select 1 from sqlite_master").fetchone()
        return connection
    except driver.Error:
        connection.close()
    try:
        connection = driver.connect(f"{uri}?mode=ro", uri=True, timeout=_PATIENCE)
        connection.execute("select 1 from sqlite_master").fetchone()
        return connection
    except driver.Error:
        connection.close()
    return driver.connect(f"{uri}?mode=ro&immutable=1", uri=True, timeout=_PATIENCE)


def contents(path: Path) -> Contents:
    """Read what a file says of itself."""
    with looking(path) as connection:
        one = lambda sql: connection.execute(sql).fetchone()  # noqa: E731
        agent = one("select value from setting where name = 'agent_id'")
        space = one("select provider, model, dimension from embedding_space where current = 1")
        return Contents(
            agent_id=str(agent[0]) if agent else "default",
            schema_version=int(one("pragma user_version")[0]),
            bytes=int(one("pragma page_count")[0] * one("pragma page_size")[0]),
            memories=dict(connection.execute(f"select type, count(*) from memory where {_LIVE} group by type")),
            last_write=one("select max(started_at) from operation")[0],
            embedded_with=f"{space[0]} ({space[1]}, {space[2]} dimensions)" if space else None,
        )


# --- values to complete with -----------------------------------------------------------------------------------

_VALUES = {
    "ids": f"select id, content from memory where {_LIVE} and id like :begin order by created_at desc",
    "tags": "select tag, count(*) || ' memories' from memory_tag where tag like :begin escape '\\' group by tag"
    " order by count(*) desc",
    "sessions": "select conversation_id, count(*) || ' messages' from conversation"
    " where conversation_id like :begin escape '\\' group by conversation_id order by max(memory) desc",
    "skills": f"select name, content from procedural join memory on pk = memory where {_LIVE}"
    " and name like :begin escape '\\' order by name",
    "documents": f"select document_id, coalesce(max(title), '') || ' ' || count(*) || ' chunks' from semantic"
    f" join memory on pk = memory where document_id is not null and {_LIVE}"
    " and document_id like :begin escape '\\' group by document_id order by max(pk) desc",
}
KINDS = (*_VALUES, "keys")
"""What `values` can list."""
_VALUES["keys"] = f"select key, content from memory where key is not null and {_LIVE} and key like :begin escape '\\'"


def values(path: Path, kind: str, beginning: str = "", limit: int = 50) -> list[tuple[str, str]]:
    """List ids, keys, tags, sessions, skills or documents that begin so, each with a word on what it is."""
    escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    given: dict[str, Any] = {"begin": f"{escaped}%", "limit": limit}
    with looking(path) as connection:
        return [(str(value), str(about)) for value, about in connection.execute(f"{_VALUES[kind]} limit :limit", given)]
