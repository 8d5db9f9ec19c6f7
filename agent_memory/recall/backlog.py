"""Embedding everything that is pending in a store, and reporting what could not be embedded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from agent_memory.embeddings.base import Embedder
from agent_memory.recall.pending import EmbeddingJob, Progress
from agent_memory.records import MemoryRecord
from agent_memory.storage.base import EmbeddingSpace, Store, vector_store
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash

GROUP: Final = 256
"""Memories that are read from a store at once."""


class Failure(NamedTuple):
    """A memory whose text could not be embedded, and is found by words only."""

    id: str
    reason: str
    at: datetime | None
    """When that was found."""


def texts_of(records: Iterable[MemoryRecord]) -> dict[TextHash, str]:
    """Return what is embedded of memories, by its hash."""
    return {embedding_hash(text): text for text in map(embedded_text, records)}


async def fill(
    store: Store, embedder: Embedder, space: EmbeddingSpace, limit: int | None, progress: Progress | None
) -> int:
    """Embed what is pending in a space, newest first, then try once more what failed before.

    Returns:
        How many texts were embedded, at most `limit`.

    Raises:
        EmbeddingError: the embedder does not work for any text; what was done until then is stored.
    """
    job = EmbeddingJob(store, embedder, space, progress=progress)
    failed = await vector_store(store).pending(
        await vector_store(store).pending_count(space, failed=True), space, failed=True
    )
    done = 0

    def room(most: int) -> int:
        return most if limit is None else min(most, limit - done)

    waiting = await vector_store(store).pending_count(
        space, failed=False
    )  # once: some backends count by reading
    while size := room(GROUP):
        records = await vector_store(store).pending(size, space, failed=False)
        if not records:
            break
        waiting = max(0, waiting - len(records))
        job.expect(waiting + len(failed))
        failures = len(job.failures)
        made = await job.run(texts_of(records))
        done += made
        if not made and len(job.failures) == failures:
            break  # somebody else is at them
    while failed and (size := room(GROUP)):
        records, failed = failed[:size], failed[size:]
        job.expect(len(failed))
        done += await job.run(texts_of(records))
    return done


async def failures(store: Store, space: EmbeddingSpace, limit: int) -> list[Failure]:
    """List memories whose text could not be embedded in a space, newest first."""
    records = await vector_store(store).pending(limit, space, failed=True)
    attempts = await vector_store(store).attempts(space, texts_of(records).keys()) if records else {}
    known = [(record, attempts.get(embedding_hash(embedded_text(record)))) for record in records]
    return [
        Failure(item.id, attempt.reason, attempt.failed_at)
        for item, attempt in known
        if attempt is not None and attempt.reason is not None
    ]
