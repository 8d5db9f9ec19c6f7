"""What one search asks of a store: three requests, each of which a backend may answer in one round trip.

A store retrieves candidates and reads what scores them; scoring is the core's. By default each request is answered by
the single methods of `Store`, one after another. A backend behind a network answers it at once in `_candidates`,
`_vector_candidates` and `_search_context`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.storage.base import EmbeddingSpace, KeywordStore, Order, Store, VectorStore
from agent_memory.storage.where import Where
from agent_memory.text.analysis import distinct
from agent_memory.text.bm25 import WordStatistics

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

MOST_WITH_KEY = 3
"""Memories of one key that are candidates; the key is unique within a type."""


class CandidateRequest(NamedTuple):
    """What a search asks for before it has the vector of its query."""

    where: Where
    limit: int
    """Candidates by keyword at most."""
    terms: Sequence[str] = ()
    """Words to look for, as `text.analysis.query_terms` returns them; none where keywords take no part."""
    prefixes: Sequence[str] = ()
    """Words of the query; codes in the index that begin with one of them are looked for as well."""
    prefix_limit: int = 0
    """Words to add for all prefixes together at most."""
    key: str | None = None
    """A key; memories that have it are candidates, whatever else they say."""
    embeddings: bool = False
    """Whether to return the current space and how many texts are pending in it."""


class Candidates(NamedTuple):
    """The answer to a `CandidateRequest`."""

    terms: Sequence[str] = ()
    """The words that were looked for, each once."""
    statistics: WordStatistics | None = None
    """Of these words; None where there are none."""
    keyword: Mapping[str, float] = {}
    """BM25 scores by memory id, best first."""
    key: Sequence[str] = ()
    """Ids of memories with the key."""
    space: EmbeddingSpace | None = None
    pending: int = 0
    """Active memories without vectors in the current space."""
    failed: int = 0
    """Those of them whose text could not be embedded."""
    outdated: int = 0
    """Memories whose words an older analyser indexed."""


class VectorRequest(NamedTuple):
    """What a search asks for with the vector of its query."""

    vector: Vector
    """float32, little endian, unit length."""
    where: Where
    limit: int
    space: EmbeddingSpace | None = None
    """The current space, as far as it is known already."""
    sample: int = 0
    """Vectors wanted to tell what the query's cosines are over the whole store."""


class VectorCandidates(NamedTuple):
    """The answer to a `VectorRequest`."""

    nearest: Mapping[str, float] = {}
    """Cosines by memory id, nearest first."""
    sample: Sequence[Vector] = ()
    compared: int | None = None
    """Vectors that the filter admits, those of all segments: exact where they are few, else about as many; None where
    the store does not know. The more there are, the nearer is one by chance."""


class ContextRequest(NamedTuple):
    """What scores candidates: the memories themselves, and the messages right before and after them."""

    ids: Sequence[str]
    where: Where
    """Decides which of the messages after a candidate are candidates themselves."""
    asks: Callable[[MemoryRecord], bool]
    """Whether the message after a memory is wanted."""
    answers: Callable[[MemoryRecord], bool]
    """Whether the message before a memory is wanted."""
    terms: Sequence[str] = ()
    statistics: WordStatistics | None = None
    """Of the terms; None where keywords take no part."""
    scored: Mapping[str, float] = {}
    """BM25 scores that are known already."""
    space: EmbeddingSpace | None = None
    """The space whose vectors are wanted; None where vectors take no part."""


class SearchContext(NamedTuple):
    """The answer to a `ContextRequest`."""

    records: Mapping[str, MemoryRecord] = {}
    """The candidates, and behind them the messages after them that the filter admits."""
    questions: Mapping[str, MemoryRecord] = {}
    """The messages right before these, unless they are candidates themselves."""
    before: Mapping[str, str] = {}
    """The id of the message before, by the id of a candidate."""
    vectors: Mapping[str, Sequence[Vector]] = {}
    """Of candidates and questions."""
    keyword: Mapping[str, float] = {}
    """BM25 scores of candidates and questions; left out where no word is in the text."""


class Selection(NamedTuple):
    """One list of several that are asked for at once."""

    where: Where
    order: Order
    limit: int
    word: str | None = None
    """Only memories that were indexed with this word; a store without full text then lists none."""


