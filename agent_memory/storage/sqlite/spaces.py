"""Embedding spaces: sets of vectors that may be compared, of which one is current."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.sqlite import checked
from agent_memory.storage.sqlite.damage import UnreadableError, moment
from agent_memory.storage.sqlite.driver import Connection

_GIVEN = (
    "provider",
    "model",
    "revision",
    "dimension",
    "pooling",
    "query_prefix",
    "document_prefix",
    "template_version",
)
_FIELDS = ("id", *_GIVEN, "fingerprint", "created_at", "current")
_COLUMNS = tuple({"template_version": "recipe"}.get(name, name) for name in _FIELDS)


class Space(NamedTuple):
    """A space as far as reading and writing vectors needs it."""

    id: int
    dimension: int


def current_space(connection: Connection) -> Space | None:
    """Return the current space."""
    row = connection.execute("select id, dimension from embedding_space where current = 1").fetchone()
    return Space(*row) if row else None


def known_space(connection: Connection, space: EmbeddingSpace) -> Space:
    """Return a space that a caller holds, as the file has it.

    Raises:
        ValidationError: the file does not know it.
    """
    row = connection.execute(
        "select id, dimension from embedding_space where id = ? and fingerprint = ? and recipe = ?",
        (space.id, space.fingerprint, space.template_version),
    ).fetchone()
    if row is None:
        raise ValidationError(f"the store does not know the embedding space of {space}", hint="add it first")
    return Space(*row)


def spaces(connection: Connection) -> list[EmbeddingSpace]:
    """List all spaces, the current one first. One whose time is damaged counts as made at the beginning of time."""
    cursor = connection.execute(
        f"select {', '.join(_COLUMNS)} from embedding_space order by current desc, id"
    )
    return [
        EmbeddingSpace(
            **dict(zip(_FIELDS, row, strict=True))
            | {"created_at": _moment(row[-2]), "current": bool(row[-1])}
        )
        for row in cursor
    ]


def _moment(text: Any) -> datetime:
    try:
        return moment("created_at", text)
    except UnreadableError:
        return datetime.min.replace(tzinfo=UTC)


def current(connection: Connection) -> EmbeddingSpace | None:
    """Return the current space with all that is known of it."""
    first = next(iter(spaces(connection)), None)
    return first if first is not None and first.current else None


def insert_space(connection: Connection, space: EmbeddingSpace) -> tuple[int, bool]:
    """Make a space known; return its id and whether it was new."""
    known = connection.execute(
        "select id from embedding_space where fingerprint = ? and recipe = ?",
        (space.fingerprint, space.template_version),
    ).fetchone()
    if known is not None:
        return known[0], False
    values = [getattr(space, name) for name in _GIVEN]
    cursor = connection.execute(
        f"insert into embedding_space ({', '.join(_COLUMNS[1:])}) values ({', '.join('?' * (len(_GIVEN) + 3))})",
        (*values, space.fingerprint, clock.to_text(space.created_at), 0),
    )
    checked.seal(connection, "embedding_space", "id = ?", (cursor.lastrowid,))
    return cursor.lastrowid, True


def make_current(connection: Connection, space: Space) -> None:
    """Make a space the current one and note which memories have vectors in it."""
    damaged = json.dumps(list(checked.broken(connection, "embedding_space", "1")))
    connection.execute("update embedding_space set current = 0 where current = 1")
    connection.execute("update embedding_space set current = 1 where id = ?", (space.id,))
    checked.seal(connection, "embedding_space", "id not in (select value from json_each(?))", (damaged,))
    mark_embedded(connection, space)


def mark_embedded(connection: Connection, space: Space) -> None:
    """Note anew of every memory whether its vectors are there."""
    connection.execute(
        "update memory set embedded_in = found.space from (select pk, embedding.space from memory left join embedding"
        " on embedding.space = ? and embedding.text_hash = memory.embedded_hash and embedding.piece = 0) as found"
        " where found.pk = memory.pk and memory.embedded_in is not found.space",
        (space.id,),
    )
