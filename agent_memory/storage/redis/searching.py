"""The requests of a search, each answered in one or two round trips.

Filters that the search module, or without it the sets of ids, do not know are left to the single methods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent_memory import clock
from agent_memory.errors import BackendError
from agent_memory.records import MemoryRecord
from agent_memory.storage import listing
from agent_memory.storage.base import EmbeddingSpace, KeywordStore, unique
from agent_memory.storage.documents import Document, Manifest, Nearest, Query, VectorDocuments, is_message
from agent_memory.storage.redis import narrowing, vectors, words
from agent_memory.storage.redis.connection import Mode, translated
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.search import SearchModule
from agent_memory.storage.retrieval import (
    MOST_WITH_KEY,
    CandidateRequest,
    Candidates,
    ContextRequest,
    SearchContext,
    VectorCandidates,
    VectorRequest,
    admitted,
    with_key,
    with_known,
)
from agent_memory.storage.where import Where
from agent_memory.text.analysis import distinct, is_code
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem, unstemmed

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_WITH_KEY: Final = """
local found = {}
for place, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local values = redis.call('HMGET', ARGV[1] .. id, 'json', 'accessed_at', 'access_count')
  found[place] = {id, values[1], values[2], values[3]}
end
return found
"""
_WHOLE: Final = """
local function whole(id)
  local found = redis.call('HMGET', ARGV[1] .. id, 'json', 'accessed_at', 'access_count', 'words')
  local vectors = {}
  if ARGV[2] ~= '' then
    local segment = 0
    local vector = redis.call('HGET', ARGV[2] .. id .. ':' .. segment, 'vector')
    while vector do
      vectors[segment + 1] = vector
      segment = segment + 1
      vector = redis.call('HGET', ARGV[2] .. id .. ':' .. segment, 'vector')
    end
  end
  return {id, found[1], found[2], found[3], found[4], vectors}
end
"""
_READ: Final = (
    _WHOLE
    + """
local found = {}
for place = 3, #ARGV do found[place - 2] = whole(ARGV[place]) end
return found
"""
)
_BESIDE: Final = (
    _WHOLE
    + """
local found = {}
for place, key in ipairs(KEYS) do
  local here, order = ARGV[2 * place + 1], ARGV[2 * place + 2]
  local ids
  if order == 'after' then
    ids = redis.call('ZRANGEBYSCORE', key, '(' .. here, '+inf', 'LIMIT', 0, 2)
  else
    ids = redis.call('ZREVRANGEBYSCORE', key, '(' .. here, 0, 'LIMIT', 0, 2)
  end
  local documents = {}
  for number, id in ipairs(ids) do documents[number] = whole(id) end
  found[place] = documents
