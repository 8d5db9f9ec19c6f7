"""The hooks of a store of documents that keeps vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from agent_memory.storage.base import EmbeddingSpace, VectorStore
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.store import Documents
from agent_memory.storage.documents.write_batch import Segments

if TYPE_CHECKING:
    from agent_memory.vectors import Vector


class Nearest(NamedTuple):
    """What a vector search of the backend's own found."""

    candidates: Sequence[tuple[str, float]]
    """Ids of memories and cosines; a memory may be there several times, and may be one that the query refuses."""
    complete: bool
    """Whether asking for more would find no more."""
    exact: bool = False
    """Whether the query admits all that was found; else each is read and looked at."""


class VectorHooks(Documents, VectorStore):
    """What a store of documents has to be able to do with vectors. `_nearest` may stay as it is here."""

    @abstractmethod
    async def _read_vectors(self, space_id: int, documents: Sequence[Document]) -> Mapping[str, Segments]:
        """Return the vectors of documents in a space by id, in their order."""

    async def _nearest(self, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> Nearest:
        """Return at least `count` of the nearest vectors, or all there are: here, by comparing every one."""
        import numpy as np

        pairs: list[tuple[str, float]] = []
        wanted = np.frombuffer(vector, "<f4")
        async for page in self._find(query):
            embedded = [item for item in page if space.id in item.embedded and query.admits(item)]
            for memory_id, segments in (await self._read_vectors(space.id, embedded)).items():
                cosines = np.frombuffer(b"".join(segments), "<f4").reshape(len(segments), -1) @ wanted
                pairs.append((memory_id, float(cosines.max())))
        return Nearest(pairs, complete=True)
