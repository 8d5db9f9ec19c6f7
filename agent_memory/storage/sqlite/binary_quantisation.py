"""The signs of all active vectors, kept in this process: which vectors are near, told from 48 bytes of each.

They come out of the blocks in which `memory_vec` stores them, not through its KNN: measured at 10,000 and 100,000
vectors of 384 dimensions, the best 400 of sqlite-vec 0.1.9's bit KNN take 14 and 166 ms, since its cost grows with
k; its float KNN, 8 and 77 ms.

Without an index in step the signs are worked out from the vectors themselves: slower once, the same results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agent_memory.hints import Hint
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import driver, index
from agent_memory.storage.sqlite.bookkeeping import VECTOR_KEYS, noted
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space
from agent_memory.storage.sqlite.vectors import matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent_memory.vectors import Vector

SHORTLIST: Final = 400
"""Vectors taken by signs, at least, before the exact comparison: of 217,000 real ones the best 400 hold 99.6 % of
the true ten best, 200 hold 98.6 %."""
LONGEST_SHORTLIST: Final = 1000
"""Taken where there are 100,000 or more: the best 1,000 of those 217,000 hold 99.95 %."""
_BATCH = 4096
_BLOCK = 32_768
"""Vectors compared at once: what is worked on then stays in the processor's cache. Measured over a million: 12 ms,
against 54 with one row per vector."""


@dataclass(slots=True)
class BinaryCodes:
    """The signs of the vectors of active memories."""

    space: int
    generation: int
    ids: NDArray[Any]
    """Keys of `embedding`, int64."""
    words: NDArray[Any]
    """One column per vector; bit i of its bytes, read downwards, is the sign of number i."""
    latest: tuple[object, BinaryCodes] | None = None
    """The last selection of these, and what it was made for."""

    def among(self, keys: Sequence[int]) -> BinaryCodes:
        """Return the signs of some of the vectors only."""
        import numpy as np

        positions = np.flatnonzero(np.isin(self.ids, np.array(keys, np.int64)))
        return BinaryCodes(self.space, self.generation, self.ids[positions], self.words[:, positions])

    def by_distance(self, vector: Vector, least: int = SHORTLIST) -> Iterator[NDArray[Any]]:
        """Give the keys of the nearest vectors by signs, in growing portions, until all were given."""
        import numpy as np

        distances = self._distances(columns_of(binary_codes_of(np.frombuffer(vector, "<f4")[None]))[:, 0])
        start, size = 0, max(least, min(LONGEST_SHORTLIST, len(self.ids) // 100))
        order = np.empty(0, dtype=np.int64)
        while start < len(self.ids):
            end = min(len(self.ids), start + size)
            if end > len(order):  # sort no more than is asked for
                order = _smallest(distances, len(self.ids) if end > len(self.ids) // 4 else end)
            yield self.ids[order[start:end]]
            start, size = end, size * 4

    def _distances(self, query: NDArray[Any]) -> NDArray[Any]:
        """Count the signs in which each vector differs from the query."""
        import numpy as np

        distances = np.zeros(len(self.ids), np.uint16)
        differing = np.empty(_BLOCK, self.words.dtype)
        for start in range(0, len(distances), _BLOCK):
            block = distances[start : start + _BLOCK]
            here = differing[: len(block)]
            for row, word in zip(self.words, query, strict=True):
                np.bitwise_xor(row[start : start + _BLOCK], word, out=here)
                np.add(block, _ones(here), out=block)
        return distances


def _ones(words: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    ones: NDArray[Any]
    if hasattr(np, "bitwise_count"):
        ones = np.bitwise_count(words)
        return ones
    table: NDArray[Any] = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1)
    ones = table.astype(np.uint8)[words]  # numpy before 2.0; the words are bytes there
    return ones


def _smallest(distances: NDArray[Any], count: int) -> NDArray[Any]:
    """Return the places of the smallest values in order, ties by place."""
    import numpy as np

    if count >= len(distances):
        return np.argsort(distances, kind="stable")
    # A sample tells about how small they are, and what is that small is a few: the exact edge is among them.
    sample = distances[:: min(256, max(1, len(distances) // 1024))]
    guess = np.sort(sample)[min(len(sample) - 1, 2 * count * len(sample) // len(distances) + 8)]
    positions: NDArray[Any] = np.flatnonzero(distances <= guess)
    if len(positions) < count:
        positions = np.arange(len(distances))
    edge = np.partition(distances[positions], count - 1)[count - 1]
    positions = positions[distances[positions] <= edge]
    return positions[np.argsort(distances[positions], kind="stable")]


def binary_codes_of(vectors: NDArray[Any]) -> NDArray[Any]:
    """Return the signs of rows of numbers, as `vec_quantize_binary` packs them."""
    import numpy as np

    return np.packbits(vectors > 0, axis=1, bitorder="little")


def columns_of(rows: NDArray[Any]) -> NDArray[Any]:
    """Turn rows of bytes into columns of the largest words that they fill."""
    import numpy as np

    whole = rows.shape[1] % 8 == 0 and hasattr(np, "bitwise_count")
    words = np.ascontiguousarray(rows).view(np.uint64) if whole else rows
    return np.ascontiguousarray(words.T)


# --- reading them ----------------------------------------------------------------------------------------------


def load(
    connection: Connection,
    space: Space | None,
    known: BinaryCodes | None,
    damaged: Damaged,
    generation: int | None = None,
) -> BinaryCodes | None:
    """Return the signs of all active vectors in the current space; `known` if it still holds.

    An index that lacks some of what it should hold is not used, and goes to `damaged`.
    """
    if space is None:
        return None
    generation = index.generation(connection) if generation is None else generation
    if known is not None and (known.space, known.generation) == (space.id, generation):
        return known
    in_step = index.possible(space) and index.in_step(connection, space)
    quantised = from_index(connection, space) if in_step else None
    wanted = noted(connection, VECTOR_KEYS)
    if quantised is not None and wanted is not None and int(quantised[0].sum()) + len(quantised[0]) != wanted:
        damaged.meet("the vector index", Hint("{REPAIR} makes it anew"))
        quantised = None
    ids, words = quantised or from_vectors(connection, space)
    return BinaryCodes(space.id, generation, ids, words)


def from_index(connection: Connection, space: Space) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Read the blocks of `memory_vec`, in step or not; None where they are not laid out as version 0.1.9 does."""
    import numpy as np

    width = space.dimension // 8
    ids = [np.empty(0, np.int64)]
    words = [columns_of(np.empty((0, width), np.uint8))]
    try:
        blocks = connection.execute(
            "select size, validity, rowids, vectors from memory_vec_chunks join memory_vec_vector_chunks00"
            " on memory_vec_vector_chunks00.rowid = memory_vec_chunks.chunk_id order by chunk_id"
        )
        for size, validity, keys, vectors in blocks:
            if (len(validity), len(keys), len(vectors)) != (size // 8, 8 * size, width * size):
                return None
            there = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little").astype(bool)
            ids.append(np.frombuffer(keys, "<i8")[there])
            words.append(columns_of(np.frombuffer(vectors, np.uint8).reshape(size, width)[there]))
    except driver.Error:
        return None
    return np.concatenate(ids), np.concatenate(words, axis=1)


def astray(connection: Connection) -> bool:
    """Return whether the blocks hold anything where no vector is, or disagree with the tables beside them."""
    import numpy as np

    positions = []
    blocks = connection.execute(
        "select chunk_id, size, validity, rowids, vectors from memory_vec_chunks join memory_vec_vector_chunks00"
        " on memory_vec_vector_chunks00.rowid = memory_vec_chunks.chunk_id"
    )
    for chunk, size, validity, keys, vectors in blocks:
        free = ~np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little").astype(bool)
        ids = np.frombuffer(keys, "<i8")
        if ids[free].any() or np.frombuffer(vectors, np.uint8).reshape(size, -1)[free].any():
            return True
        positions += [(int(ids[at]), None, chunk, int(at)) for at in np.flatnonzero(~free)]
    rows = connection.execute("select rowid, id, chunk_id, chunk_offset from memory_vec_rowids").fetchall()
    said = dict(connection.execute("select key, value from memory_vec_info"))
    version = ".".join(str(said.get(f"CREATE_VERSION_{part}")) for part in ("MAJOR", "MINOR", "PATCH"))
    return sorted(positions) != sorted(rows) or said.get("CREATE_VERSION") != f"v{version}"


def from_vectors(connection: Connection, space: Space) -> tuple[NDArray[Any], NDArray[Any]]:
    """Work the signs out from the vectors themselves."""
    import numpy as np

    ids = [np.empty(0, np.int64)]
    words = [columns_of(np.empty((0, -(-space.dimension // 8)), np.uint8))]
    rows = connection.execute(
        f"select id, dtype, vector from embedding where {index.ACTIVE} order by id", (space.id,)
    )
    while batch := rows.fetchmany(_BATCH):
        ids.append(np.array([row[0] for row in batch], np.int64))
        words.append(
            columns_of(
                binary_codes_of(matrix([row[2] for row in batch], [row[1] for row in batch], space.dimension))
            )
        )
    return np.concatenate(ids), np.concatenate(words, axis=1)