end
return found
"""
)
_LOOKED_AT: Final = 2
"""Messages looked at for the one beside another: most often the first is active."""


class _Entry(NamedTuple):
    """A memory as a script reads it."""

    record: MemoryRecord
    words: str
    vectors: Sequence[Vector]


class _IncompleteError(Exception):
    """What the short way cannot answer, and the single methods can."""


_Answered = Callable[[Sequence[Any]], tuple[WordStatistics, dict[str, float]]]
"""Reads the answers to a search by keyword: the statistics, and the best by score."""


def _known_all(
    statistics: WordStatistics, ranked: Sequence[tuple[str, float]] | None, limit: int
) -> tuple[WordStatistics, dict[str, float]]:
    if ranked is None:
        raise _IncompleteError
    return statistics, dict(ranked[:limit])


class Searching(VectorDocuments, KeywordStore):
    """The part of `RedisStore` that answers a search."""

    _url: str
    _keys: Keys
    _client: Any
    _module: SearchModule | None
    _mode: Mode
    _most: int
    _copies: dict[int, vectors.Copy]
    _all_renewed: bool
    _manifest_read: Manifest
    """The manifest as it was last read."""

    if TYPE_CHECKING:

        def _documents(self, answers: Mapping[str, Sequence[Any]]) -> dict[str, Document]:
            """Read documents, given by id as JSON, the last access and their number."""

    async def _manifest(self) -> Manifest:
        self._manifest_read = await super()._manifest()
        return self._manifest_read

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        query = Query(where=request.where, now=clock.now())
        outdated = 0 if self._all_renewed else await self.outdated_count()
        try:
            with translated(self._url):
                return (await self._retrieved(request, query))._replace(outdated=outdated)
        except _IncompleteError:
            return await super()._candidates(request)

    def _ask_keyword(self, pipe: Any, terms: Sequence[str], query: Query, limit: int) -> _Answered:
        """Put into a pipeline the search by keyword, and return what reads its answers.

        Returns:
            A function that is given the answers to what was put into the pipeline.

        Raises:
            _IncompleteError: neither the module nor the sets know the filter.
        """
        module = self._module
        if module is None:
            rule = narrowing.rule(self._keys, query)
            if rule is None:
                raise _IncompleteError
            stems = words.ask(pipe, self._keys, terms, rule)
            return lambda answers: _known_all(*words.answered(answers[0], stems), limit)
        if not query.plain:
            raise _IncompleteError
        wanted = max(4 * limit, 50)
        asked = module.ask(pipe, terms, query, wanted)

        def answered(answers: Sequence[Any]) -> tuple[WordStatistics, dict[str, float]]:
            statistics, ranked, complete = module.answered(answers, asked, wanted)
            if len(ranked) < limit and not complete:
                raise _IncompleteError
            return statistics, dict(ranked[:limit])

        return answered

    async def _retrieved(self, request: CandidateRequest, query: Query) -> Candidates:
        prefixes = [prefix for prefix in request.prefixes if is_code(prefix)]
        terms = list(request.terms)
        if prefixes:
            begun: list[str] = []
            for prefix in prefixes:
                left = request.prefix_limit - len(begun)
                begun += await words.beginning(self._client, self._keys, prefix, left) if left > 0 else []
            terms = distinct([*terms, *map(unstemmed, begun)])
        pipe = self._client.pipeline(transaction=False)
        pipe.get(self._keys("head"))
        guessed = self._manifest_read.current()
        if request.embeddings:
            pipe.sdiff([self._keys("status", "active"), self._embedded(guessed)])
        where = with_key(request)
        if where is not None:
            pipe.eval(_WITH_KEY, 1, self._keys("key", str(request.key)), self._keys.document(""))
        answered = self._ask_keyword(pipe, terms, query, request.limit) if terms else None
        text, *answers = await pipe.execute()
        waiting = answers.pop(0) if request.embeddings else ()
        self._manifest_read = Manifest.from_json(text.decode()) if text is not None else self._manifest_read
        answer = Candidates(terms)
        if where is not None:
            answer = answer._replace(key=self._with_key(answers.pop(0), where))
        if answered is not None:
            statistics, ranked = answered(answers)
            answer = answer._replace(statistics=statistics, keyword=ranked)
        if not request.embeddings:
            return answer
        space = self._manifest_read.current()
        if waiting or self._embedded(space) != self._embedded(guessed):
            pending = await self.pending_count()
            failed = await self.pending_count(failed=True) if pending else 0
            return answer._replace(space=space, pending=pending, failed=failed)
        return answer._replace(space=space)

    def _embedded(self, space: EmbeddingSpace | None) -> str:
        return self._keys("embedded", 0 if space is None else space.id)

    def _with_key(self, fetched: Sequence[Sequence[Any]], where: Where) -> list[str]:
        """Return the newest of the documents with a key that a filter admits."""
        now = clock.now()
        documents = self._documents({memory_id.decode(): values for memory_id, *values in fetched})
        fitting = [item for item in documents.values() if where.matches(item.record, now)]
        fitting.sort(key=lambda item: (item.record.created_at, item.sequence), reverse=True)
        return [item.id for item in fitting[:MOST_WITH_KEY]]

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        query = Query(where=request.where, now=clock.now())
        space = request.space
        if space is None or len(request.vector) != 4 * space.dimension or request.limit < 1:
            return await super()._vector_candidates(request)
        with translated(self._url):
            if self._module is not None:
                ranked = await self._by_module(self._module, space, request, query)
            else:
                ranked = await self._unfiltered(space, request, query)
        if ranked is None:
            return await super()._vector_candidates(request)
        sample = await self._sample_of(self._manifest_read, request.sample) if request.sample else []
        # Of many that a filter admits it is not known how many they are; they are no more than all.
        most = self._manifest_read.vectors.get(space.id, 0)
        return VectorCandidates(ranked, sample, most if len(ranked) >= request.limit else len(ranked))

    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        query = Query(where=where, now=clock.now())
        space = self._manifest_read.current()
        if (
            self._module is not None
            and space is not None
            and len(vector) == 4 * space.dimension
            and query.plain
        ):
            ranked = await self._in_space(self._module, space, vector, query, limit)
            if ranked is not None:
                return list(ranked.items())
        return await super()._by_vector(vector, where, limit)

    async def _in_space(
        self, module: SearchModule, space: EmbeddingSpace, vector: Vector, query: Query, limit: int
    ) -> dict[str, float] | None:
        """Search a space, and look in the same round trip whether it is the current one.

        Returns:
            None where it is not, or where the module refused or returned too few.
        """
        with translated(self._url):
            pipe = self._client.pipeline(transaction=False)
            pipe.get(self._keys("head"))
            module.ask_nearest(pipe, space, vector, query, limit)
            text, answer, _ = await pipe.execute(raise_on_error=False)
        if not isinstance(text, bytes) or isinstance(answer, Exception):
            return None
        self._manifest_read = Manifest.from_json(text.decode())
        if self._manifest_read.current() != space:
            return None
        return _best(module.nearest_answered(answer, query, limit), limit)

    async def _by_module(
        self, module: SearchModule, space: EmbeddingSpace, request: VectorRequest, query: Query
    ) -> dict[str, float] | None:
        """Ask the search module; None where it does not know the filter, or returned too few."""
        if not query.plain:
            return None
        return _best(await module.nearest(space, request.vector, query, request.limit), request.limit)

    async def _unfiltered(
        self, space: EmbeddingSpace, request: VectorRequest, query: Query
    ) -> dict[str, float] | None:
        """Ask the vector set, or compare the copy here; None where there is a filter, or too few are admitted."""
        rule = narrowing.rule(self._keys, query, self._keys("embedded", space.id))
        if rule is None or query.where != Where():
            return None
        if self._mode == "vector-sets":
            statuses = [status.value for status in query.where.statuses]
            nearest = await vectors.admitted_by_set(
                self._client, self._keys, space, request.vector, statuses, request.limit, rule
            )
            return nearest.best(request.limit)
        return (await self._compared(space, request, rule)).best(request.limit)

    async def _compared(
        self, space: EmbeddingSpace, request: VectorRequest, rule: Sequence[str | int]
    ) -> vectors.Admitted:
        """Compare the copy of the vectors; where nothing has changed since it was read, in one round trip."""
        copy = self._copies.setdefault(space.id, vectors.Copy())
        nearest = copy.nearest(space, request.vector, request.limit)
        ids = unique(memory_id for memory_id, _ in nearest.candidates)
        pipe = self._client.pipeline(transaction=False)
        pipe.scard(self._keys("embedded", space.id))
        copy.ask_moved(pipe, self._keys, space)
        vectors.ask_places(pipe, self._keys, ids, rule)
        there, moved, answer = await pipe.execute()
        self._check_number(there)
        if moved:
            await copy.refresh(self._client, self._keys, space, self._read, moved)
            nearest = copy.nearest(space, request.vector, request.limit)
            pipe = self._client.pipeline(transaction=False)
            vectors.ask_places(pipe, self._keys, unique(item for item, _ in nearest.candidates), rule)
            (answer,) = await pipe.execute()
        return vectors.Admitted(nearest, vectors.places_of(*answer))

    def _check_number(self, there: int) -> None:
        """Raise a BackendError if there are more vectors than may be compared here."""
        if there > self._most:
            raise BackendError(
                f"{there} memories would have to be compared, and most_scanned is {self._most}",
                hint="use a Redis with vector sets or the search module, or set backend_config.most_scanned",
            )

    async def _search_context(self, request: ContextRequest) -> SearchContext:
        if not request.ids:
            return await super()._search_context(request)
        with translated(self._url):
            return await self._read_context(request)

    async def _read_context(self, request: ContextRequest) -> SearchContext:
        entries = await self._entries(request, unique(request.ids))
        records = {item: entries[item].record for item in request.ids if item in entries}
        places = [
            (record, order)
            for order, wanted in (("after", request.asks), ("before", request.answers))
            for record in records.values()
            if is_message(record) and listing.placed(record) is not None and wanted(record)
        ]
        beside, more = await self._beside(request, places)
        entries = {**more, **entries}
        following = {item: other for (item, order), other in beside.items() if order == "after"}
        before = {item: other for (item, order), other in beside.items() if order == "before"}
        answers = {item: entries[item].record for item in following.values() if item not in records}
        answers = admitted(request.where, answers)
        for item, record in answers.items():
            if request.answers(record) and item not in before:
                before |= await self._before(record, following, records)
        records.update(answers)
        missing = [item for item in before.values() if item not in entries]
        entries |= await self._entries(request, missing) if missing else {}
        questions = {item: entries[item].record for item in before.values() if item not in records}
        ids = [*records, *questions]
        scores = _scores(request, {item: entries[item].words for item in ids})
        segments = {item: entries[item].vectors for item in ids if entries[item].vectors}
        return SearchContext(records, questions, before, segments, with_known(request, scores))

    async def _entries(self, request: ContextRequest, ids: Sequence[str]) -> dict[str, _Entry]:
        """Read memories with their words and vectors, by id."""
        return self._read_entries(await self._client.eval(_READ, 0, *self._roots(request), *ids))

    def _roots(self, request: ContextRequest) -> tuple[str, str]:
        """Return what the keys of documents and of vectors begin with; empty where no vectors are wanted."""
        space = request.space
        return self._keys.document(""), "" if space is None else self._keys("vec", space.id) + ":"

    def _read_entries(self, rows: Sequence[Sequence[Any]]) -> dict[str, _Entry]:
        documents = self._documents({memory_id.decode(): values for memory_id, *values, _, _ in rows})
        return {
            memory_id: _Entry(documents[memory_id].record, (stems or b"").decode(), vectors)
            for name, *_, stems, vectors in rows
            if (memory_id := name.decode()) in documents
        }

    async def _beside(
        self, request: ContextRequest, places: Sequence[tuple[MemoryRecord, str]]
    ) -> tuple[dict[tuple[str, str], str], dict[str, _Entry]]:
        """Return the ids of the active messages before and after messages, and these messages themselves."""
        if not places:
            return {}, {}
        names: list[str] = []
        arguments: list[str] = []
        for record, order in places:
            conversation, here = listing.placed(record) or ("", 0)
            names.append(self._keys("conversation", conversation))
            arguments += [str(here), order]
        answers = await self._client.eval(_BESIDE, len(names), *names, *self._roots(request), *arguments)
        now = clock.now()
        result: dict[tuple[str, str], str] = {}
        entries: dict[str, _Entry] = {}
        for (record, order), rows in zip(places, answers, strict=True):
            near = self._read_entries(rows)
            entries |= near
            live = [
                item
                for item, entry in near.items()
                if is_message(entry.record) and listing.live(entry.record, now)
            ]
            if not live and len(rows) == _LOOKED_AT:  # many were archived
                live = list((await self.adjacent([record.id], 1 if order == "after" else -1)).values())
            if live:
                result[record.id, order] = live[0]
        far = [item for item in result.values() if item not in entries]
        return result, entries | (await self._entries(request, far) if far else {})

    async def _before(
        self, answer: MemoryRecord, following: Mapping[str, str], records: Mapping[str, MemoryRecord]
    ) -> dict[str, str]:
        """Return the id of the message before an answer, by the answer's id: most often that which it follows."""
        now = clock.now()
        asked = [
            item
            for item, other in following.items()
            if other == answer.id and listing.live(records[item], now)
        ]
        if asked:
            return {answer.id: max(asked, key=lambda item: listing.placed(records[item]) or ("", 0))}
        return await self.adjacent([answer.id], -1)


def _scores(request: ContextRequest, texts: Mapping[str, str]) -> dict[str, float]:
    """Return the BM25 scores of memories whose score is not known yet, from their stems."""
    statistics: WordStatistics | None = request.statistics
    if statistics is None:
        return {}
    stems = set(map(stem, request.terms))
    scores: dict[str, float] = {}
    for memory_id, text in texts.items():
        tokens = text.split(" ") if text else []
        frequencies = {item: many for item, many in Counter(tokens).items() if item in stems}
        if frequencies and memory_id not in request.scored:
            scores[memory_id] = bm25_score(frequencies, len(tokens), statistics)
    return scores


def _best(nearest: Nearest, limit: int) -> dict[str, float] | None:
    """Return the nearest memories with their cosines, nearest first; None where there may be more than were found."""
    best: dict[str, float] = {}
    for memory_id, cosine in nearest.candidates:
        best[memory_id] = max(cosine, best.get(memory_id, -2.0))
    if len(best) < limit and not nearest.complete:
        return None
    return dict(sorted(best.items(), key=lambda pair: -pair[1])[:limit])
