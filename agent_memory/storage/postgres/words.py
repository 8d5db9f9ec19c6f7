"""Full text: a GIN index over tsvectors of our own making, and FTS5's BM25 in SQL.

`ts_rank` knows nothing of how rare a word is. But of one word it is a function of how often the word occurs alone,
and so gives the count back: the memory's tsvector has as many positions of a word as there are occurrences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import MOST_POSITIONS, lexeme, quoted
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Where
from agent_memory.text.analysis import beyond
from agent_memory.text.bm25 import K1, B, WordStatistics, idf
from agent_memory.text.porter import stem


def _ranks() -> str:
    """Return, as an array in SQL, the `ts_rank` from which a word occurs 1, 2, 3, ... times.

    For one word, all positions being of weight D, it is .1 * sum(1 / i^2 for i to the count) / 1.64493406685
    (PostgreSQL's tsrank.c, `calc_rank_or`). The thresholds lie half-way between two counts.

    Returns:
        The expression in SQL.
    """
    values, total = [], 0.0
    for count in range(1, MOST_POSITIONS + 1):
        before = total
        total += 1 / count**2
        values.append(0.1 * (before + total) / 2 / 1.64493406685)
    # As one constant: the planner would look at each element of an expression that makes an array, for each word.
    return "'{" + ",".join(f"{value:.12f}" for value in values) + "}'::float8[]"


KNOWN: Final = f"(select {_ranks()} as ranks) as known"
"""Read once for all words of a query."""


async def statistics(connection: Connection, scope: Scope, terms: Sequence[str]) -> WordStatistics:
    """Return how many memories there are, their mean length, and how many hold each stemmed term."""
    return statistics_of((await fetch(connection, *statistics_query(scope, terms)))[0], terms)


def statistics_query(scope: Scope, terms: Sequence[str]) -> Sql:
    """Write the query whose one row `statistics_of` reads."""
    query = (
        "select coalesce(sum(documents), 0)::bigint, coalesce(sum(words), 0)::bigint,"
        " (select coalesce(json_object_agg(stem, t.documents), '{}') from term as t"
        f" where t.agent = {scope.number} and t.stem = any(%s)) from agent where number = {scope.number}"
    )
    return query, [_stems(terms)]


def statistics_of(row: Sequence[Any], terms: Sequence[str]) -> WordStatistics:
    """Return the statistics of terms from the row that `statistics_query` reads."""
    documents, words, frequency = row
    return WordStatistics(
        documents=documents,
        mean_length=words / documents if documents else 0.0,
        document_frequency={item: int(frequency.get(item, 0)) for item in _stems(terms)},
    )


def with_more(known: WordStatistics, frequency: Mapping[str, int]) -> WordStatistics:
    """Return statistics of further stems beside those known."""
    return replace(known, document_frequency={**known.document_frequency, **frequency})


def _stems(terms: Sequence[str]) -> list[str]:
    return [key for key in dict.fromkeys(map(stem, terms)) if "\0" not in key]


async def beginning(connection: Connection, scope: Scope, prefix: str, limit: int) -> list[str]:
    """Return the first stems that begin so, ordered by code points."""
    return [row[0] for row in await fetch(connection, *beginning_query(scope, prefix, limit))]


def beginning_query(scope: Scope, prefix: str, limit: int) -> Sql:
    """Write the query for stems that begin so and in how many memories each is."""
    query = (
        f"select stem, documents from term where agent = {scope.number} and stem >= %s and stem < %s"
        f" and documents > 0 order by stem limit {int(limit)}"
    )
    return query, [prefix, beyond(prefix)]


async def best(
    connection: Connection, scope: Scope, terms: Sequence[str], where: Where, limit: int
) -> list[tuple[str, float]]:
    """Return the best matches that a filter admits, with their BM25 scores, best first."""
    known = await statistics(connection, scope, terms)
    return await best_of(connection, scope, known, scope.condition(where), limit)


async def best_of(
    connection: Connection, scope: Scope, known: WordStatistics, condition: Sql, limit: int
) -> list[tuple[str, float]]:
    """Do what `best` does for words whose statistics are known."""
    score = score_query(scope, known)
    if score is None:
        return []
    sql, values = condition
    query = (
        f"select m.id, {score.sql} as score from memory as m, {KNOWN}"
        f" where m.lexemes @@ %s::tsquery and {sql} order by score desc, m.place limit {int(limit)}"
    )
    fetched = await fetch(connection, query, [*score.values, score.any_of, *values])
    return [(row[0], row[1]) for row in fetched]


async def scores(
    connection: Connection, scope: Scope, terms: Sequence[str], ids: Sequence[str]
) -> dict[str, float]:
    """Return the BM25 scores of given memories that hold any of the terms."""
    score = score_query(scope, await statistics(connection, scope, terms))
    if score is None:
        return {}
    query = (
        f"select m.id, {score.sql} from memory as m, {KNOWN}"
        f" where m.agent = {scope.number} and m.id = any(%s) and m.lexemes @@ %s::tsquery"
    )
    return dict(await fetch(connection, query, [*score.values, list(ids), score.any_of]))


class Score(NamedTuple):
    """The score of `memory as m` beside `KNOWN`."""

    sql: str
    """The same for as many words, so that the driver and the server know it again."""
    values: list[Any]
    any_of: str
    """The tsquery for any of the words."""


def score_query(scope: Scope, known: WordStatistics) -> Score | None:
    """Write BM25 in SQL, term by term.

    Returns:
        The score; None where no memory holds any of the words.
    """
    stems = [item for item, count in known.document_frequency.items() if count]
    if not stems:
        return None
    values: list[Any] = []
    lexemes = [quoted(lexeme(scope.number, item)) for item in stems]
    for item, text in zip(stems, lexemes, strict=True):
        weight = idf(known.documents, known.document_frequency[item]) * (K1 + 1)
        values += [weight, K1 * (1 - B), K1 * B / known.mean_length, text]
    return Score(" + ".join([_OF_WORD] * len(stems)), values, " | ".join(lexemes))


_OF_WORD: Final = (
    "(select %s::float8 * tf / (tf + (%s::float8 + %s::float8 * m.length)) from"
    " (select width_bucket(ts_rank(m.lexemes, %s::tsquery)::float8, known.ranks) as tf) as counted)"
)
