"""The nearest memories to a vector: a short list by the signs of the numbers, compared exactly afterwards.

Each step is as small as it can be: vectors are fetched only for the short list, and memories looked up only for the
nearest of these. A filter that leaves few of all is asked first, and the short list made among what it leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent_memory import clock
from agent_memory.records import Status
from agent_memory.storage.sqlite.binary_quantisation import SHORTLIST, BinaryCodes
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.filters import tested
from agent_memory.storage.sqlite.kept import Kept
from agent_memory.storage.sqlite.kept_vectors import KeptVectors
from agent_memory.storage.sqlite.selection import purpose
from agent_memory.storage.sqlite.vectors import matrix
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent_memory.vectors import Vector

FEW: Final = 1000
"""A filter that leaves no more memories than this is answered by comparing them all."""
THOROUGH: Final = 0.2
"""Among the memories that a selective filter leaves, as many are compared as if this share of the nearest were
admitted: five times the short list."""
SELECTIVE: Final = 0.2
"""A filter that admits less than this share of the nearest is asked for all that it admits."""
_BATCH = 4096

Cosines = list[tuple[str, float]]
Condition = tuple[str, list[Any]]
Admitting = Callable[[Sequence[int]], list[tuple[int, int, str]]]
"""Returns the admitted memories of vectors: key of the vector, key and id of the memory."""


class Nearest(NamedTuple):
    """The answer to a search by vector."""

    memories: Cosines
    """The nearest memories and their cosines, nearest first."""
    compared: int
    """Vectors that the filter admits; about as many where they were not counted."""


class Candidate(NamedTuple):
    """A vector and how near it is; sorts the nearest first, then by the order of storing."""

    distance: float
    """The cosine, negative."""
    key: int
    """Of `embedding`."""


def nearest(
    connection: Connection,
    codes: BinaryCodes,
    kept: Kept,
    vector: Vector,
    where: Where,
    condition: Condition,
    limit: int,
) -> Nearest:
    """Return the nearest memories and their cosines, exactly those that the condition admits."""
    vectors = kept.vectors

    def admitting(keys: Sequence[int]) -> list[tuple[int, int, str]]:
        return _admitted(connection, keys, condition)

    def active(keys: Sequence[int]) -> list[tuple[int, int, str]]:
        return kept.owners.of(connection, keys, now)

    if where == Where():
        now = clock.to_text(clock.now())
        kept.owners.make_room()
        vectors.read_ahead(connection, codes.ids, len(vector) // 4)
        return _nearest_of(_walk(connection, codes, vectors, vector, active, limit), limit, len(codes.ids))
    admitted = _known(connection, codes, where) if where.statuses == (Status.ACTIVE,) else None
    if admitted is None and (where.statuses != (Status.ACTIVE,) or _are_few(connection, condition)):
        compared = _all_of(connection, codes.space, vector, condition)
        return _nearest_of(compared, limit, len(compared))
    if admitted is None:
        first: list[int] = next((keys.tolist() for keys in codes.by_distance(vector)), [])
        share = len(_admitted(connection, first, condition)) / max(1, len(first))
        if share >= SELECTIVE:
            walked = _walk(connection, codes, vectors, vector, admitting, limit, min(1.0, share))
            return _nearest_of(walked, limit, round(share * len(codes.ids)))
        admitted = codes.among(_keys(connection, codes.space, condition))
        codes.latest = purpose(connection, where), admitted
    walked = _walk(connection, admitted, vectors, vector, admitting, limit, THOROUGH)
    return _nearest_of(walked, limit, len(admitted.ids))


def _nearest_of(compared: Sequence[tuple[Candidate, int, str]], limit: int, about: int) -> Nearest:
    """Rank what was compared; where it is less than asked for, it is all there is, else there are `about` as many."""
    ranked = _ranked(compared)
    return Nearest(ranked[:limit], len(compared) if len(ranked) < limit else about)


def _known(connection: Connection, codes: BinaryCodes, where: Where) -> BinaryCodes | None:
    """Return what the same filter left the last time, if no memory has changed since."""
    # What counts as expired changes by itself; only leaving out more of it later is harmless.
    if codes.latest is None or where.expired is True or codes.latest[0] != purpose(connection, where):
        return None
    return codes.latest[1]


def _walk(
    connection: Connection,
    codes: BinaryCodes,
    vectors: KeptVectors,
    vector: Vector,
    admitting: Admitting,
    limit: int,
    share: float = 1.0,
) -> list[tuple[Candidate, int, str]]:
    """Go outwards from the query until enough memories are found; of those near, `share` are admitted."""
    neighbours: list[tuple[Candidate, int, str]] = []
    for keys in codes.by_distance(vector, int(max(SHORTLIST, 3 * limit) / share)):
        keys.sort()
        present, numbers = vectors.rows(connection, keys, len(vector) // 4)
        neighbours += _first(_nearest_first(vector, present, numbers), admitting, limit)
        if len({id for _, _, id in neighbours}) >= limit:
            break
    return neighbours


def _nearest_first(vector: Vector, keys: NDArray[Any], numbers: NDArray[Any]) -> Iterator[Candidate]:
    """Yield the candidates in their order, from keys in ascending order; few of them are looked at."""
    import numpy as np

    distances = -(numbers @ np.frombuffer(vector, dtype="<f4"))
    for place in np.argsort(distances, kind="stable").tolist():
        yield Candidate(float(distances[place]), int(keys[place]))


def _first(
    candidates: Iterator[Candidate], admitting: Admitting, limit: int
) -> list[tuple[Candidate, int, str]]:
    """Look up the memories of the first candidates, until so many are admitted."""
    neighbours: list[tuple[Candidate, int, str]] = []
    size = 2 * limit
    while len({id for _, _, id in neighbours}) < limit:
        part = {candidate.key: candidate for candidate in islice(candidates, size)}
        if not part:
            break
        neighbours += [(part[key], sequence, id) for key, sequence, id in admitting(list(part))]
        size *= 2
    return neighbours


def _are_few(connection: Connection, condition: Condition) -> bool:
    sql, values = condition
    query = f"select count(*) from (select 1 from memory where {sql} limit {FEW + 1})"
    return bool(connection.execute(query, values).fetchone()[0] <= FEW)


def _admitted(
    connection: Connection, keys: Sequence[int], condition: Condition
) -> list[tuple[int, int, str]]:
    """Return the admitted memories of vectors: key of the vector, key and id of the memory."""
    # cross join: the order written is the order taken. Left to itself, SQLite begins with every memory.
    sql, values = tested(condition)
    return connection.execute(  # type: ignore[no-any-return]
        "select embedding.id, memory.pk, memory.id from json_each(?) as wanted"
        " cross join embedding on embedding.id = wanted.value"
        " cross join memory on memory.embedded_hash = embedding.text_hash"
        f" where {sql}",
        (json.dumps(keys), *values),
    ).fetchall()


def _keys(connection: Connection, space_id: int, condition: Condition) -> list[int]:
    """Return the keys of the vectors of all memories that the condition admits."""
    sql, values = condition
    return [
        row[0]
        for row in connection.execute(
            "select embedding.id from memory cross join embedding"
            f" on embedding.space = ? and embedding.text_hash = memory.embedded_hash where {sql}",
            (space_id, *values),
        )
    ]


def _all_of(
    connection: Connection, space_id: int, vector: Vector, condition: Condition
) -> list[tuple[Candidate, int, str]]:
    """Compare every vector of the memories that the condition admits, in portions."""
    sql, values = condition
    rows = connection.execute(
        "select embedding.id, embedding.dtype, embedding.vector, memory.pk, memory.id from memory"
        f" cross join embedding on embedding.space = ? and embedding.text_hash = memory.embedded_hash where {sql}",
        (space_id, *values),
    )
    compared: list[tuple[Candidate, int, str]] = []
    while batch := rows.fetchmany(_BATCH):
        numbers = matrix([row[2] for row in batch], [row[1] for row in batch], len(vector) // 4)
        scored = _scored(vector, [row[0] for row in batch], numbers)
        compared += [(item, row[3], row[4]) for item, row in zip(scored, batch, strict=True)]
    return compared


def _scored(vector: Vector, keys: Sequence[int], numbers: NDArray[Any]) -> list[Candidate]:
    import numpy as np

    cosines = numbers @ np.frombuffer(vector, dtype="<f4")
    return [Candidate(-cosine, key) for cosine, key in zip(cosines.tolist(), keys, strict=True)]


def _ranked(neighbours: Sequence[tuple[Candidate, int, str]]) -> Cosines:
    """Rank memories by their nearest segment; ties by the order in which they were stored."""
    best: dict[str, float] = {}
    for candidate, _, id in sorted(neighbours, key=lambda item: (item[0].distance, item[1])):
        best.setdefault(id, -candidate.distance)
    return list(best.items())
