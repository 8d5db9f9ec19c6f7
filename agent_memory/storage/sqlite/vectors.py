"""The source table of vectors: unit length, by hash of the embedded text, its segments and the space."""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from agent_memory.batching import batched
from agent_memory.errors import ValidationError
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.bookkeeping import GENERATION, LAST_VECTOR, VECTOR_INDEX, note, noted
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space, current_space
from agent_memory.vectors import Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent_memory.text.templates import TextHash

T = TypeVar("T")
MOST_VALUES: Final = 900
"""How many values one statement may have; SQLite may be built to take 999."""
STORED: Final = "float16"
"""What the numbers of a vector are stored as, half the room of float32. Of 60,000 real vectors 99.9 % of the
nearest ten are the same, and no cosine is off by more than .00006. A vector stored as float32 is read as such."""


def checksum(space_id: int, digest: TextHash, segment: int, dtype: str, vector: bytes) -> bytes:
    """Return 8 bytes that change when the vector or its place does."""
    where = f"{space_id} {segment} {dtype} ".encode()
    return hashlib.blake2b(where + digest + vector, digest_size=8).digest()


def store(
    connection: Connection, space: Space, vectors: Mapping[TextHash, Sequence[Vector]]
) -> list[TextHash]:
    """Store the vectors of texts that have none yet in a space, and return the hashes of these.

    Returns:
        The hashes of the texts that have vectors only now.

    Raises:
        ValidationError: a vector has another dimension than the space, or a text has no vector at all.
    """
    size = 4 * space.dimension
    for segments in vectors.values():
        if not segments or any(len(vector) != size for vector in segments):
            raise ValidationError(
                f"a vector does not have the {space.dimension} dimensions of this store's space",
                hint="embed with the embedder that the store was made with",
            )
    there = known_hashes(connection, space, vectors.keys())
    new = {digest: segments for digest, segments in vectors.items() if digest not in there}
    positions = [(digest, segment) for digest, segments in new.items() for segment in range(len(segments))]
    narrow = narrowed([vector for segments in new.values() for vector in segments])
    first = last_key(connection) + 1
    rows = [
        (
            key,
            space.id,
            digest,
            segment,
            STORED,
            space.dimension,
            vector,
            checksum(space.id, digest, segment, STORED, vector),
        )
        for key, ((digest, segment), vector) in enumerate(zip(positions, narrow, strict=True), first)
    ]
    columns = ("id", "space", "text_hash", "piece", "dtype", "dimension", "vector", "checksum")
    driver.insert_many(connection, "insert into embedding", columns, rows)
    if space == current_space(connection):
        mark(connection, range(first, first + len(rows)))
    return list(new)


def last_key(connection: Connection) -> int:
    """Return the highest key that a vector has or ever had."""
    highest = int(connection.execute("select coalesce(max(id), 0) from embedding").fetchone()[0])
    return max(highest, noted(connection, LAST_VECTOR) or 0)


def keys(connection: Connection, space: Space, hashes: Iterable[TextHash]) -> list[int]:
    """Return the keys of the vectors of texts in a space."""
    return [
        row[0]
        for part in batched(driver.blobs(hashes), MOST_VALUES)
        for row in connection.execute(
            f"select id from embedding where space = ? and text_hash in ({', '.join('?' * len(part))})",
            (space.id, *part),
        )
    ]


def mark(connection: Connection, ids: Collection[int]) -> None:
    """Note that vectors came or went, or that other memories have them now.

    Whoever writes to `embedding` does it: what the index holds under these keys is then made anew (`index.catch_up`),
    in this process or, where sqlite-vec is not loaded, in another. Where there is no index yet, there is nothing to
    note: one that is made begins with all vectors.
    """
    if not ids:
        return
    bump(connection)
    if noted(connection, VECTOR_INDEX) is not None:
        connection.executemany(
            "insert or ignore into memory_vec_pending (embedding) values (?)",
            [(memory_id,) for memory_id in ids],
        )


def bump(connection: Connection) -> None:
    """Tell every process that the signs it has read are old."""
    note(connection, GENERATION, (noted(connection, GENERATION) or 0) + 1)


