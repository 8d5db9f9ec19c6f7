"""Semantic memory: knowledge found by what it means, single pieces and whole documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any, Final, NamedTuple, Unpack, cast

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.memories.base import Item, Listing, TypeMemory, Words, store_items
from agent_memory.memories.building import check_text
from agent_memory.memories.calling import instead
from agent_memory.memories.documents.adding import StoredPaths, store_paths, store_version
from agent_memory.memories.documents.cutting import cut
from agent_memory.memories.documents.finding import Place
from agent_memory.memories.documents.stored import chunks_of_document
from agent_memory.memories.filters import TypeFilters
from agent_memory.memories.further import ChunksFurther, DocumentFurther, KnowledgeFurther, PathsFurther
from agent_memory.memories.given import Default
from agent_memory.memories.references import Kind, resolve
from agent_memory.recall.pending import Progress
from agent_memory.records import ScoredMemory, SemanticRecord
from agent_memory.storage.base import Order
from agent_memory.storage.changes import Add
from agent_memory.storage.where import check_share
from agent_memory.text.templates import embedding_hash

DOCUMENT_IMPORTANCE: Final = Default(0.6)
KNOWLEDGE_IMPORTANCE: Final = Default(0.5)
_WHOLE: Final = ("key", "document_id", "position", "embedding")
"""What is given with a text that is one memory, however long: its name, its place in a document, or its vector."""


class Document(NamedTuple):
    """A document or a single piece of knowledge: its id, its first chunk, and how many chunks it has."""

    id: str
    first: SemanticRecord
    chunks: int


class SemanticMemory(TypeMemory[SemanticRecord]):
    """Knowledge as vectors and words."""

    record_class = SemanticRecord

    async def search(  # type: ignore[override]  # here `search` is by meaning
        self, query: str, limit: int = 10, min_score: float = 0.0
    ) -> Listing[ScoredMemory[SemanticRecord]]:
        """Find knowledge by meaning and words, best first.

        Args:
            min_score: only memories whose `similarity` is at least this, in [0, 1].
            limit: how many results at most.
            query: what to look for.

        Returns:
            The memories with their scores, best first.

        Raises:
            ConfigurationError: there is no embedder; the message names the setting.
        """
        return await self.search_with_filters(query, limit, min_score)

    async def search_with_filters(
        self,
        /,
        query: str,
        limit: int = 10,
        min_score: float = 0.0,
        tags: Words = None,
        min_importance: float = 0.0,
        **filters: Unpack[TypeFilters],
    ) -> Listing[ScoredMemory[SemanticRecord]]:
        """Find knowledge as `search` does, among what has any of the tags and is important enough."""
        self._core.index.require()
        return await self._search(
            query,
            limit,
            min_similarity=check_share("min_score", min_score) or None,
            tags=tags,
            min_importance=min_importance,
            **filters,
        )

    async def find_related(
        self, id: str, limit: int = 5, min_score: float = 0.5
    ) -> Listing[ScoredMemory[SemanticRecord]]:
        """Find knowledge that is near a memory or a document in meaning, nearest first, itself left out.

        Args:
            min_score: the least `similarity`, in [0, 1].
            id: the id of a memory, a unique prefix of one, or a key.
            limit: how many results at most.

        Returns:
            The memories with their scores, nearest first.

        Raises:
            MemoryNotFoundError: there is no such memory.
        """
        self._core.index.require()
        least = check_share("min_score", min_score)
        record = await self._find(id)
        chunks = [record] if record is not None else await self._resolve(id, Kind.DOCUMENT, Kind.TITLE)
        if not chunks:
            raise MemoryNotFoundError(id, what="semantic memory")
        ids = {chunk.id for chunk in chunks}
        # Of a document, what is near its first chunk; its other chunks are near for another reason.
        results = await self._core.searcher.near(
            chunks[0], self._where(), limit=limit + len(ids), min_similarity=least
        )
        related = [result for result in results if result.memory.id not in ids][:limit]
        return cast("list[ScoredMemory[SemanticRecord]]", related)

    async def add_with_embedding(
        self,
        /,
        content: str,
        embedding: Sequence[float],
        importance: float = KNOWLEDGE_IMPORTANCE,
        **more: Unpack[KnowledgeFurther],
    ) -> str:
        """Store knowledge with a vector made elsewhere, by the same model as the store's, and return its id.

        Args:
            embedding: the vector; it is normalised.
            more: further arguments of `add`.
            content: the text.
            importance: how much it matters, from 0 to 1.

        Returns:
            The id of the memory.

        Raises:
            EmbeddingError: the vector has another dimension than the store's, or holds NaN.
            ConfigurationError: there is no embedder, so nothing to compare the vector with.
        """
        self._core.index.require()
        item = {"content": content, "importance": importance, "embedding": embedding, **more}
        return (await self.add_many_detailed([item]))[0].id

    @instead(position="", embedding="")
    async def add_document(
        self,
        /,
        content: str,
        title: str | None = None,
        source: str | None = None,
        tags: Words = None,
        importance: float = DOCUMENT_IMPORTANCE,
        *,
        document_id: str | None = None,
        key: str | None = None,
        progress: Progress | None = None,
        **more: Unpack[DocumentFurther],
    ) -> Listing[str]:
        """Store a document in chunks that the embedding model reads whole, and return their ids in order.

        Every chunk knows its `document_id`, `title` and `position`. The same document again is the same chunks. With
        the `document_id` of a document that is there, this is its new version: chunks that say the same keep their
        ids, and those that are not in the text any more are archived in the same operation.

        With a `key` it is stored whole instead, as one memory, and adding it again stores a new version of that.

        Returns:
            The ids of the chunks, in order.
        """
        shared: dict[str, Any] = {
            "title": title,
            "source": source,
            "tags": tags,
            "importance": importance,
            **more,
        }
        if key is not None:
            item = {"content": content, "key": key, "document_id": document_id, **shared}
            return await self.add_many([item], progress=progress)
        old = [] if document_id is None else await chunks_of_document(self._core, document_id)
        texts = await cut(self._core, check_text("content", content), old)
        return await self.add_chunks(texts, document_id, progress=progress, **shared)

    @instead(document_id="", position="", path="", embedding="")
    async def add_paths(
        self,
        /,
        paths: Place | Iterable[Place],
        title: str | None = None,
        source: str | None = None,
        tags: Words = None,
        importance: float = DOCUMENT_IMPORTANCE,
        *,
        glob: str | None = None,
        prune: bool = False,
        prune_empty: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
        **more: Unpack[PathsFurther],
    ) -> StoredPaths:
        """Store files, and all files in folders, as documents; those stored before are brought up to date.

        A file is known by its absolute path, links followed, which each of its chunks has as `path`. Adding it again,
        from wherever, makes its document what the file is now: chunks that say the same keep their ids, however far
        they moved; the others are archived, and the new ones get the tags and metadata that the document had. What is
        given is taken over by all chunks. It is one operation: `undo` takes all of it back.

        A file in a folder that is no UTF-8 text, is empty or cannot be read is skipped; one that is named so is an
        error. Hidden files and folders in folders are left out, and links to folders are not followed.

        Args:
            paths: files and folders, opened as they are given; one or several.
            title: a new title, for one file only; else it is called as its file when it is first stored.
            source: where it comes from; if left out, the path as it was given when it was first stored.
            importance: how much it matters, in [0, 1]; 0.6 if it was never given.
            glob: of files in folders only those whose name or path within the folder fits. Where no folder is named,
                the files too that it fits, seen from the current folder.
            prune: archive documents of files that lay in a folder named here and are not there any more. Nothing is
                archived where a folder is empty, since it may be the place of a disk that is not mounted.
            prune_empty: archive them for an empty folder too.
            dry_run: only say what would be done.
            progress: called with (done, total) as files are read and cut, then as the texts are embedded.
            more: further arguments of `add`; with a `key`, a file is stored whole, as one memory.
            tags: the tags of what is stored.

        Returns:
            What came of each file, and what was skipped.

        Raises:
            ValidationError: there is no such file or folder, a file named is no text, or there is nothing to store;
                nothing was stored.
        """
        self._core.check_not_closed()
        arguments = {"title": title, "source": source, "tags": tags, "importance": importance, **more}
        moment = clock.now()
        return await store_paths(
            self._core,
            [paths] if isinstance(paths, str | PathLike) else list(paths),
            lambda item: self._addition(item, moment),
            {name: value for name, value in arguments.items() if value is not None},
            glob=glob,
            prune=prune,
            prune_empty=prune_empty,
            dry_run=dry_run,
            progress=progress,
        )

    async def _items_of(self, item: dict[str, Any]) -> Listing[dict[str, Any]]:
        """Cut a document into what the embedding model reads whole; what is short, or has a key, is one memory."""
        if any(item.get(name) is not None for name in _WHOLE):
            return [item]
        chunks = await self.chunks_of(item["content"], title=item.get("title"), source=item.get("source"))
        return [item] if len(chunks) == 1 else [{**item, **chunk} for chunk in chunks]

    async def chunks_of(
        self, content: str, *, title: str | None = None, source: str | None = None
    ) -> Listing[dict[str, Any]]:
        """Cut a document into what the embedding model reads whole, as items for `add_many`; stores nothing.

        Returns:
            For each chunk its `content`, `position` and the `document_id` that all of them share.
        """
        self._core.check_not_closed()
        texts = await cut(self._core, check_text("content", content))
        document = _document_id(texts, title, source)
        return [
            {"content": text, "document_id": document, "position": position}
            for position, text in enumerate(texts)
        ]

    @instead(position="", embedding="")
    async def add_chunks(
        self,
        /,
        chunks: Iterable[str],
        document_id: str | None = None,
        *,
        title: str | None = None,
        source: str | None = None,
        tags: Words = None,
        importance: float = DOCUMENT_IMPORTANCE,
        progress: Progress | None = None,
        **more: Unpack[ChunksFurther],
    ) -> Listing[str]:
        """Store a document that is in chunks already, in one transaction, and return their ids in order.

        As in `add_document`, a `document_id` that is there already gets the new chunks instead of the old ones.

        Returns:
            The ids of the chunks, in order.

        Raises:
            ValidationError: there are no chunks, or something cannot be stored; nothing was.
        """
        texts = list(chunks)
        if not texts:
            raise ValidationError("the document has no chunks", hint="give at least one text")
        if more.get("key") is not None and len(texts) > 1:
            raise ValidationError(
                "a key names one memory, and here are several chunks", hint="use document_id"
            )
        shared = {"title": title, "source": source, "tags": tags, "importance": importance, **more}
        if document_id is None:
            document = _document_id(texts, title, source)
            items: list[tuple[TypeMemory[Any], Item]] = [
                (self, {"content": text, "document_id": document, "position": position, **shared})
                for position, text in enumerate(texts)
            ]
            return [entry.id for entry in await store_items(self._core, items, progress)]
        moment = clock.now()

        def built(text: str, position: int) -> Add:
            item = {"content": text, "document_id": document_id, "position": position, **shared}
            return self._addition(item, moment)

        return await store_version(self._core, document_id, texts, built, progress)

    async def get_by_document_id(self, id: str) -> Listing[SemanticRecord]:
        """Return a document's chunks in order, by the document's id, a unique prefix of it, or a chunk's id."""
        return await self._resolve(id, Kind.DOCUMENT, Kind.CHUNK)

    async def get_document(self, reference: str) -> Listing[SemanticRecord]:
        """Return a document's chunks in order, by its id or title, or by what names one of its chunks.

        Args:
            reference: the document's id or a unique prefix of it, the id or the key of one of its chunks, its title
                (the newest document of that title counts), or what names a single piece of knowledge.

        Returns:
            The chunks in order, a single piece alone, or nothing if there is no such document.
        """
        chunks = await self._resolve(reference, Kind.DOCUMENT, Kind.CHUNK, Kind.TITLE)
        if chunks:
            return chunks
        single = await self.get(reference)
        return [] if single is None else [single]

    async def _resolve(self, reference: str, *kinds: Kind) -> Listing[SemanticRecord]:
        return cast("list[SemanticRecord]", await resolve(self._core.store, reference, kinds))

    async def get_documents(self, limit: int | None = 100) -> Listing[Document]:
        """List documents and single pieces of knowledge, the most recently added to first; None lists all."""
        groups = sorted(
            await self._core.store.groups(self._where(), "document_id"),
            key=lambda item: item.last,
            reverse=True,
        )[:limit]
        firsts: dict[str, SemanticRecord] = {}
        for batch in batched(groups, 500):  # well below what one statement may compare with
            ids = [group.value for group in batch]
            chunks = await self._select(
                self._where(fields={"document_id": ids}), None, order=Order("position")
            )
            firsts.update({chunk.document_id: chunk for chunk in chunks if chunk.document_id is not None})
        singles = await self._select(self._where(fields={"document_id": {"exists": False}}), limit)
        documents = [
            *(
                (group.last, Document(group.value, firsts[group.value], group.count))
                for group in groups
                if group.value in firsts  # else it was forgotten between the two queries
            ),
            *((single.happened_at, Document(single.id, single, 1)) for single in singles),
        ]
        return [document for _, document in sorted(documents, key=lambda pair: pair[0], reverse=True)][:limit]

    async def update_embedding(self, id: str) -> bool:
        """Make sure that a memory's vector is that of its present text; False if there is no such memory.

        Returns:
            Whether there is such a memory.

        Raises:
            ConfigurationError: there is no embedder.
            EmbeddingError: it cannot embed the text, or its model is not on this machine.
            MissingDependencyError: a package that it needs is not installed.
        """
        record = await self._find(id)
        if record is None:
            return False
        await self._core.index.embed([record])
        return True

    async def reindex_all(self, *, progress: Progress | None = None) -> int:
        """Embed whatever is pending and build the words and vector index anew; return how many memories there are."""
        if self._core.index.available:
            await self._core.index.embed_pending(progress=progress)
        await self._core.store.rebuild()
        return await self.count()


def _document_id(chunks: Sequence[str], title: str | None, source: str | None) -> str:
    """Derive a document's id from what it says, so that the same document again is the same one."""
    digest = embedding_hash("\x1e".join([title or "", source or "", *chunks]))
    return digest.hex()[:20]
