"""Full text: FTS5 over the analysed text, with its own BM25."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from agent_memory.storage.sqlite.driver import Connection
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem


def expression(terms: Sequence[str]) -> str:
    """Write terms as an FTS5 query for any of them; quoted, so that nothing in them is an operator."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


def best(
    connection: Connection, terms: Sequence[str], condition: tuple[str, list[Any]], plain: bool, limit: int
) -> list[tuple[str, float]]:
    """Return the best matches that the condition admits, with their BM25 scores, best first."""
    sql, values = condition
    if plain:
        # FTS5 sorts by itself when asked for nothing else; what is put away or expired is then left out, and if
        # too little remains, the slower way follows.
        found = connection.execute(
            "select memory.id, -hits.rank, hits.admitted from (select rowid, rank, 1 as admitted from memory_fts"
            " where memory_fts match ? order by rank limit ?) as hits join memory on memory.pk = hits.rowid"
            f" where {sql}"
            " order by hits.rank",
            (expression(terms), 2 * limit, *values),
        ).fetchall()
        if len(found) >= limit or _matches(connection, terms, 2 * limit) < 2 * limit:
            return [(row[0], row[1]) for row in found[:limit]]
    return [
        (row[0], row[1])
        for row in connection.execute(
            "select memory.id, -memory_fts.rank from memory_fts join memory on memory.pk = memory_fts.rowid"
            f" where memory_fts match ? and {sql} order by memory_fts.rank limit ?",
            (expression(terms), *values, limit),
        )
    ]


def _matches(connection: Connection, terms: Sequence[str], up_to: int) -> int:
    query = "select count(*) from (select 1 from memory_fts where memory_fts match ? limit ?)"
    return int(connection.execute(query, (expression(terms), up_to)).fetchone()[0])


def scores(connection: Connection, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
    """Return the BM25 scores of given memories that hold any of the terms.

    Worked out from their words by FTS5's formula: FTS5 itself would go through every match to find a few.
    """
    known = statistics(connection, terms)
    found = connection.execute(
        "select memory.id, memory_fts.words from memory cross join memory_fts on memory_fts.rowid = memory.pk"
        " where memory.id in (select value from json_each(?))",
        (json.dumps(list(ids)),),
    )
    wanted = set(map(stem, terms))
    result = {}
    for memory_id, words in found:
        tokens = words.split()
        frequencies = Counter(root for root in map(stem, tokens) if root in wanted)
        if frequencies:
            result[memory_id] = bm25_score(frequencies, len(tokens), known)
    return result


def statistics(connection: Connection, terms: Sequence[str]) -> WordStatistics:
    """Return how many memories there are, their mean length, and how many hold each stemmed term."""
    stems = list(dict.fromkeys(map(stem, terms)))
    connection.execute(
        "create virtual table if not exists temp.memory_terms using fts5vocab(main, memory_fts, row)"
    )
    documents, length = _averages(connection)
    frequency = dict(
        connection.execute(
            "select term, doc from temp.memory_terms where term in (select value from json_each(?))",
            (json.dumps(stems),),
        )
    )
    return WordStatistics(
        documents=documents,
        mean_length=length / documents if documents else 0.0,
        document_frequency=frequency,
    )


def _averages(connection: Connection) -> tuple[int, int]:
    """Return how many rows the index has and how many words are in them: what its own `bm25()` reckons with.

    FTS5 keeps both in its "averages record", row 1 of its data table, as varints of seven bits a byte: the rows,
    then the words of each column. Counting the rows of a million memories would take 30 ms.
    """
    found = connection.execute("select block from memory_fts_data where id = 1").fetchone()
    numbers, value = [], 0
    for byte in found[0] if found else b"":
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return (numbers[0], numbers[1]) if len(numbers) > 1 else (0, 0)
