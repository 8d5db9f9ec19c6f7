"""What is remembered of texts that are not embedded whole: how far they came, and why they came no further."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import TextHash
from agent_memory.vectors import Vector, split_vectors


async def read(
    connection: Connection, scope: Scope, space_id: int, digests: Collection[TextHash]
) -> dict[TextHash, Attempt]:
    """Return the attempts at texts, by hash."""
    query = (
        "select text_hash, kept, segment, piece, reason, failed_at from embedding_attempt"
        f" where agent = {scope.number} and space = {space_id} and text_hash = any(%s)"
    )
    return {
        TextHash(bytes(digest)): Attempt(
            kept=kept, part=part, segment=segment, reason=reason, failed_at=failed_at
        )
        for digest, kept, part, segment, reason, failed_at in await fetch(connection, query, [list(digests)])
    }


async def segments(
    connection: Connection, scope: Scope, space: EmbeddingSpace, digest: TextHash
) -> list[Vector]:
    """Return the vectors kept of a text, in order; none if they are not all there."""
    attempt = (await read(connection, scope, space.id, [digest])).get(digest)
    query = (
        f"select vectors from embedding_part where agent = {scope.number} and space = {space.id}"
        " and text_hash = %s order by first"
    )
    flat = b"".join(bytes(row[0]) for row in await fetch(connection, query, [digest]))
    result = split_vectors(flat, space.dimension)
    return result if attempt is not None and len(result) == attempt.kept else []


async def keep(
    connection: Connection,
    scope: Scope,
    space: EmbeddingSpace,
    attempts: Mapping[TextHash, Attempt],
    new: Mapping[TextHash, Sequence[Vector]],
) -> None:
    """Keep attempts that follow upon those kept, and their new vectors. Call it under the agent's lock.

    Raises:
        ValidationError: a vector has another dimension than the space.
    """
    if any(len(vector) != 4 * space.dimension for text_vectors in new.values() for vector in text_vectors):
        raise ValidationError(
            f"a vector does not have the {space.dimension} dimensions of this store's space",
            hint="embed with the embedder that the store was made with",
        )
    before = await read(connection, scope, space.id, attempts.keys())
    mine = f"agent = {scope.number} and space = {space.id}"
    query = f"select text_hash from embedding where {mine} and piece = 0 and text_hash = any(%s)"
    embedded = {TextHash(bytes(row[0])) for row in await fetch(connection, query, [list(attempts)])}
    for digest, attempt in attempts.items():
        added = new.get(digest, ())
        if digest in embedded or not attempt.follows(before.get(digest, Attempt()), len(added)):
            continue
        if attempt.kept == 0:
            await connection.execute(
                f"delete from embedding_attempt where {mine} and text_hash = %s", (digest,)
            )
        await connection.execute(
            "insert into embedding_attempt (agent, space, text_hash, kept, segment, piece, reason, failed_at)"
            f" values ({scope.number}, {space.id}, %s, %s, %s, %s, %s, %s)"
            " on conflict (agent, space, text_hash) do update set kept = excluded.kept, segment = excluded.segment,"
            " piece = excluded.piece, reason = excluded.reason, failed_at = excluded.failed_at",
            (
                digest,
                attempt.kept,
                attempt.part,
                attempt.segment,
                None if attempt.reason is None else attempt.reason.replace("\0", ""),
                attempt.failed_at,
            ),
        )
        if added and attempt.kept:
            await connection.execute(
                "insert into embedding_part (agent, space, text_hash, first, vectors)"
                f" values ({scope.number}, {space.id}, %s, %s, %s)",
                (digest, attempt.kept - len(added), b"".join(added)),
            )


async def settled(
    connection: Connection, scope: Scope, space: EmbeddingSpace, digests: Collection[TextHash]
) -> None:
    """Forget the attempts at texts that are embedded now."""
    await connection.execute(
        f"delete from embedding_attempt where agent = {scope.number} and space = {space.id}"
        " and text_hash = any(%s)",
        (list(digests),),
    )


async def forget_unused(connection: Connection, scope: Scope) -> None:
    """Forget the attempts at texts that no memory has any more."""
    await connection.execute(
        f"delete from embedding_attempt as a where a.agent = {scope.number} and not exists"
        f" (select 1 from memory as m where m.agent = {scope.number} and m.embedded_hash = a.text_hash)"
    )


def pending_condition(scope: Scope, space_id: int | str | None, failed: bool | None) -> Sql:
    """Return the SQL condition on `memory as m` for live texts without vectors in a space, and its values.

    `space_id` may be a query for the id. With `failed`, for those that could not be embedded, or with False for the
    others.
    """
    live = f"m.agent = {scope.number} and m.status = 'active' and (m.expires_at is null or m.expires_at > %s)"
    if space_id is None:
        return f"{live}{' and false' if failed else ''}", [clock.now()]
    of_text = f"e.agent = {scope.number} and e.space = {space_id} and e.text_hash = m.embedded_hash"
    parts = [live, f"not exists (select 1 from embedding as e where {of_text} and e.piece = 0)"]
    if failed is not None:
        tried = f"exists (select 1 from embedding_attempt as e where {of_text} and e.reason is not null)"
        parts.append(tried if failed else f"not {tried}")
    return " and ".join(parts), [clock.now()]
