"""The three requests of a search, answered in as few round trips as they can be.

What does not depend on each other is sent as one pipeline; a candidate is read together with its neighbours, its
vectors and its score by one statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.roles import SPELLINGS
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import attempts, hnsw, nearest, rows, vectors, words
from agent_memory.storage.postgres.connection import Server
from agent_memory.storage.postgres.hnsw import IndexKind
from agent_memory.storage.postgres.reading import Scope, fetch_all
from agent_memory.storage.postgres.session import Connection
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
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.porter import unstemmed
from agent_memory.vectors import Vector

if TYPE_CHECKING:
    from agent_memory.storage.base import EmbeddingSpace


class Facts(NamedTuple):
    """What the first round trip of a search learns."""

    terms: list[str]
    statistics: WordStatistics | None
    key: list[str]
    space: EmbeddingSpace | None
    kind: IndexKind
    """Of the index over the current space's vectors."""
    pending: int
    failed: int


# --- before the query has a vector ------------------------------------------------------------------------------


async def facts(connection: Connection, scope: Scope, request: CandidateRequest) -> Facts:
    """Read in one round trip what a search has to know before it retrieves candidates by keyword."""
    statements: list[Sql] = []
    prefixes = [prefix for prefix in request.prefixes if is_code(prefix)]
    asks_words = bool(request.terms or prefixes)
    if asks_words:
        statements.append(words.statistics_query(scope, request.terms))
        statements += [words.beginning_query(scope, prefix, request.prefix_limit) for prefix in prefixes]
    where = with_key(request)
    if where is not None:
        sql, values = scope.condition(where)
        newest = f"order by m.created_at desc, m.place desc limit {MOST_WITH_KEY}"
        statements.append((f"select m.id from memory as m where {sql} {newest}", values))
    if request.embeddings:
        statements += [vectors.spaces_query(scope), hnsw.kind_query(scope), *_pending_queries(scope)]
    answers = iter(await fetch_all(connection, statements))
    terms: list[str] = []
    statistics = None
    if asks_words:
        statistics = words.statistics_of(next(answers)[0], request.terms)
        begun: dict[str, int] = {}
        for _ in prefixes:
            begun |= dict(next(answers)[: max(0, request.prefix_limit - len(begun))])
        terms = distinct([*request.terms, *map(unstemmed, begun)])
        statistics = words.with_more(statistics, begun)
    key = [row[0] for row in next(answers)] if where is not None else []
    if not request.embeddings:
        return Facts(terms, statistics if terms else None, key, None, IndexKind.NONE, 0, 0)
    spaces = vectors.spaces_of(next(answers))
    space = spaces[0] if spaces and spaces[0].current else None
    kind = hnsw.kind_of(next(answers))
    pending, failed = (rows_[0][0] for rows_ in answers)
    return Facts(terms, statistics if terms else None, key, space, kind, pending, failed)


def _pending_queries(scope: Scope) -> list[Sql]:
    """Write the queries that count what is pending in the current space, and what of it has failed."""
    space = f"(select id from embedding_space where agent = {scope.number} and current)"
    queries = []
    for failed in (None, True):
        sql, values = attempts.pending_condition(scope, space, failed)
        queries.append((f"select count(*) from memory as m where {sql}", values))
    return queries


async def candidates(
    connection: Connection, scope: Scope, request: CandidateRequest, known: Facts, outdated: int
) -> Candidates:
    """Add the candidates by keyword to what is known of a search."""
    keyword: dict[str, float] = {}
    if known.statistics is not None:
        condition = scope.condition(request.where)
        keyword = dict(await words.best_of(connection, scope, known.statistics, condition, request.limit))
    return Candidates(
        terms=known.terms,
        statistics=known.statistics,
        keyword=keyword,
        key=known.key,
        space=known.space,
        pending=known.pending,
        failed=known.failed,
        outdated=outdated,
    )


# --- by vector --------------------------------------------------------------------------------------------------


async def vector_candidates(
    connection: Connection,
    server: Server,
    scope: Scope,
    request: VectorRequest,
    sample: vectors.Sample | None,
) -> tuple[VectorCandidates, vectors.Sample | None]:
    """Return the nearest memories and a sample of vectors; in one round trip where nothing is filtered.

    Args:
        connection: a connection outside any transaction.
        server: the server, for what its pgvector can do.
        scope: the agent.
        request: what is asked.
        sample: the sample of an earlier call.

    Returns:
        The candidates, and the sample to hand in at the next call.
    """
    space, searched = request.space, scope.searched
    if (
        space is None
        or searched is None
        or searched.id != space.id
        or request.where != Where()
        or len(request.vector) != 4 * space.dimension
    ):
        return await _one_after_another(connection, server, scope, request, sample)
    condition = scope.condition(request.where)
    walk = nearest.first_walk(scope, space, request.vector, condition, request.limit, searched.kind)
    with connection.looking_up(in_large=searched.has_table):
        near, last = await fetch_all(connection, [walk, vectors.last_query(scope, space.id)])
    answer = nearest.settled(near, request.limit, searched.kind)
    if answer is None:
        return await _one_after_another(connection, server, scope, request, sample)
    stored = int(last[0][0])
    compared = stored if answer.compared is None else answer.compared
    if not request.sample:
        return VectorCandidates(dict(answer.memories), compared=compared), sample
    sample = await vectors.sample_of(connection, scope, space.id, stored, request.sample, sample)
    return VectorCandidates(dict(answer.memories), sample.vectors, compared), sample


