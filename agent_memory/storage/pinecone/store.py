"""The Pinecone store: an agent has a namespace of documents, one of notes, and one of vectors per embedding space."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

import anyio
from pinecone import errors

from agent_memory import paths
from agent_memory.batching import batched
from agent_memory.network import is_elsewhere
from agent_memory.storage import backend_options
from agent_memory.storage.base import Capabilities, EmbeddingSpace, StoreDescription
from agent_memory.storage.documents import (
    Document,
    Manifest,
    Nearest,
    Query,
    VectorDocumentStore,
    WriteBatch,
)
from agent_memory.storage.pinecone.connection import Service
from agent_memory.storage.pinecone.records import LARGEST, filter_of, values_of, whole
from agent_memory.vectors import Vector

logger = logging.getLogger("agent_memory")
_FETCHED: Final = 100
"""Ids to a request: they stand in its address."""
_WRITTEN: Final = 100
_WRITTEN_BYTES: Final = 1_500_000
_MOST_NEAREST: Final = 10_000
"""What the service returns for one query at most."""
_NOTE: Final = 36_000


class PineconeStore(VectorDocumentStore):
    """Keeps agents' memories in a Pinecone index: records in namespaces of their own, within the service's limits.

    There is no full text, no history and no transaction; one process may write for an agent at a time. A memory takes
    at most 40,960 bytes with all that is filtered by. Vectors of another dimension than the index's go to one beside
    it, named `INDEX-DIMENSION`, which is made when it is needed.

    Options:
        url: `pinecone://INDEX`; or index: its name. It is made if it is not there, by `dimension` (384), `cloud`
            (aws) and `region` (us-east-1).
        api_key, api_key_file: else PINECONE_API_KEY.
        host: of the control plane, else PINECONE_CONTROLLER_HOST, else Pinecone's own.
        namespace_prefix: what the names of the namespaces begin with.
        wait_readable: seconds to wait until what was written can be read, 10 by default; 0 does not wait.
    """

    name: ClassVar[str] = "pinecone"
    capabilities: ClassVar[Capabilities] = Capabilities(
        persistent=True, vectors=True, usage=True, largest=LARGEST
    )
    options: ClassVar[frozenset[str]] = frozenset(
        {"url", "index", "api_key", "api_key_file", "host", "dimension", "cloud", "region"}
        | {"namespace_prefix", "wait_readable"}
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self._service = Service(options)
        self._wait = backend_options.seconds(options, "wait_readable", 10.0, zero=True)
        self._prefix = f"{options.get('namespace_prefix', '')}{paths.file_stem(str(self.requested_agent))}"
        self._notes: dict[str, str] = {}
        """What this process has written: the service may not show it yet."""

    # --- life ----------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._notes = {}
        await self._service.open()

    @property
    def uses_network(self) -> bool:
        host = self._service.host
        return host is None or is_elsewhere(host if "://" in host else f"https://{host}")

    async def _close(self) -> None:
        await self._service.close()

    async def _drop(self) -> None:
        manifest = await self._manifest()
        index = await self._service.index()
        for part in ("memories", "notes"):
            await self._delete_all(index, self._space(part))
        for space in manifest.spaces:
            await self._delete_all(
                await self._service.index(space.dimension), self._space(f"space-{space.id}")
            )

    async def _delete_all(self, index: Any, namespace: str) -> None:
        with self._service.translated():
            try:
                await index.delete(delete_all=True, namespace=namespace)
            except errors.NotFoundError:
                return  # nothing was ever in it

    def _space(self, part: str) -> str:
        return f"{self._prefix}--{part}"

    def _location(self) -> str:
        return self._service.location

    async def _describe(self) -> StoreDescription:
        return StoreDescription(
            backend=self.name,
            location=self._location(),
            agent_id=self.agent_id,
            details={"index": self._service.index_name, "dimension": self._service.dimension}
            | {"namespaces": self._space("*")},
        )

    # --- notes ---------------------------------------------------------------------------------------------

    async def _load_meta(self, name: str) -> str | None:
        known = self._notes.get(name)
        records = await self._fetch(self._space("notes"), [f"{name}#0"])
        if f"{name}#0" not in records:
            return known
        first = records[f"{name}#0"]
        more = [f"{name}#{part}" for part in range(1, int(first["parts"]))]
        rest = await self._fetch(self._space("notes"), more)
        if any(item not in rest or rest[item]["stamp"] != first["stamp"] for item in more):
            return known
        text = str(first["text"]) + "".join(str(rest[item]["text"]) for item in more)
        if known is not None and name == "head":
            return max(known, text, key=lambda item: Manifest.from_json(item).version)
        return known or text

    async def _save_meta(self, name: str, text: str) -> None:
        # In parts of whole characters, each within a record's bytes.
        parts = list(batched(text, _NOTE // 4))
        stamp = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        records = [
            (f"{name}#{number}", {"text": part, "parts": len(parts), "stamp": stamp})
            for number, part in enumerate(parts)
        ]
        # The first part last: it says how many there are.
        await self._upsert(await self._service.index(), self._space("notes"), self._placed(records[::-1]))
        self._notes[name] = text

    async def _delete_meta(self, name: str) -> None:
        records = await self._fetch(self._space("notes"), [f"{name}#0"])
        parts = int(records[f"{name}#0"]["parts"]) if records else 0
        names = [f"{name}#{part}" for part in range(parts)]
        await self._forget(await self._service.index(), self._space("notes"), names)
        self._notes[name] = ""

    # --- documents -----------------------------------------------------------------------------------------

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        wanted = [key for key in dict.fromkeys(ids) if key and key.isascii() and len(key) <= 512]
        records = await self._fetch(self._space("memories"), wanted)
        return self._documents_of({item: _document(records[item]) for item in wanted if item in records})

    async def _fetch(self, namespace: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return the metadata of records."""
        return {name: record.metadata or {} for name, record in (await self._records(namespace, ids)).items()}

    async def _records(
        self, namespace: str, ids: Sequence[str], dimension: int | None = None
    ) -> dict[str, Any]:
        index = await self._service.index(dimension)
        result: dict[str, Any] = {}
        with self._service.translated():
            for part in batched(ids, _FETCHED):
                result.update((await index.fetch(ids=list(part), namespace=namespace)).vectors)
        return result

    async def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        if query.where.ids is not None:
            for part in batched(query.where.ids, _FETCHED):
                yield list((await self._read(part)).values())
            return
        index = await self._service.index()
        wanted = filter_of(query, [space.id for space in (await self._manifest()).spaces])
        token: str | None = None
        while True:
            more = {"pagination_token": token} if token else {}
            with self._service.translated():
                page = await index.fetch_by_metadata(
                    filter=wanted, namespace=self._space("memories"), limit=_FETCHED, **more
                )
            texts = {item: _document(vector.metadata or {}) for item, vector in page.vectors.items()}
            yield list(self._documents_of(texts).values())
            token = page.pagination.next if page.pagination is not None else None
            if not token:
                return

    async def _write(self, write_batch: WriteBatch) -> None:
        for _, after in write_batch.changed.values():
            whole(after)  # what does not fit is refused before anything is written
        await super()._write(write_batch)

    async def _save(self, documents: Sequence[Document]) -> None:
        records = self._placed([(document.id, whole(document)) for document in documents])
        await self._upsert(await self._service.index(), self._space("memories"), records)

    def _placed(self, records: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Return records with a vector: the service keeps nothing without, and none of zeros."""
        anywhere = [1.0] + [0.0] * (self._service.dimension - 1)
        return [{"id": name, "values": anywhere, "metadata": dict(metadata)} for name, metadata in records]

    async def _upsert(self, index: Any, namespace: str, records: Sequence[dict[str, Any]]) -> None:
        """Write whole records, in place of those there, and wait until the last can be read."""
        for part in _fitting(records):
            with self._service.translated():
                await index.upsert(vectors=part, namespace=namespace, show_progress=False)
            await self._readable(index, namespace, part[-1])

    async def _readable(self, index: Any, namespace: str, record: Mapping[str, Any]) -> None:
        """Wait until a record is there as it was written; it is stored in any case."""
        pause, waited = 0.01, 0.0
        while self._wait:
            with self._service.translated():
                present = (await index.fetch(ids=[record["id"]], namespace=namespace)).vectors.get(
                    record["id"]
                )
            if present is not None and dict(present.metadata or {}) == record["metadata"]:
                return
            if waited >= self._wait:
                logger.warning("what was written to %s cannot be read yet", self._location())
                return
            await anyio.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 0.5)

    async def _delete(self, documents: Sequence[Document]) -> None:
        await self._forget(
            await self._service.index(), self._space("memories"), [document.id for document in documents]
        )

    async def _forget(self, index: Any, namespace: str, ids: Sequence[str]) -> None:
        for part in batched(ids, _FETCHED):
            with self._service.translated():
                try:
                    await index.delete(ids=list(part), namespace=namespace)
                except errors.NotFoundError:
                    return  # nothing was ever in it
            await self._gone_from(index, namespace, part)

    async def _gone_from(self, index: Any, namespace: str, ids: Sequence[str]) -> None:
        pause, waited = 0.01, 0.0
        while waited < self._wait:
            with self._service.translated():
                if not (await index.fetch(ids=list(ids), namespace=namespace)).vectors:
                    return
            await anyio.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, 0.5)

    # --- vectors -------------------------------------------------------------------------------------------

    async def _space_of(self, space_id: int) -> EmbeddingSpace:
        return next(space for space in (await self._manifest()).spaces if space.id == space_id)

    async def _save_vectors(
        self, space_id: int, entries: Sequence[tuple[Document, Sequence[Vector]]]
    ) -> None:
        from array import array

        records = [
            {
                "id": f"{document.id}#{number}",
                "values": list(array("f", segment)),
                "metadata": values_of(document),
            }
            for document, segments in entries
            for number, segment in enumerate(segments)
        ]
        index = await self._service.index((await self._space_of(space_id)).dimension)
        await self._upsert(index, self._space(f"space-{space_id}"), records)

    async def _refresh_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        # An update would merge what is filtered by, and keep what is gone.
        segments = await self._read_vectors(space_id, documents)
        await self._save_vectors(
            space_id,
            [(document, segments[document.id]) for document in documents if segments.get(document.id)],
        )

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        index = await self._service.index((await self._space_of(space_id)).dimension)
        await self._forget(index, self._space(f"space-{space_id}"), _names(space_id, documents))

    async def _read_vectors(
        self, space_id: int, documents: Sequence[Document]
    ) -> Mapping[str, Sequence[Vector]]:
        from array import array

        dimension = (await self._space_of(space_id)).dimension
        records = await self._records(
            self._space(f"space-{space_id}"), _names(space_id, documents), dimension
        )
        result: dict[str, list[Vector]] = {}
        for document in documents:
            names = _names(space_id, [document])
            result[document.id] = [
                Vector(array("f", records[name].values).tobytes()) for name in names if name in records
            ]
        return result

    async def _nearest(self, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> Nearest:
        from array import array

        if query.where.ids is not None or count > _MOST_NEAREST:
            return await super()._nearest(space, vector, query, count)
        index = await self._service.index(space.dimension)
        with self._service.translated():
            answer = await index.query(
                vector=list(array("f", vector)),
                top_k=count,
                namespace=self._space(f"space-{space.id}"),
                filter=filter_of(query, []),
            )
        pairs = [(match.id.partition("#")[0], float(match.score)) for match in answer.matches]
        return Nearest(pairs, complete=len(pairs) < count, exact=query.plain)


def _names(space_id: int, documents: Sequence[Document]) -> list[str]:
    return [
        f"{document.id}#{number}"
        for document in documents
        for number in range(document.embedded.get(space_id, 0))
    ]


def _fitting(records: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut records into requests that the service takes."""
    part: list[dict[str, Any]] = []
    size = 0
    for record in records:
        # A number takes up to 24 characters; an escaped character of text up to six times its bytes is rare.
        room = (
            24 * len(record["values"]) + sum(2 * len(str(item)) for item in record["metadata"].values()) + 300
        )
        if part and (len(part) == _WRITTEN or size + room > _WRITTEN_BYTES):
            yield part
            part, size = [], 0
        part.append(record)
        size += room
    if part:
        yield part


def _document(metadata: Mapping[str, Any]) -> str:
    """Return the text of a document; empty where there is none."""
    return str(metadata.get("document", ""))
