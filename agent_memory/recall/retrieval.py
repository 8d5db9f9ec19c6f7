"""Retrieving the candidates of a search: by keyword, by vector and by key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

from agent_memory.errors import CapabilityError
from agent_memory.hints import Hint
from agent_memory.recall import constants
from agent_memory.recall.pending_notices import PendingNotices
from agent_memory.recall.query import Mode, Query, SearchRequest
from agent_memory.recall.relevance import DEFAULT_BACKGROUND, BackgroundDistribution
from agent_memory.recall.semantic_index import NOT_AT_HAND, SemanticIndex
from agent_memory.storage.base import EmbeddingSpace, Store, vector_store
from agent_memory.storage.retrieval import CandidateRequest, Candidates, VectorRequest
from agent_memory.text.analysis import query_words, terms_of

if TYPE_CHECKING:
    from agent_memory.vectors import Vector


class Retrieved(NamedTuple):
    """A prepared query, and what the retrievers returned for it."""

    query: Query
    keyword: Mapping[str, float]
    """BM25 scores by memory id, best first."""
    vector: Mapping[str, float]
    """Cosines by memory id, nearest first."""
    key: Sequence[str]
    """Ids of memories whose key the query is."""
    sample: Sequence[Vector] = ()
    """Vectors that stand for all of the store."""
    space: EmbeddingSpace | None = None
    """The current embedding space, where vectors take part."""
    outdated: int = 0
    """Memories whose words an older analyser indexed."""
    background: BackgroundDistribution = DEFAULT_BACKGROUND
    """What the cosines of unrelated texts look like to the embedder."""
    compared: int = 0
    """Vectors that the filter admits, at least about; memories of the store where vectors take no part."""

    @property
    def ids(self) -> list[str]:
        """Every candidate once, those by keyword first."""
        return list(dict.fromkeys([*self.keyword, *self.vector, *self.key]))

    @property
    def retrievers(self) -> list[str]:
        """The names of the retrievers that took part."""
        by_name = {"words": self.query.terms, "meaning": self.query.vector, "key": self.key}
        return [name for name, part in by_name.items() if part]

    def retrievers_of(self, memory_id: str) -> tuple[str, ...]:
        """Return the names of the retrievers that returned a memory."""
        by_name = {"words": self.keyword, "meaning": self.vector, "key": self.key}
        return tuple(name for name, ids in by_name.items() if memory_id in ids)


class Retriever:
    """Retrieves the candidates of a search from one store."""

    def __init__(self, store: Store, index: SemanticIndex) -> None:
        self._store = store
        self._index = index
        self._pending = PendingNotices(store, index)

    def check(self, request: SearchRequest) -> None:
        """Check that the store and the embedder can do what is asked for.

        Raises:
            ConfigurationError: vectors are needed and there is no embedder.
            CapabilityError: the store has no full text and keywords are needed, or it cannot search at all.
        """
        if request.mode == "vector":
            self._index.require()
        elif not self._store.capabilities.full_text:
            if request.mode == "keyword":
                raise CapabilityError(self._store.name, "full-text search")
            if not self._store.capabilities.vectors:
                raise CapabilityError(self._store.name, "search")
            self._index.require()  # vectors are all there is to find by

    @asynccontextmanager
    async def embedding(self, text: str | None, mode: Mode) -> AsyncIterator[Awaitable[Vector] | None]:
        """Embed a query while the caller does something else before its search; None where that needs no vector."""
        if not isinstance(text, str) or not text.strip() or mode == "keyword" or not self._index.available:
            yield None
            return
        try:
            await self._index.prepare()
        except NOT_AT_HAND:  # the search says so, or does without
            yield None
            return
        task = asyncio.create_task(self._index.embed_query(text))
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # for the search to raise; where there was none, for nobody

    async def retrieve(self, request: SearchRequest, notices: list[str]) -> Retrieved:
        """Let each retriever return its best candidates; `notices` gets a line for what was left out.

        Returns:
            The prepared query, and what each retriever returned for it.

        Raises:
            EmbeddingMismatchError: an embedder was named that differs from the store's.
        """
        by_keyword = request.mode != "vector" and self._store.capabilities.full_text
        by_vector = request.mode != "keyword" and self._index.available
        words = query_words(request.text)[: constants.MOST_TERMS] if by_keyword else []
        asked = CandidateRequest(
            where=request.where,
            limit=request.candidates,
            terms=terms_of(words)[: constants.MOST_TERMS],
            prefixes=[word.whole for word in words],
            prefix_limit=constants.MOST_BEGUN,
            key=request.key,
            embeddings=by_vector,
        )
        # The words are looked for while the model embeds the query.
        retrieving = asyncio.create_task(self._store.candidates(asked))
        try:
            vector = await self._vector(request, notices, retrieving) if by_vector else None
            candidates = await retrieving
        except BaseException:
            retrieving.cancel()
            raise
        terms, unread = list(candidates.terms), False
        if vector is not None:
            candidates = await self._pending.embed_some(candidates, notices)
            unread = bool(terms) and self._index.language_coverage(request.text) < constants.READABLE
        query = Query(request.text, words, terms, None if unread else vector, candidates.statistics, unread)
        return await self._with_nearest(request, query, candidates)

    async def _with_nearest(self, request: SearchRequest, query: Query, candidates: Candidates) -> Retrieved:
        """Add the candidates by vector to those by keyword and by key."""
        documents = 0 if query.statistics is None else query.statistics.documents
        retrieved = Retrieved(
            query, candidates.keyword, {}, candidates.key, outdated=candidates.outdated, compared=documents
        )
        if query.vector is None:
            return retrieved
        answer = await vector_store(self._store).vector_candidates(
            VectorRequest(
                vector=query.vector,
                where=request.where,
                limit=request.candidates,
                space=candidates.space,
                sample=constants.SAMPLE,
            )
        )
        compared = answer.compared
        return retrieved._replace(
            vector=answer.nearest,
            sample=answer.sample,
            space=candidates.space,
            background=await self._index.background(),
            compared=max(documents, len(answer.nearest)) if compared is None else compared,
        )

    async def _vector(
        self, request: SearchRequest, notices: list[str], retrieving: asyncio.Task[Candidates]
    ) -> Vector | None:
        """Embed the query; None where that is not possible and keywords can do without.

        Returns:
            The vector, or None.

        Raises:
            EmbeddingError, MissingDependencyError, ConfigurationError, PolicyError: it is not possible, and nothing
                else finds anything, or an embedder was named that the store's vectors are not from.
        """  # noqa: DOC501
        try:
            return await self._comparable_vector(request, retrieving)
        except NOT_AT_HAND as error:
            if (
                request.mode == "vector"
                or self._index.refuses(error)
                or not self._store.capabilities.full_text
            ):
                raise
            notices.append(Hint("searched by words only: {error}", error=error))
            return None

    async def _comparable_vector(
        self, request: SearchRequest, retrieving: asyncio.Task[Candidates]
    ) -> Vector:
        """Embed a query, and check that the store's vectors may be compared with it."""
        await self._index.prepare()
        try:
            vector = await (request.embedding or self._index.embed_query(request.text))
        except NOT_AT_HAND:
            self._index.check_space((await retrieving).space)  # where it would be of no use, that says more
            raise
        self._index.check_space((await retrieving).space)
        return vector