async def _one_after_another(
    connection: Connection,
    server: Server,
    scope: Scope,
    request: VectorRequest,
    sample: vectors.Sample | None,
) -> tuple[VectorCandidates, vectors.Sample | None]:
    answer = await nearest.nearest(connection, server, scope, request.vector, request.where, request.limit)
    if request.sample:
        sample = await vectors.sample(connection, scope, request.sample, sample)
    drawn = sample.vectors if request.sample and sample is not None else []
    compared = answer.compared
    if compared is None and sample is not None:
        compared = round(answer.share * sample.counted)  # known to the next lower power of two
    return VectorCandidates(dict(answer.memories), drawn, compared), sample


# --- all that scores candidates -----------------------------------------------------------------------------------


async def search_context(connection: Connection, scope: Scope, request: ContextRequest) -> SearchContext:
    """Read candidates with their neighbours in their conversations, vectors and scores, in one round trip."""
    if not request.ids:
        return SearchContext()
    sql, values = _context_query(scope, request)
    fetched = (await fetch_all(connection, [(sql, values)]))[0]
    width = len(fetched[0]) - 4 if fetched else 0
    read = {record.id: record for record in scope.memories(row[:width] for row in fetched)}
    beside = {row[1]: row[width:] for row in fetched}
    records: dict[str, MemoryRecord] = {item: read[item] for item in request.ids if item in read}
    following = [beside[item][0] for item, record in records.items() if request.asks(record)]
    answers = {item: read[item] for item in following if item in read and item not in records}
    records.update(admitted(request.where, answers))
    before = {
        item: str(beside[item][1])
        for item, record in records.items()
        if beside[item][1] is not None and request.answers(record)
    }
    questions = {item: read[item] for item in before.values() if item in read and item not in records}
    wanted = [*records, *questions]
    scores = {item: float(beside[item][2]) for item in wanted if beside[item][2] is not None}
    segments = {item: _segments(beside[item][3], request) for item in wanted if beside[item][3] is not None}
    return SearchContext(records, questions, before, segments, with_known(request, scores))


_BESIDE = (
    "select here.memory as of, other.place, other.id from conversation as here cross join lateral"
    " (select m.id, m.place from conversation as c join memory as m on m.agent = {agent} and m.place = c.memory"
    " where c.agent = {agent} and c.conversation_id = here.conversation_id and c.kind = 'message'"
    " and c.position {sign} here.position and m.status = 'active' and (m.expires_at is null or m.expires_at > %s)"
    " order by c.position {order} limit 1) as other"
    " where here.agent = {agent} and here.kind = 'message' and {condition}"
)
_ASKS = "(m.content like '%%?%%' or m.content like '%%？%%' or m.content like '%%؟%%')"
"""Holds for all memories that ask something, and for some others."""


def _context_query(scope: Scope, request: ContextRequest) -> Sql:
    """Write the query: rows of memories, and behind each the messages after and before it, its score, its vectors."""
    agent, moment = scope.number, clock.now()
    after = _BESIDE.format(
        agent=agent, sign=">", order="asc", condition="here.memory in (select place from chosen where asks)"
    )
    before = _BESIDE.format(
        agent=agent,
        sign="<",
        order="desc",
        condition="here.memory in (select place from chosen union select place from after)"
        " and (here.name is not null or here.role = any(%s))",
    )
    score, score_values = _missing_score(scope, request)
    segments = "null"
    if request.space is not None:
        segments = (
            "(select string_agg(vector_send(e.vector), ''::bytea order by e.piece) from embedding as e"
            f" where e.agent = {agent} and e.space = {request.space.id} and e.text_hash = m.embedded_hash)"
        )
    query = (
        f"with chosen as materialized (select m.place, {_ASKS} as asks from memory as m"
        f" where m.agent = {agent} and m.id = any(%s)), after as materialized ({after}),"
        f" before as materialized ({before}), wanted as materialized (select place from chosen"
        " union select place from after union select place from before)"
        f" {rows.columns(agent)}, (select id from after where after.of = m.place),"
        f" (select id from before where before.of = m.place), {score}, {segments}"
        f" from wanted join memory as m on m.agent = {agent} and m.place = wanted.place"
        " left join usage as u on u.agent = m.agent and u.memory = m.place"
    )
    if score_values:
        query += f" cross join {words.KNOWN}"
    ids = [memory_id for memory_id in request.ids if "\0" not in memory_id]
    return query, [ids, moment, moment, list(SPELLINGS["user"]), *score_values]


def _missing_score(scope: Scope, request: ContextRequest) -> Sql:
    """Write the score of what has none yet, null for the others."""
    if request.statistics is None:
        return "null", []
    known = words.score_query(scope, request.statistics)
    if known is None:
        return "null", []
    condition = "not m.id = any(%s) and m.lexemes @@ %s::tsquery"
    values = [list(request.scored), known.any_of, *known.values]
    return f"case when {condition} then {known.sql} end", values


def _segments(packed: bytes, request: ContextRequest) -> list[Vector]:
    """Return vectors as float32 from pgvector's own form: two numbers of two bytes, then big-endian floats."""
    import numpy as np

    assert request.space is not None
    size = 4 + 4 * request.space.dimension
    return [
        Vector(np.frombuffer(packed[start + 4 : start + size], ">f4").astype("<f4").tobytes())
        for start in range(0, len(packed), size)
    ]
