"""Stores of documents without transactions: a write is done one step after the other.

A third-party backend derives from `DocumentStore`, or from `VectorDocumentStore` if it keeps vectors too.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import anyio

from agent_memory import clock
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.store import Documents
from agent_memory.storage.documents.vectors import VectorDocuments
from agent_memory.storage.documents.write_batch import Segments, WriteBatch


class DocumentStore(Documents):
    """A store of documents that writes them one after the other."""

    @abstractmethod
    async def _save_meta(self, name: str, text: str) -> None:
        """Keep a text under a name for this agent."""

    async def _delete_meta(self, name: str) -> None:
        """Delete a text that `_save_meta` kept: here, by keeping an empty one, which is read as none."""
        await self._save_meta(name, "")

    @abstractmethod
    async def _save(self, documents: Sequence[Document]) -> None:
        """Store documents, in place of those with the same ids."""

    @abstractmethod
    async def _delete(self, documents: Sequence[Document]) -> None:
        """Delete documents."""

    async def _write(self, write_batch: WriteBatch) -> None:
        """Write in an order in which a document never refers to what is not there.

        Sequence numbers are taken first, then vectors are stored, then the documents that refer to them.
        """
        for name, text in {**write_batch.metas, "head": write_batch.manifest.to_json()}.items():
            if text is None:
                await self._delete_meta(name)
            else:
                await self._save_meta(name, text)
        if write_batch.removed:
            await self._delete(list(write_batch.removed.values()))
        await self._write_vectors(write_batch)
        if write_batch.changed:
            await self._save([document for _, document in write_batch.changed.values()])

    async def _write_vectors(self, write_batch: WriteBatch) -> None:
        """Write the vectors of a write."""

    async def _touch(self, ids: Sequence[str]) -> None:
        moment = clock.now()
        with anyio.CancelScope(shield=True):
            async with self._lock:
                documents = await self._read(ids)
                await self._save(
                    [
                        replace(
                            result,
                            record=replace(
                                result.record, accessed_at=moment, access_count=result.record.access_count + 1
                            ),
                        )
                        for result in documents.values()
                    ]
                )


class VectorDocumentStore(DocumentStore, VectorDocuments):
    """A store of documents and their vectors that writes one after the other."""

    @abstractmethod
    async def _save_vectors(self, space_id: int, entries: Sequence[tuple[Document, Segments]]) -> None:
        """Store the vectors of documents in a space."""

    @abstractmethod
    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        """Delete the vectors of documents, which `Document.embedded` counts, from a space."""

    async def _refresh_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        """Bring up to date what is kept beside the vectors of changed documents for filtering; often nothing."""

    async def _write_vectors(self, write_batch: WriteBatch) -> None:
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
