"""Full text: FTS5 over the analysed text, with its own BM25."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.filters import tested
from agent_memory.storage.sqlite.selection import Selection, select
from agent_memory.storage.where import Where
from agent_memory.text.analysis import beyond
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem


def expression(terms: Sequence[str]) -> str:
    """Write terms as an FTS5 query for any of them; quoted, so that nothing in them is an operator."""
    return " OR ".join('"' + term.replace('"', '""') + '"' for term in terms)


SELECTIVE: Final = 0.2
"""A filter that admits less than this share of the matches is worked out first, and only its memories are scored."""
_PROBED = 200
MOST_FREQUENCIES: Final = 20_000
"""Words of which it is kept how many memories hold them."""


def best(
    connection: Connection,
    terms: Sequence[str],
    where: Where,
    condition: tuple[str, list[Any]],
    limit: int,
    known: Selection | None,
) -> tuple[list[tuple[str, float]], Selection | None]:
    """Return the best matches that a filter admits, with their BM25 scores, best first; and what it selected.

    `known` is the selection of an earlier call; a selective filter is then not worked out again.
    """
    plain = where == Where()
    if not plain and _share(connection, terms, condition) < SELECTIVE:
        known = select(connection, where, condition, known)
        return _among(connection, terms, condition, limit, known), known
    sql, values = tested(condition)
    # FTS5 sorts by itself when asked for nothing else; what the condition refuses is then left out, and if too
    # little remains, the slower way follows.
    wanted = (2 if plain else 10) * limit
    cursor = connection.execute(
        "select memory.id, -hits.rank from (select rowid, rank from memory_fts"
        " where memory_fts match ? order by rank limit ?) as hits join memory on memory.pk = hits.rowid"
        f" where {sql}"
        " order by hits.rank",
        (expression(terms), wanted, *values),
    ).fetchall()
    if len(cursor) < limit and _matches(connection, terms, wanted) >= wanted:
        known = select(connection, where, condition, known)
        return _among(connection, terms, condition, limit, known), known
    return [(row[0], row[1]) for row in cursor[:limit]], known


def _share(connection: Connection, terms: Sequence[str], condition: tuple[str, list[Any]]) -> float:
    """Estimate which share of the matches a condition admits, by the first of them."""
    sql, values = tested(condition)
    query = "select rowid from memory_fts where memory_fts match ? limit ?"
    keys = [row[0] for row in connection.execute(query, (expression(terms), _PROBED))]
    admitted = connection.execute(
        f"select count(*) from json_each(?) as hits cross join memory on memory.pk = hits.value where {sql}",
        (json.dumps(keys), *values),
    ).fetchone()[0]
    return admitted / len(keys) if keys else 1.0


def _among(
    connection: Connection,
    terms: Sequence[str],
    condition: tuple[str, list[Any]],
    limit: int,
    selection: Selection,
) -> list[tuple[str, float]]:
    """Return the best matches among the memories that the condition admits; no other is scored."""
    # `+rowid` and `rank + 0`: or SQLite would ask FTS5 for each memory by itself, or have it score all matches.
    sql, values = tested(condition)
    cursor = connection.execute(
        "select memory.id, -hits.rank from (select rowid, rank from memory_fts where memory_fts match ?"
        " and +rowid in (select value from json_each(?)) order by rank + 0, rowid) as hits"
        f" cross join memory on memory.pk = hits.rowid where {sql} order by hits.rank, hits.rowid limit ?",
        (expression(terms), selection.keys, *values, limit),
    )
    return [(row[0], row[1]) for row in cursor]


def _matches(connection: Connection, terms: Sequence[str], up_to: int) -> int:
    query = "select count(*) from (select 1 from memory_fts where memory_fts match ? limit ?)"
    return int(connection.execute(query, (expression(terms), up_to)).fetchone()[0])


def scores(
    terms: Sequence[str], stems: Mapping[str, Sequence[str]], statistics: WordStatistics
) -> dict[str, float]:
    """Return the BM25 scores of memories that hold any of the terms.

    Worked out from their words by FTS5's formula: FTS5 itself would go through every match to find a few.

    Args:
        terms: the words of the query.
        stems: those of all words of each memory, by its id.
        statistics: of the terms.
    """
    wanted = set(map(stem, terms))
    result = {}
    for memory_id, roots in stems.items():
        frequencies = Counter(root for root in roots if root in wanted)
        if frequencies:
            result[memory_id] = bm25_score(frequencies, len(roots), statistics)
    return result


class KeptStatistics:
    """What was asked of the full-text index in one version of the file."""

    def __init__(self) -> None:
        self._averages: tuple[int, int] | None = None
        self._frequency: dict[str, int] = {}

    def of(self, connection: Connection, terms: Sequence[str]) -> WordStatistics:
        """Return how many memories there are, their mean length, and how many hold each stemmed term."""
        if self._averages is None:
            self._averages = _averages(connection)
        documents, length = self._averages
        stems = list(dict.fromkeys(map(stem, terms)))
        missing = [root for root in stems if root not in self._frequency]
        if missing:
            if len(self._frequency) > MOST_FREQUENCIES:
                self._frequency.clear()
                missing = stems
            self._frequency |= {**dict.fromkeys(missing, 0), **_frequencies(connection, missing)}
        return WordStatistics(
            documents=documents,
            mean_length=length / documents if documents else 0.0,
            document_frequency={root: count for root in stems if (count := self._frequency[root])},
        )


def _frequencies(connection: Connection, stems: Sequence[str]) -> dict[str, int]:
    _open_vocabulary(connection)
    return dict(
        connection.execute(
            "select term, doc from temp.memory_terms where term in (select value from json_each(?))",
            (json.dumps(stems),),
        )
    )


def beginning(connection: Connection, prefix: str, limit: int) -> list[str]:
    """Return the first stems that begin so, ordered by code points."""
    _open_vocabulary(connection)
    cursor = connection.execute(
        "select term from temp.memory_terms where term >= ? and term < ? order by term limit ?",
        (prefix, beyond(prefix), limit),
    )
    return [row[0] for row in cursor]


def _open_vocabulary(connection: Connection) -> None:
    """Make `temp.memory_terms`, the words of the index, unless it is there.

    Where an index in memory is asked instead of the one in the file (`word_index.stand_in`), it is that one's words.
    """
    tables = {row[0] for row in connection.execute("select name from temp.sqlite_master")}
    if "memory_terms" not in tables:
        schema = "temp" if "memory_fts" in tables else "main"
        connection.execute(
            f"create virtual table temp.memory_terms using fts5vocab({schema}, memory_fts, row)"
        )


def _averages(connection: Connection) -> tuple[int, int]:
    """Return how many rows the index has and how many words are in them: what its own `bm25()` reckons with.

    FTS5 keeps both in its "averages record", row 1 of its data table, as varints of seven bits a byte: the rows,
    then the words of each column. Counting the rows of a million memories would take 30 ms.
    """
    row = connection.execute("select block from memory_fts_data where id = 1").fetchone()
    numbers, value = [], 0
    for byte in row[0] if row and isinstance(row[0], bytes) else b"":
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return (numbers[0], numbers[1]) if len(numbers) > 1 else (0, 0)