def known_hashes(connection: Connection, space: Space | None, hashes: Collection[TextHash]) -> set[TextHash]:
    """Return those of the texts that have vectors in a space."""
    if space is None or not hashes:
        return set()
    if not connection.execute("select 1 from embedding where space = ? limit 1", (space.id,)).fetchone():
        return set()  # as in every store that nobody searches by meaning
    return {
        row[0]
        for part in batched(driver.blobs(hashes), MOST_VALUES)
        for row in connection.execute(
            "select text_hash from embedding where space = ? and piece = 0"
            f" and text_hash in ({', '.join('?' * len(part))})",
            (space.id, *part),
        )
    }


def unused(connection: Connection, hashes: Iterable[TextHash]) -> list[TextHash]:
    """Return those of the texts that no memory has."""
    wanted = list(dict.fromkeys(hashes))
    used = {
        row[0]
        for part in batched(driver.blobs(wanted), MOST_VALUES)
        for row in connection.execute(
            f"select embedded_hash from memory where embedded_hash in ({', '.join('?' * len(part))})", part
        )
    }
    return [digest for digest in wanted if digest not in used]


def delete(connection: Connection, hashes: Sequence[TextHash]) -> bool:
    """Delete the vectors of texts in every space, and return whether there were any."""
    if not hashes:
        return False
    ids = [
        key
        for (space_id,) in connection.execute("select id from embedding_space").fetchall()
        # Named by space as well, or the index over (space, text_hash, segment) would be of no use.
        for key in keys(connection, Space(space_id, 0), hashes)
    ]
    if not ids:
        return False
    note(connection, LAST_VECTOR, last_key(connection))
    mark(connection, ids)
    connection.executemany("delete from embedding where id = ?", [(memory_id,) for memory_id in ids])
    return True


def by_ids(
    connection: Connection, ids: Sequence[str], space: EmbeddingSpace | None
) -> dict[str, list[Vector]]:
    """Return the vectors of memories' segments in a space; None is the current one."""
    chosen = current_space(connection) if space is None else Space(space.id, space.dimension)
    return {} if chosen is None else segments_of(connection, ids, chosen)


def segments_of(connection: Connection, ids: Sequence[str], space: Space) -> dict[str, list[Vector]]:
    """Return the vectors of memories' segments, as float32."""
    cursor = connection.execute(
        "select memory.id, embedding.dtype, embedding.vector from memory cross join embedding"
        " on embedding.space = ? and embedding.text_hash = memory.embedded_hash"
        " where memory.id in (select value from json_each(?)) order by memory.id, embedding.piece",
        (space.id, json.dumps(list(ids))),
    ).fetchall()
    if not cursor:
        return {}
    result: dict[str, list[Vector]] = {}
    for (memory_id, _, _), vector in zip(cursor, sound(cursor, space.dimension), strict=True):
        result.setdefault(memory_id, []).append(vector)
    return result


def sound(rows: Sequence[Sequence[Any]], dimension: int) -> list[Vector]:
    """Return vectors as float32, from rows that end with dtype and vector; one that is damaged, as zeros."""
    if "numpy" in sys.modules:
        numbers = matrix([row[-1] for row in rows], [row[-2] for row in rows], dimension)
        return [Vector(row.tobytes()) for row in numbers]
    return [fitting(dtype, vector, dimension) for *_, dtype, vector in rows]


def fitting(dtype: Any, vector: Any, dimension: int) -> Vector:
    """Return a stored vector as float32, or zeros where its length does not fit."""
    size = {"float16": 2 * dimension, "float32": 4 * dimension}.get(dtype)
    whole = vector.__class__ is bytes and len(vector) == size
    return widened(vector, dtype) if whole else Vector(bytes(4 * dimension))


def narrowed(vectors: Sequence[Vector]) -> list[bytes]:
    """Return vectors of float32 as they are stored."""
    import numpy as np

    if not vectors:
        return []
    halves = np.frombuffer(b"".join(vectors), dtype="<f4").astype("<f2").tobytes()
    size = len(halves) // len(vectors)
    return list(batched(halves, size))


