"""The Chroma store: an agent has a collection of documents, one of notes, and one of vectors per embedding space."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from agent_memory.batching import batched
from agent_memory.network import is_elsewhere
from agent_memory.redaction import redacted
from agent_memory.storage.base import Capabilities, EmbeddingSpace, StoreDescription
from agent_memory.storage.chroma.connection import Chroma, location_of
from agent_memory.storage.chroma.filtering import values_of, where_of
from agent_memory.storage.documents import Document, Nearest, Query, VectorDocumentStore
from agent_memory.vectors import Vector

_BATCH: Final = 1000
EXACT_BELOW: Final = 1000
"""With fewer vectors than this all that a filter admits are compared here, which misses none."""
_GRAPH: Final = {"hnsw": {"space": "cosine", "ef_search": 200, "ef_construction": 200, "max_neighbors": 16}}


class ChromaStore(VectorDocumentStore):
    """Keeps agents' memories in Chroma, beside their vectors, which are always ours.

    A folder serves one process at a time; for several run `chroma run --path FOLDER` and name its URL. There is no
    full text, no history and no transaction: a write that is interrupted may leave a part of itself, never a memory
    that is there by half.

    Options:
        path: the folder; `chroma` in the user's data folder by default.
        url: instead of it `chroma:///folder`, or `http://host:8000` of a server.
        prefix: what the names of the collections begin with, `agentmem` by default.
        token, tenant, database: for a server.
        timeout: seconds to wait for a server's answer; 120 by default.
    """

    name: ClassVar[str] = "chroma"
    capabilities: ClassVar[Capabilities] = Capabilities(persistent=True, vectors=True, usage=True)
    options: ClassVar[frozenset[str]] = frozenset(
        {"path", "url", "prefix", "token", "tenant", "database", "timeout"}
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self._chroma = Chroma(location_of(options), options)
        digest = hashlib.blake2b(str(self.requested_agent).encode(), digest_size=12).hexdigest()
        self._prefix = f"{options.get('prefix', 'agentmem')}-{digest}"
        self._collections: dict[str, Any] = {}

    # --- life ----------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        await self._close()
        await self._chroma.open()
        try:
            await self._collection("notes")
            await self._collection("memories")
        except BaseException:
            await self._chroma.close()
            raise

    async def _close(self) -> None:
        self._collections = {}
        await self._chroma.close()

    async def _list_agents(self) -> set[str]:
        chroma = Chroma(location_of(self.settings), self.settings)
        await chroma.open()
        try:
            beginning = f"{self.settings.get('prefix', 'agentmem')}-"
            collections = await chroma.run(chroma.client.list_collections)
            return {
                str(item.metadata["agent"])
                for item in collections
                if item.name.startswith(beginning) and item.metadata and "agent" in item.metadata
            }
        finally:
            await chroma.close()

    async def _drop(self) -> None:
        client = self._chroma.client
        for item in await self._chroma.run(client.list_collections):
            if item.name.startswith(f"{self._prefix}-"):
                await self._chroma.run(client.delete_collection, item.name)

    @property
    def uses_network(self) -> bool:
        return self._chroma.remote and is_elsewhere(self._chroma.location)

    def _location(self) -> str:
        return redacted(self._chroma.location)

    async def _describe(self) -> StoreDescription:
        mode = "server" if self._chroma.remote else "embedded"
        version = await self._chroma.run(self._chroma.client.get_version)
        return StoreDescription(
            backend=self.name,
            location=self._location(),
            agent_id=self.agent_id,
            details={"mode": mode, "server": f"chroma {version}", "collections": self._prefix},
        )

    async def _collection(self, part: str) -> Any:
        if part not in self._collections:
            # Without None for the function the first text would download a model.
            self._collections[part] = await self._chroma.run(
                self._chroma.client.get_or_create_collection,
                f"{self._prefix}-{part}",
                metadata={"agent": str(self.requested_agent)},
                configuration=_GRAPH,
                embedding_function=None,
            )
        return self._collections[part]

    # --- notes ---------------------------------------------------------------------------------------------

    async def _load_meta(self, name: str) -> str | None:
        notes = await self._collection("notes")
        documents = (await self._chroma.run(notes.get, ids=[name], include=["documents"]))["documents"]
        return str(documents[0]) if documents else None

    async def _save_meta(self, name: str, text: str) -> None:
        notes = await self._collection("notes")
        await self._chroma.run(notes.upsert, ids=[name], documents=[text], embeddings=[_direction(name)])

    async def _delete_meta(self, name: str) -> None:
        notes = await self._collection("notes")
        await self._chroma.run(notes.delete, ids=[name])

    # --- documents -----------------------------------------------------------------------------------------

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        result: dict[str, Document] = {}
        memories = await self._collection("memories")
        for part in batched([key for key in dict.fromkeys(ids) if key], _BATCH):
            answer = await self._chroma.run(memories.get, ids=list(part), include=["documents"])
            texts = zip(answer["ids"], answer["documents"], strict=True)
            result |= self._documents_of({memory_id: text or "" for memory_id, text in texts})
        return result

    async def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        ids = query.where.ids
        if ids is None:
            memories = await self._collection("memories")
            answer = await self._chroma.run(memories.get, where=where_of(query), include=[])
            ids = tuple(answer["ids"])
        for part in batched(ids, _BATCH):
            yield list((await self._read(part)).values())

    async def _save(self, documents: Sequence[Document]) -> None:
        memories = await self._collection("memories")
        for part in batched(documents, _BATCH):
            values = await self._replacing(memories, {item.id: values_of(item) for item in part})
            await self._chroma.run(
                memories.upsert,
                ids=[item.id for item in part],
                documents=[item.to_json() for item in part],
                embeddings=[_direction(item.id) for item in part],
                metadatas=values,
            )

    async def _replacing(self, collection: Any, new: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return values that take the place of those there: what is there stays unless it is named as None."""
        answer = await self._chroma.run(collection.get, ids=list(new), include=["metadatas"])
        there = dict(zip(answer["ids"], answer["metadatas"], strict=True))
        return [{**dict.fromkeys(there.get(item) or {}), **values} for item, values in new.items()]

    async def _delete(self, documents: Sequence[Document]) -> None:
        memories = await self._collection("memories")
        for part in batched([document.id for document in documents], _BATCH):
            await self._chroma.run(memories.delete, ids=list(part))

    # --- vectors -------------------------------------------------------------------------------------------

    async def _save_vectors(
        self, space_id: int, entries: Sequence[tuple[Document, Sequence[Vector]]]
    ) -> None:
        import numpy as np

        vectors = await self._collection(f"space-{space_id}")
        rows = [
            (f"{document.id}:{number}", np.frombuffer(segment, "<f4"), values_of(document))
            for document, segments in entries
            for number, segment in enumerate(segments)
        ]
        for part in batched(rows, _BATCH):
            await self._chroma.run(
                vectors.upsert,
                ids=[row[0] for row in part],
                embeddings=np.stack([row[1] for row in part]),
                metadatas=[row[2] for row in part],
            )

    async def _refresh_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        vectors = await self._collection(f"space-{space_id}")
        new = {
            f"{document.id}:{number}": values_of(document)
            for document in documents
            for number in range(document.embedded[space_id])
        }
        for part in batched(list(new), _BATCH):
            values = await self._replacing(vectors, {item: new[item] for item in part})
            await self._chroma.run(vectors.update, ids=list(part), metadatas=values)

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        vectors = await self._collection(f"space-{space_id}")
        for part in batched(_names(space_id, documents), _BATCH):
            await self._chroma.run(vectors.delete, ids=list(part))

    async def _read_vectors(
        self, space_id: int, documents: Sequence[Document]
    ) -> Mapping[str, Sequence[Vector]]:
        vectors = await self._collection(f"space-{space_id}")
        by_name: dict[str, Vector] = {}
        for part in batched(_names(space_id, documents), _BATCH):
            answer = await self._chroma.run(vectors.get, ids=list(part), include=["embeddings"])
            for name, vector in zip(answer["ids"], answer["embeddings"], strict=True):
                by_name[name] = Vector(vector.astype("<f4").tobytes())
        segments = {
            document.id: [by_name.get(name) for name in _names(space_id, [document])]
            for document in documents
        }
        return {
            memory_id: [segment for segment in all_of if segment is not None]
            for memory_id, all_of in segments.items()
        }

    async def _nearest(self, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> Nearest:
        import numpy as np

        if query.where.ids is not None:
            return await super()._nearest(space, vector, query, count)
        vectors = await self._collection(f"space-{space.id}")
        there = await self._chroma.run(vectors.count)
        wanted = np.frombuffer(vector, "<f4")
        if there >= EXACT_BELOW and count < there:
            answer = await self._chroma.run(
                vectors.query,
                query_embeddings=[wanted],
                n_results=count,
                where=where_of(query),
                include=["distances"],
            )
            ids, distances = answer["ids"][0], answer["distances"][0]
            if len(ids) == count:
                neighbours = [(_memory(name), 1.0 - far) for name, far in zip(ids, distances, strict=True)]
                return Nearest(neighbours, complete=False, exact=query.plain)
        # Few, or fewer found than asked for: a graph may miss some, comparing misses none.
        answer = await self._chroma.run(vectors.get, where=where_of(query), include=["embeddings"])
        if not answer["ids"]:
            return Nearest([], complete=True)
        cosines = np.asarray(answer["embeddings"], "<f4") @ wanted
        pairs = zip(answer["ids"], cosines.tolist(), strict=True)
        return Nearest([(_memory(name), cosine) for name, cosine in pairs], complete=True, exact=query.plain)


def _names(space_id: int, documents: Sequence[Document]) -> list[str]:
    return [
        f"{document.id}:{number}" for document in documents for number in range(document.embedded[space_id])
    ]


def _memory(name: str) -> str:
    return name.partition(":")[0]


def _direction(name: str) -> list[float]:
    """Return a vector for what has none: Chroma keeps nothing without. Spread out, or its graph would degenerate."""
    angle = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) / 2**32 * math.tau
    return [math.cos(angle), math.sin(angle)]