MOST_MARKED = 500
"""Memories with the word of a `Selection` that are ordered, where a store cannot order all that hold a word."""


async def select_each(store: Store, selections: Sequence[Selection]) -> list[list[MemoryRecord]]:
    """Answer several selections by the single methods of a store."""
    return [await _selected(store, selection) for selection in selections]


async def _selected(store: Store, selection: Selection) -> list[MemoryRecord]:
    where, order, limit, word = selection
    if word is not None:
        if not isinstance(store, KeywordStore) or not store.capabilities.full_text:
            return []
        ids = tuple(memory_id for memory_id, _ in await store.by_keyword([word], where, MOST_MARKED))
        if not ids:
            return []
        where = replace(where, ids=ids)
    return await store.select(where, order, limit)


async def candidates(store: Store, request: CandidateRequest) -> Candidates:
    """Answer a request by the single methods of a store."""
    result = Candidates()
    if isinstance(store, KeywordStore):
        begun: list[str] = []
        for prefix in request.prefixes:
            begun += await store.terms_beginning(prefix, request.prefix_limit - len(begun))
        terms = distinct([*request.terms, *begun])
        result = result._replace(outdated=await store.outdated_count(), terms=terms)
        if terms:
            result = result._replace(
                statistics=await store.word_statistics(terms),
                keyword=dict(await store.by_keyword(terms, request.where, request.limit)),
            )
    if isinstance(store, VectorStore) and request.embeddings:
        pending = await store.pending_count()
        result = result._replace(
            space=await store.current_space(),
            pending=pending,
            failed=await store.pending_count(failed=True) if pending else 0,
        )
    if (where := with_key(request)) is not None:
        keyed = await store.select(where, limit=MOST_WITH_KEY)
        result = result._replace(key=[record.id for record in keyed])
    return result


async def vector_candidates(store: VectorStore, request: VectorRequest) -> VectorCandidates:
    """Answer a request by the single methods of a store."""
    nearest = dict(await store.by_vector(request.vector, request.where, request.limit))
    sample = await store.sample_vectors(request.sample) if request.sample else ()
    return VectorCandidates(nearest, sample, len(nearest) if len(nearest) < request.limit else None)


async def search_context(store: Store, request: ContextRequest) -> SearchContext:
    """Answer a request by the single methods of a store."""
    records = dict(await store.get(request.ids))
    asking = [record.id for record in records.values() if request.asks(record)]
    following = await store.adjacent(asking, 1) if asking else {}
    answers = [memory_id for memory_id in following.values() if memory_id not in records]
    records.update(admitted(request.where, await store.get(answers)))
    answering = [record.id for record in records.values() if request.answers(record)]
    before = await store.adjacent(answering, -1) if answering else {}
    questions = await store.get([memory_id for memory_id in before.values() if memory_id not in records])
    ids = [*records, *questions]
    scores: dict[str, float] = {}
    vectors: Mapping[str, Sequence[Vector]] = {}
    if isinstance(store, KeywordStore) and request.statistics is not None:
        scores = await store.word_scores(request.terms, unscored(request, ids))
    if isinstance(store, VectorStore) and request.space is not None:
        vectors = await store.vectors(ids, request.space)
    return SearchContext(records, questions, before, vectors, with_known(request, scores))


def with_key(request: CandidateRequest) -> Where | None:
    """Return the filter for memories that have the key that is asked for; None where none can."""
    where, key = request.where, request.key
    return None if key is None or (where.keys and key not in where.keys) else replace(where, keys=(key,))


def admitted(where: Where, records: Mapping[str, MemoryRecord]) -> dict[str, MemoryRecord]:
    """Return those of the memories that a filter admits now."""
    moment = clock.now()
    return {memory_id: record for memory_id, record in records.items() if where.matches(record, moment)}


def unscored(request: ContextRequest, ids: Sequence[str]) -> list[str]:
    """Return the ids whose BM25 score is not known yet."""
    return [memory_id for memory_id in ids if memory_id not in request.scored]


def with_known(request: ContextRequest, scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores together with those that were known already."""
    return {**request.scored, **scores} if request.statistics is not None else {}