def widened(vector: bytes, dtype: str) -> Vector:
    """Return a stored vector as float32."""
    if dtype == "float32":
        return Vector(vector)
    if "numpy" not in sys.modules:  # not worth importing for the one memory that is restored
        halves = struct.unpack(f"<{len(vector) // 2}e", vector)
        return Vector(struct.pack(f"<{len(halves)}f", *halves))
    import numpy as np

    return Vector(np.frombuffer(vector, dtype="<f2").astype("<f4").tobytes())


def widened_rows(halves: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in half precision as float32; what is no finite one becomes one of more than 65,000.

    numpy converts each number by itself. Put where they stand in a float32, the bits are those of a number 2^112
    times smaller, and moving them takes a fifth of the time.
    """
    import numpy as np

    wide: NDArray[Any]
    if sys.byteorder != "little":
        wide = halves.astype("<f4")
        return wide
    bits = halves.view("<i2").astype("<i4")
    np.left_shift(bits, 13, out=bits)
    np.bitwise_and(bits, _SIGN_AND_HALF, out=bits)
    wide = bits.view("<f4")
    np.multiply(wide, np.float32(2.0**112), out=wide)
    return wide


_SIGN_AND_HALF: Final = 0x0FFF_E000 - 2**31
"""The sign of a float32, and the bits that hold exponent and fraction of a half."""


def matrix(vectors: Sequence[Any], dtypes: Sequence[Any], dimension: int) -> NDArray[Any]:
    """Return stored vectors as rows of float32; one that is damaged, as zeros: it is like nothing else."""
    import numpy as np

    size = {"float16": 2 * dimension, "float32": 4 * dimension}
    fits = [
        vector.__class__ is bytes and len(vector) == size.get(dtype)
        for vector, dtype in zip(vectors, dtypes, strict=True)
    ]
    if all(fits) and "float32" not in dtypes:
        wide = widened_rows(np.frombuffer(b"".join(vectors), dtype="<f2"))
    else:
        zeros = bytes(4 * dimension)
        stored = zip(vectors, dtypes, fits, strict=True)
        wide = np.frombuffer(b"".join(widened(v, d) if fit else zeros for v, d, fit in stored), dtype="<f4")
    result: NDArray[Any] = wide.reshape(len(vectors), dimension)
    fitting = np.einsum("ij,ij->i", result, result) <= _LONGEST
    return result if fitting.all() else np.where(fitting[:, None], result, np.float32(0))


_LONGEST = 1.1
"""The square of no unit vector's length is more, but for rounding; nor is one that holds what is no number less."""


# --- a sample --------------------------------------------------------------------------------------------------


class Sample(NamedTuple):
    """A sample of a space's vectors, and until when it holds."""

    space: int
    limit: int
    generation: int
    """Of the vectors: in another, some of the sample may be deleted."""
    first: int
    counted: int
    vectors: list[Vector]


def sample(
    connection: Connection, space: Space, limit: int, generation: int, known: Sample | None = None
) -> Sample:
    """Return vectors of a space, evenly spread over the first so many: the same ones until their number doubles.

    "So many" is the largest power of two that there are, and every so-many-th by key is taken, a power of two as
    well; so nothing has to be stored. `known` is returned if it still holds.
    """
    last = connection.execute("select coalesce(max(id), 0) from embedding").fetchone()[0]
    same = known is not None and known[:3] == (space.id, limit, generation)
    if known is not None and same:
        first = known.first
    else:
        first = connection.execute(
            "select coalesce(min(id), 1) from embedding where space = ?", (space.id,)
        ).fetchone()[0]
    counted = 1 << max(0, (last - first + 1).bit_length() - 1)
    if known is not None and same and known.counted == counted:
        return known
    stride = 1
    while counted // stride > limit:
        stride *= 2
    cursor = connection.execute(
        "select dtype, vector from json_each(?) as wanted cross join embedding on embedding.id = wanted.value"
        " where space = ?",
        (json.dumps(list(range(first, first + counted, stride))), space.id),
    )
    return Sample(space.id, limit, generation, first, counted, sound(cursor.fetchall(), space.dimension))
