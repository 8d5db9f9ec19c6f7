"""Stores that can do next to nothing, such as a plain key-value service: hooks over dictionaries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar

from agent_memory.batching import batched
from agent_memory.storage.base import Capabilities
from agent_memory.storage.documents import Document, DocumentStore, Query, VectorDocumentStore


class PlainStore(DocumentStore):
    """One without full text, vectors, history, or a count of accesses."""

    name: ClassVar[str] = "plain"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.metas: dict[str, str] = {}
        self.documents: dict[str, str] = {}

    async def _connect(self) -> None:
        pass

    async def _close(self) -> None:
        pass

    async def _load_meta(self, name: str) -> str | None:
        return self.metas.get(name)

    async def _save_meta(self, name: str, text: str) -> None:
        self.metas[name] = text

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        texts = {item: self.documents[item] for item in ids if item in self.documents}
        return self._documents_of(texts)

    async def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        for part in batched(list(self.documents), 10):
            yield list((await self._read(part)).values())

    async def _save(self, documents: Sequence[Document]) -> None:
        self.documents |= {document.id: document.to_json() for document in documents}

    async def _delete(self, documents: Sequence[Document]) -> None:
        for document in documents:
            del self.documents[document.id]

    async def _touch(self, ids: Sequence[str]) -> None:
        pass


class PlainVectorStore(PlainStore, VectorDocumentStore):
    """One with vectors and without history, as Chroma is."""

    capabilities: ClassVar[Capabilities] = Capabilities(vectors=True, usage=True)

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.spaced: dict[int, dict[str, Sequence[bytes]]] = {}

    async def _touch(self, ids: Sequence[str]) -> None:
        await DocumentStore._touch(self, ids)

    async def _save_vectors(self, space_id: int, entries: Sequence[tuple[Document, Sequence[bytes]]]) -> None:
        self.spaced.setdefault(space_id, {}).update({item.id: vectors for item, vectors in entries})

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        for document in documents:
            del self.spaced[space_id][document.id]

    async def _read_vectors(
        self, space_id: int, documents: Sequence[Document]
    ) -> Mapping[str, Sequence[bytes]]:
        return {item.id: self.spaced[space_id][item.id] for item in documents}
