"""What a document store has still to embed, and what it remembers of texts that are not embedded whole."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents.attempts import Attempts, name_of, vectors_of
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.head import Head, check_vector, check_vectors
from agent_memory.storage.documents.hooks import DocumentHooks, Pieces
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.writing import Writing, begin
from agent_memory.storage.where import Where

T = TypeVar("T")
_EVERYTHING = Where(statuses=(), expired=None)


class PendingTexts(DocumentHooks):
    """The part of `DocumentStore` that knows what is owed."""

    @abstractmethod
    async def _head(self) -> Head:
        """Read the head."""

    @abstractmethod
    def _admitted(self, query: Query) -> AsyncIterator[Document]:
        """Go through the documents that a query admits."""

    @abstractmethod
    async def _written(self, prepare: Callable[[], Awaitable[tuple[Writing, T]]]) -> T:
        """Plan a write and write it, until nobody was faster."""

    @abstractmethod
    async def _embed(
        self, writing: Writing, given: Mapping[bytes, Pieces], space: EmbeddingSpace | None
    ) -> None:
        """Give documents the vectors that come with the write."""

    async def owed(
        self, limit: int, space: EmbeddingSpace | None = None, *, failed: bool | None = None
    ) -> list[MemoryRecord]:
        found = sorted(
            await self._owing(space, failed),
            key=lambda each: (each.record.created_at, each.place),
            reverse=True,
        )
        return [each.record for each in found[:limit]]

    async def owed_count(self, space: EmbeddingSpace | None = None, *, failed: bool | None = None) -> int:
        return len(await self._owing(space, failed))

    async def _owing(self, space: EmbeddingSpace | None, failed: bool | None) -> list[Document]:
        self.check_usable()
        head = await self._head()
        space = space or head.current()
        kept = Attempts(0) if space is None or failed is None else await self._attempts(head, space.id)
        if failed and not kept.kept:
            return []
        query = Query(where=Where(), now=clock.now(), owed_in=None if space is None else space.id)
        found = [each async for each in self._admitted(query)]
        if failed is None:
            return found
        return [each for each in found if kept.failed(each.embedding_hash) == failed]

    async def put_vectors(self, space: EmbeddingSpace, vectors: Mapping[bytes, Sequence[bytes]]) -> None:
        self.check_usable()

        async def prepare() -> tuple[Writing, None]:
            writing = begin(await self._head())
            target = writing.before.known(space)
            check_vectors(target, vectors)
            await self._embed(writing, vectors, target)
            await self._forget_attempts(writing)
            return writing, None

        await self._written(prepare)

    # --- texts that are not embedded whole -----------------------------------------------------------------

    async def _attempts(self, head: Head, space_id: int) -> Attempts:
        if not head.attempts.get(space_id):
            return Attempts(space_id)
        return Attempts.from_json(space_id, await self._load_meta(name_of(space_id)))

    async def attempts(self, space: EmbeddingSpace, digests: Collection[bytes]) -> dict[bytes, Attempt]:
        self.check_usable()
        kept = (await self._attempts(await self._head(), space.id)).kept
        return {each: kept[each].attempt for each in digests if each in kept}

    async def kept_pieces(self, space: EmbeddingSpace, digest: bytes) -> list[bytes]:
        self.check_usable()
        found = await self._attempts(await self._head(), space.id)
        if digest not in found.kept:
            return []
        pieces: list[bytes] = []
        for name in found.parts(digest):
            pieces += vectors_of(await self._load_meta(name), space.dimension)
        return pieces if len(pieces) == found.kept[digest].attempt.kept else []

    async def keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[bytes, Attempt],
        vectors: Mapping[bytes, Sequence[bytes]] | None = None,
    ) -> None:
        self.check_usable()

        async def prepare() -> tuple[Writing, None]:
            writing = begin(await self._head())
            target = writing.before.known(space)
            for pieces in (vectors or {}).values():
                for piece in pieces:
                    check_vector(target, piece)
            found = await self._attempts(writing.before, target.id)
            # What was erased while it was embedded leaves nothing.
            query = Query(where=_EVERYTHING, now=clock.now(), embedding_hashes=tuple(attempts))
            held = {each.embedding_hash async for each in self._admitted(query)} if attempts else set()
            wanted = {digest: attempt for digest, attempt in attempts.items() if digest in held}
            _note_attempts(writing, *found.with_more(wanted, vectors or {}))
            return writing, None

        await self._written(prepare)

    async def _forget_attempts(self, writing: Writing) -> None:
        """Forget the attempts at texts that are embedded by now, and at those that went or were replaced.

        Where another memory has such a text, its embedding begins anew.
        """
        for space_id, count in writing.before.attempts.items():
            gone = writing.unneeded() | writing.embedded(space_id) if count else set()
            found = await self._attempts(writing.before, space_id) if gone else Attempts(space_id)
            if not gone.isdisjoint(found.kept):
                _note_attempts(writing, *found.without(gone))


def _note_attempts(writing: Writing, attempts: Attempts, beside: Mapping[str, str | None]) -> None:
    """Note attempts to be kept, and the texts that come and go with them."""
    writing.metas |= {**beside, attempts.name: attempts.to_json()}
    counts = {**writing.head.attempts, attempts.space_id: len(attempts.kept)}
    writing.head = replace(writing.head, attempts=counts)
