"""What is remembered of texts that are not embedded whole: how far they came, and why they came no further."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.sqlite import driver, rows, vectors
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space, current_space, known_space
from agent_memory.vectors import Vector, split_vectors

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash

FAILED = (
    "exists (select 1 from embedding_attempt where space = ? and text_hash = memory.embedded_hash"
    " and reason is not null)"
)
"""The SQL condition on `memory` for texts that could not be embedded in a space."""
_COLUMNS = ("space", "text_hash", "kept", "segment", "piece", "reason", "failed_at")
_WHOLE = "float32"
"""What the numbers of kept vectors are stored as: they are rounded once, when the text is whole."""


def known(connection: Connection) -> bool:
    """Return whether the file has these tables; one that is read-only may be of an older version."""
    query = "select 1 from sqlite_master where name = 'embedding_attempt'"
    return connection.execute(query).fetchone() is not None


def read(connection: Connection, space_id: int, digests: Collection[TextHash]) -> dict[TextHash, Attempt]:
    """Return the attempts at texts, by hash; one that is damaged is as good as none."""
    if not known(connection):
        return {}
    result = {}
    for batch in batched(driver.blobs(digests), vectors.MOST_VALUES):
        query = (
            f"select {', '.join(_COLUMNS)}, checksum from embedding_attempt"
            f" where space = ? and text_hash in ({', '.join('?' * len(batch))})"
        )
        for *row, checksum in connection.execute(query, (space_id, *batch)):
            if rows.checksum(row) == checksum:
                _, digest, kept, part, segment, reason, failed_at = row
                moment = None if failed_at is None else clock.from_text(failed_at)
                result[digest] = Attempt(
                    kept=kept, part=part, segment=segment, reason=reason, failed_at=moment
                )
    return result


def of_texts(
    connection: Connection, space: EmbeddingSpace, digests: Collection[TextHash]
) -> dict[TextHash, Attempt]:
    """Return the attempts at texts in a space, by hash."""
    return read(connection, space.id, digests)


def segments(connection: Connection, space: EmbeddingSpace, digest: TextHash) -> list[Vector]:
    """Return the vectors kept of a text, in order; none if they are damaged or not all there."""
    known_space(connection, space)
    attempt = read(connection, space.id, [digest]).get(digest)
    if attempt is None:
        return []
    result: list[Vector] = []
    query = (
        "select first, vectors, checksum from embedding_part where space = ? and text_hash = ? order by first"
    )
    for first, flat, checksum in connection.execute(query, (space.id, digest)):
        if first != len(result) or checksum != vectors.checksum(space.id, digest, first, _WHOLE, flat):
            return []
        result += split_vectors(flat, space.dimension)
    return result if len(result) == attempt.kept else []


def keep(
    connection: Connection,
    space: EmbeddingSpace,
    attempts: Mapping[TextHash, Attempt],
    new: Mapping[TextHash, Sequence[Vector]],
) -> None:
    """Keep attempts that follow upon those kept, and their new vectors. Call it inside a write transaction.

    Raises:
        ValidationError: a vector has another dimension than the space.
    """
    known = known_space(connection, space)
    if any(len(vector) != 4 * space.dimension for text_vectors in new.values() for vector in text_vectors):
        raise ValidationError(
            f"a vector does not have the {space.dimension} dimensions of this store's space",
            hint="embed with the embedder that the store was made with",
        )
    before = read(connection, space.id, attempts.keys())
    embedded = vectors.known_hashes(connection, known, attempts.keys())
    gone = set(vectors.unused(connection, attempts.keys()))  # erased while they were embedded
    written: list[Any] = []
    parts: list[Any] = []
    for digest, attempt in attempts.items():
        added = new.get(digest, ())
        if (
            digest in embedded
            or digest in gone
            or not attempt.follows(before.get(digest, Attempt()), len(added))
        ):
            continue
        if attempt.kept == 0 or digest not in before:
            _delete_parts(connection, space.id, [digest])
        if attempt.kept and added:
            first, flat = attempt.kept - len(added), b"".join(added)
            checksum = vectors.checksum(space.id, digest, first, _WHOLE, flat)
            parts.append((space.id, digest, first, flat, checksum))
        failed_at = None if attempt.failed_at is None else clock.to_text(attempt.failed_at)
        position = (attempt.kept, attempt.part, attempt.segment)
        row = (space.id, digest, *position, attempt.reason, failed_at)
        written.append((*row, rows.checksum(row)))
    driver.insert_many(
        connection, "insert or replace into embedding_attempt", (*_COLUMNS, "checksum"), written
    )
    connection.executemany(
        "insert or replace into embedding_part (space, text_hash, first, vectors, checksum) values (?, ?, ?, ?, ?)",
        parts,
    )


def _delete_parts(connection: Connection, space_id: int, digests: Iterable[TextHash]) -> None:
    connection.executemany(
        "delete from embedding_part where space = ? and text_hash = ?",
        [(space_id, digest) for digest in digests],
    )


def settled(connection: Connection, space: Space, digests: Iterable[TextHash]) -> None:
    """Forget the attempts at texts that are embedded now."""
    if not connection.execute("select 1 from embedding_attempt limit 1").fetchone():
        return
    gone = list(digests)
    _delete_parts(connection, space.id, gone)
    connection.executemany(
        "delete from embedding_attempt where space = ? and text_hash = ?",
        [(space.id, digest) for digest in gone],
    )


def forget_unused(connection: Connection, digests: Iterable[TextHash] | None = None) -> None:
    """Forget the attempts at those of the texts that no memory has any more; None: of all texts."""
    if not connection.execute("select 1 from embedding_attempt limit 1").fetchone():
        return
    if digests is None:
        digests = [row[0] for row in connection.execute("select text_hash from embedding_attempt")]
    gone = [(digest,) for digest in vectors.unused(connection, digests)]
    connection.executemany("delete from embedding_part where text_hash = ?", gone)
    connection.executemany("delete from embedding_attempt where text_hash = ?", gone)


# --- damage ----------------------------------------------------------------------------------------------------


def integrity_errors(connection: Connection) -> Iterator[str]:
    """Tell what is not as it was written, one line for each text."""
    for space_id, digest in _damaged(connection):
        yield (
            f"text {bytes(digest).hex()}: what is kept of its embedding in space {space_id}"
            " was changed outside this program"
        )


def drop_damaged(connection: Connection) -> None:
    """Forget the attempts that are not as they were written; their texts are embedded from the beginning."""
    for space_id, digest in _damaged(connection):
        connection.execute("delete from embedding_part where space = ? and text_hash = ?", (space_id, digest))
        connection.execute(
            "delete from embedding_attempt where space = ? and text_hash = ?", (space_id, digest)
        )


def _damaged(connection: Connection) -> list[tuple[Any, Any]]:
    if not known(connection):
        return []
    damaged: dict[tuple[Any, Any], None] = {}
    query = f"select {', '.join(_COLUMNS)}, checksum from embedding_attempt"
    for *row, checksum in connection.execute(query):
        if rows.checksum(row) != checksum:
            damaged[row[0], row[1]] = None
    query = "select space, text_hash, first, vectors, checksum from embedding_part"
    for space_id, digest, first, flat, checksum in connection.execute(query):
        intact = isinstance(digest, bytes) and isinstance(flat, bytes)
        if not intact or vectors.checksum(space_id, digest, first, _WHOLE, flat) != checksum:
            damaged[space_id, digest] = None
    return list(damaged)


def pending(
    connection: Connection,
    context: ReadContext,
    limit: int,
    space: EmbeddingSpace | None,
    failed: bool | None,
) -> list[MemoryRecord]:
    """List memories without vectors in a space, newest first."""
    sql, values = _pending_in(connection, space, failed)
    query = f"{rows.SELECT} where {sql} order by {rows.CREATED} desc, memory.pk desc limit ?"
    return rows.records(connection, connection.execute(query, (*values, limit)).fetchall(), *context)


def pending_count(connection: Connection, space: EmbeddingSpace | None, failed: bool | None) -> int:
    """Count memories without vectors in a space."""
    sql, values = _pending_in(connection, space, failed)
    return int(connection.execute(f"select count(*) from memory where {sql}", values).fetchone()[0])


def _pending_in(
    connection: Connection, space: EmbeddingSpace | None, failed: bool | None
) -> tuple[str, list[Any]]:
    return pending_condition(
        connection, current_space(connection), None if space is None else space.id, failed
    )


def count(connection: Connection, current: EmbeddingSpace | None, *, failed: bool | None = None) -> int:
    """Count the memories that are pending in the current space; `failed` as in `pending_condition`."""
    space = None if current is None else Space(current.id, current.dimension)
    sql, values = pending_condition(connection, space, None, failed)
    return int(connection.execute(f"select count(*) from memory where {sql}", values).fetchone()[0])


def pending_condition(
    connection: Connection, space: Space | None, space_id: int | None, failed: bool | None
) -> tuple[str, list[Any]]:
    """Return the SQL condition on `memory` for texts without vectors in a space, and its values.

    `space` is the current one, `space_id` the one asked for, None for the current one.

    With `failed`, for those that could not be embedded, or with False for the others.
    """
    parts = ["memory.status = 'active' and (memory.expires_at is null or memory.expires_at > ?)"]
    values: list[Any] = [clock.to_text(clock.now())]
    if space_id is None or (space is not None and space.id == space_id):
        space_id = None if space is None else space.id
        parts.insert(0, "memory.embedded_in is null")
    else:
        parts.append(
            "not exists (select 1 from embedding where space = ? and text_hash = memory.embedded_hash)"
        )
        values.append(space_id)
    if failed is not None and space_id is not None and known(connection):
        parts.append(FAILED if failed else f"not {FAILED}")
        values.append(space_id)
    elif failed:
        parts.append("false")
    return " and ".join(parts), values
