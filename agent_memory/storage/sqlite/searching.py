"""The three requests of a search, each answered in one visit to the thread that owns the connection."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord
from agent_memory.storage.sqlite import (
    attempts,
    binary_quantisation,
    driver,
    index,
    nearest,
    reading,
    renewing,
    spaces,
    vectors,
    words,
)
from agent_memory.storage.sqlite import connection as opening
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.handle import FileStore
from agent_memory.text.analysis import distinct, is_code
from agent_memory.text.porter import unstemmed

if TYPE_CHECKING:
    from agent_memory.storage.base import EmbeddingSpace
    from agent_memory.storage.retrieval import (
        CandidateRequest,
        Candidates,
        ContextRequest,
        SearchContext,
        Selection,
        VectorCandidates,
        VectorRequest,
    )
    from agent_memory.vectors import Vector


class SearchingStore(FileStore):
    """The part of `SqliteStore` that answers a search."""

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        return await self._read_words(lambda connection: self._retrieved(connection, request))

    def _retrieved(self, connection: Connection, request: CandidateRequest) -> Candidates:
        from agent_memory.storage.retrieval import MOST_WITH_KEY, Candidates, with_key

        answer, kept = Candidates(), self._kept_in(connection)
        with self._asking_words():
            terms = distinct([*request.terms, *_begun(connection, request)])
            if terms:
                best, kept.selection = words.best(
                    connection,
                    terms,
                    request.where,
                    reading.condition(request.where),
                    request.limit,
                    kept.selection,
                )
                statistics = kept.statistics.of(connection, terms)
                answer = Candidates(terms, statistics, dict(best))
        if (where := with_key(request)) is not None:
            answer = answer._replace(key=reading.newest_ids(connection, where, MOST_WITH_KEY))
        if request.embeddings:
            if kept.spaces is None:
                kept.spaces = spaces.spaces(connection)
            space = next((space for space in kept.spaces if space.current), None)
            pending = attempts.count(connection, space)
            failed = attempts.count(connection, space, failed=True) if pending else 0
            answer = answer._replace(space=space, pending=pending, failed=failed)
        if not self._all_renewed:
            answer = answer._replace(outdated=renewing.left(connection))
            self._all_renewed = not answer.outdated
        return answer

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        def work(connection: Connection) -> VectorCandidates:
            with opening.reading(connection):
                space = spaces.current_space(connection)
                generation = index.generation(connection)
                if self._index_in_step(connection, space, generation):
                    return self._nearest(connection, space, generation, request)
            self._load_extension(connection)
            if self._extension:
                with suppress(driver.Error):  # the vectors themselves answer as well, only more slowly
                    self._at_once(connection, index.catch_up)
            with opening.reading(connection):
                space = spaces.current_space(connection)
                return self._nearest(connection, space, index.generation(connection), request)

        return await self._run(work)

    def _index_in_step(self, connection: Connection, space: spaces.Space | None, generation: int) -> bool:
        """Return whether the vector index is up to date, or cannot be brought up to date here."""
        if space is None or self._unwritable is not None or not index.possible(space):
            return True
        known = (space.id, generation)
        if self._kept.in_step_at != known and index.in_step(connection, space):
            self._kept.in_step_at = known  # whatever makes it lag behind moves the generation
        return self._kept.in_step_at == known

    def _nearest(
        self,
        connection: Connection,
        space: spaces.Space | None,
        generation: int,
        request: VectorRequest,
    ) -> VectorCandidates:
        from agent_memory.storage.retrieval import VectorCandidates

        kept = self._kept_in(connection)
        codes = binary_quantisation.load(connection, space, kept.codes, self.damaged, generation)
        if codes is not kept.codes:
            kept.codes = codes
            if codes is None:
                kept.vectors.clear()
            else:
                kept.vectors.keep_only(codes.ids)
        if space is None or codes is None:
            return VectorCandidates(compared=0)
        _check_dimension(request.vector, space)
        condition = reading.condition(request.where)
        best = nearest.nearest(
            connection, codes, kept, request.vector, request.where, condition, request.limit
        )
        if not request.sample:
            return VectorCandidates(dict(best.memories), compared=best.compared)
        kept.sample = vectors.sample(connection, space, request.sample, generation, kept.sample)
        return VectorCandidates(dict(best.memories), kept.sample.vectors, best.compared)

    async def _select_each(self, selections: Sequence[Selection]) -> list[list[MemoryRecord]]:
        context = ReadContext(self.agent_id, self.damaged)

        def listed(connection: Connection, selection: Selection) -> list[MemoryRecord]:
            where, order, limit, word = selection
            if word is None:
                return reading.select(connection, context, where, order, limit, 0)
            with self._asking_words():
                return reading.select_marked(
                    connection, context, where, order, limit, words.expression([word])
                )

        return await self._read_words(
            lambda connection: [listed(connection, selection) for selection in selections]
        )

    async def _search_context(self, request: ContextRequest) -> SearchContext:
        return await self._read_words(lambda connection: self._read_context(connection, request))

    def _read_context(self, connection: Connection, request: ContextRequest) -> SearchContext:
        from agent_memory.storage.retrieval import SearchContext, admitted, unscored, with_known

        context = ReadContext(self.agent_id, self.damaged)
        kept = self._kept_in(connection)
        memories = kept.memories
        records = memories.records(connection, context, request.ids)
        asking = [record.id for record in records.values() if request.asks(record)]
        following = reading.adjacent(connection, asking, 1)
        new = [memory_id for memory_id in following.values() if memory_id not in records]
        records.update(admitted(request.where, memories.records(connection, context, new)))
        answering = [record.id for record in records.values() if request.answers(record)]
        before = reading.adjacent(connection, answering, -1)
        new = [memory_id for memory_id in before.values() if memory_id not in records]
        questions = memories.records(connection, context, new)
        ids = [*records, *questions]
        segments: dict[str, list[Vector]] = {}
        if request.space is not None:
            space = spaces.Space(request.space.id, request.space.dimension)
            keys = memories.segments(connection, ids, space)
            segments = kept.vectors.by_memory(connection, keys, space.dimension)
        scores: dict[str, float] = {}
        missing = unscored(request, ids)
        if request.statistics is not None and missing:
            with self._asking_words():
                stems = memories.stems(connection, missing)
            scores = words.scores(request.terms, stems, request.statistics)
        return SearchContext(records, questions, before, segments, with_known(request, scores))


def _begun(connection: Connection, request: CandidateRequest) -> list[str]:
    """Return what the index holds that begins like a code among the words of the query."""
    terms: list[str] = []
    for prefix in request.prefixes:
        left = request.prefix_limit - len(terms)
        if is_code(prefix) and left > 0:
            terms += map(unstemmed, words.beginning(connection, prefix, left))
    return terms


def _check_dimension(vector: Vector, space: spaces.Space | EmbeddingSpace) -> None:
    if len(vector) != 4 * space.dimension:
        raise ValidationError(
            f"the vector has {len(vector) // 4} dimensions, those of this store {space.dimension}",
            hint="embed the query with the embedder that the store was made with",
        )
