"""What a document store has to be able to do; everything else is made of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple

from agent_memory.storage.base import EmbeddingSpace, Store
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.writing import Writing

Pieces = Sequence[bytes]


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
        """Go through all documents that a query admits, in any order; others may be among them.

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

    async def _write(self, writing: Writing) -> None:
        """Write everything that a write consists of.

        One after the other: places in the order of storing are taken first, then vectors come, then the documents
        that speak of them. A backend with transactions does all of it in one, and raises `Overtaken` if the head's
        version is no longer that of `writing.before`.
        """
        for name, text in {**writing.metas, "head": writing.head.to_json()}.items():
            if text is None:
                await self._delete_meta(name)
            else:
                await self._save_meta(name, text)
        if writing.removed:
            await self._delete(list(writing.removed.values()))
        for space_id, documents in writing.dropped.items():
            await self._delete_vectors(space_id, documents)
        after = {document.id: document for _, document in writing.changed.values()}
        for space_id, vectors in writing.vectors.items():
            await self._save_vectors(space_id, [(after[each], pieces) for each, pieces in vectors.items()])
        for space in writing.head.spaces:
            if refreshed := writing.refreshed(space.id):
                await self._refresh_vectors(space.id, refreshed)
        if after:
            await self._save(list(after.values()))

    # --- vectors; only for backends that declare them --------------------------------------------------------

    async def _save_vectors(self, space_id: int, entries: Sequence[tuple[Document, Pieces]]) -> None:
        """Store the vectors of documents, float32, in a space."""
        raise NotImplementedError

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        """Take out the vectors of documents, which `Document.embedded` counts, from a space."""
        raise NotImplementedError

    async def _read_vectors(self, space_id: int, documents: Sequence[Document]) -> Mapping[str, Pieces]:
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
            held = [each for each in page if space.id in each.embedded and query.admits(each)]
            for memory_id, pieces in (await self._read_vectors(space.id, held)).items():
                cosines = np.frombuffer(b"".join(pieces), "<f4").reshape(len(pieces), -1) @ wanted
                found.append((memory_id, float(cosines.max())))
        return Nearest(found, complete=True)
