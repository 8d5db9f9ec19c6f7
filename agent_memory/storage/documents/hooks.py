"""What a document store has to be able to do; everything else is made of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from agent_memory.storage.base import EmbeddingSpace, Store
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.write_batch import WriteBatch

Segments = Sequence[bytes]


class Nearest(NamedTuple):
    """What a vector search of the backend's own found."""

    found: Sequence[tuple[str, float]]
    """Ids of memories and cosines; a memory may be there several times, and may be one that the query refuses."""
    complete: bool
    """Whether asking for more would find no more."""
    exact: bool = False
    """Whether the query admits all that was found; else each is read and looked at."""


class DocumentHooks(Store):
    """The hooks of a document store. `_nearest` and what stands below it may stay as they are here."""

    # --- what is there ---------------------------------------------------------------------------------------

    @abstractmethod
    async def _connect(self) -> None:
        """Connect; create what is not there yet."""

    @abstractmethod
    async def _load_meta(self, name: str) -> str | None:
        """Return a text that `_save_meta` kept for this agent."""

    @abstractmethod
    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return documents by id; absent ids are left out."""

    @abstractmethod
    def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        """Iterate over all documents that a query admits, in any order; others may be among them.

        Each comes once. The more a backend leaves out, the less there is to read; it must leave out none that
        `Query.admits`.
        """

    # --- writing ---------------------------------------------------------------------------------------------

    @abstractmethod
    async def _save_meta(self, name: str, text: str) -> None:
        """Keep a text under a name for this agent."""

    async def _delete_meta(self, name: str) -> None:
        """Take out a text that `_save_meta` kept: here, by keeping an empty one, which is read as none."""
        await self._save_meta(name, "")

    @abstractmethod
    async def _save(self, documents: Sequence[Document]) -> None:
        """Store documents, in place of those with the same ids."""

    @abstractmethod
    async def _delete(self, documents: Sequence[Document]) -> None:
        """Take documents out."""

    async def _write(self, write_batch: WriteBatch) -> None:
        """Write everything that a write consists of.

        One after the other: sequence numbers are taken first, then vectors are stored, then the documents that
        refer to them. A backend with transactions does all of it in one, and raises `WriteConflict` if the
        manifest's version is no longer that of `write_batch.before`.
        """
        for name, text in {**write_batch.metas, "head": write_batch.manifest.to_json()}.items():
            if text is None:
                await self._delete_meta(name)
            else:
                await self._save_meta(name, text)
        if write_batch.removed:
            await self._delete(list(write_batch.removed.values()))
        for space_id, documents in write_batch.dropped.items():
            await self._delete_vectors(space_id, documents)
        after = {document.id: document for _, document in write_batch.changed.values()}
        for space_id, vectors in write_batch.vectors.items():
            await self._save_vectors(
                space_id, [(after[item], segments) for item, segments in vectors.items()]
            )
        for space in write_batch.manifest.spaces:
            if refreshed := write_batch.refreshed(space.id):
                await self._refresh_vectors(space.id, refreshed)
        if after:
            await self._save(list(after.values()))

    # --- vectors; only for backends that declare them --------------------------------------------------------

    async def _save_vectors(self, space_id: int, entries: Sequence[tuple[Document, Segments]]) -> None:
        """Store the vectors of documents, float32, in a space."""
        raise NotImplementedError

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        """Take out the vectors of documents, which `Document.embedded` counts, from a space."""
        raise NotImplementedError

    async def _read_vectors(self, space_id: int, documents: Sequence[Document]) -> Mapping[str, Segments]:
        """Return the vectors of documents in a space by id, float32, in their order."""
        raise NotImplementedError

    async def _refresh_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        """Bring up to date what is kept beside the vectors of changed documents for filtering; often nothing."""

    async def _nearest(self, space: EmbeddingSpace, vector: bytes, query: Query, count: int) -> Nearest:
        """Return at least `count` of the nearest vectors, or all there are: here, by comparing every one."""
        import numpy as np

        found: list[tuple[str, float]] = []
        wanted = np.frombuffer(vector, "<f4")
        async for page in self._find(query):
            held = [item for item in page if space.id in item.embedded and query.admits(item)]
            for memory_id, segments in (await self._read_vectors(space.id, held)).items():
                cosines = np.frombuffer(b"".join(segments), "<f4").reshape(len(segments), -1) @ wanted
                found.append((memory_id, float(cosines.max())))
        return Nearest(found, complete=True)
