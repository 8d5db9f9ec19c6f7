"""Finding by vector without a search module: a copy of all vectors in this process, or the server's vector sets.

The copy is brought up to date by what changed since: each vector that comes or goes is noted with the version of the
store that changed it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from agent_memory.batching import batched
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents import Document, Nearest
from agent_memory.storage.redis.keys import Keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BATCH: Final = 2000
_READ: Final = """
local found = {}
for place, key in ipairs(KEYS) do found[place] = redis.call('HGET', key, 'vector') end
return found
"""
EXACT_BELOW: Final = 20_000
"""A vector set with fewer members is compared whole by the server, which misses none."""


async def read(client: Any, keys: Keys, space_id: int, counts: Mapping[str, int]) -> dict[str, list[bytes]]:
    """Return vectors by memory; `counts` says how many each has."""
    result: dict[str, list[bytes]] = {}
    for part in batched(list(counts.items()), _BATCH):
        names = [
            keys.vector(space_id, memory_id, segment) for memory_id, count in part for segment in range(count)
        ]
        answers = iter(await _segments(client, names))
        for memory_id, count in part:
            segments = [next(answers) for _ in range(count)]
            if all(segment is not None for segment in segments):
                result[memory_id] = segments
    return result


async def read_all(client: Any, keys: Keys, space_id: int, ids: Sequence[str]) -> dict[str, list[bytes]]:
    """Return the vectors of memories, however many each has; two at a time are asked for, since most have one."""
    result: dict[str, list[bytes]] = {}
    left, start = list(ids), 0
    while left:
        names = [
            keys.vector(space_id, memory_id, segment) for memory_id in left for segment in (start, start + 1)
        ]
        answers = await _segments(client, names)
        for position, memory_id in enumerate(left):
            found = [answer for answer in answers[2 * position : 2 * position + 2] if answer is not None]
            if found:
                result.setdefault(memory_id, []).extend(found)
        left = [entry for position, entry in enumerate(left) if answers[2 * position + 1] is not None]
        start += 2
    return result


async def _segments(client: Any, names: Sequence[str]) -> list[Any]:
    """Return what is under so many keys; by a script, as a command for each takes the client longer to write."""
    found: list[Any] = []
    for part in batched(names, _BATCH):
        found += await client.eval(_READ, len(part), *part)
    return found


@dataclass(slots=True)
class Copy:
    """The vectors of one space as far as they were read."""

    version: int = -1
    segments: dict[str, list[bytes]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    matrix: NDArray[Any] | None = None

    async def refresh(self, client: Any, keys: Keys, space: EmbeddingSpace, documents: Any) -> None:
        """Read what changed since the last time; `documents` reads documents by ids."""
        moved = await client.zrangebyscore(
            keys("moved", space.id), f"({self.version}", "+inf", withscores=True
        )
        if not moved:
            return
        ids = [memory_id.decode() for memory_id, _ in moved]
        for part in batched(ids, _BATCH):
            held: dict[str, Document] = await documents(part)
            counts = {
                entry.id: entry.embedded[space.id] for entry in held.values() if space.id in entry.embedded
            }
            found = await read(client, keys, space.id, counts)
            for memory_id in part:
                self.segments.pop(memory_id, None)
            self.segments.update(found)
        self.version = int(max(version for _, version in moved))
        self.matrix = None

    def nearest(self, space: EmbeddingSpace, vector: bytes, count: int) -> Nearest:
        """Compare all of them."""
        import numpy as np

        if not self.segments:
            return Nearest([], complete=True)
        if self.matrix is None:
            self.rows = [item for item, segments in self.segments.items() for _ in segments]
            flat = b"".join(segment for segments in self.segments.values() for segment in segments)
            self.matrix = np.frombuffer(flat, "<f4").reshape(-1, space.dimension)
        cosines = self.matrix @ np.frombuffer(vector, "<f4")
        count = min(count, len(cosines))
        best = np.argpartition(-cosines, count - 1)[:count]
        found = [(self.rows[position], float(cosines[position])) for position in best]
        return Nearest(found, complete=count == len(cosines))


async def by_set(
    client: Any, keys: Keys, space: EmbeddingSpace, vector: bytes, statuses: Sequence[str], count: int
) -> Nearest:
    """Ask the server's vector set; it says (1 + cosine) / 2."""
    name = keys("near", space.id)
    members = int(await client.execute_command("VCARD", name) or 0)
    if not members:
        return Nearest([], complete=True)
    words: list[Any] = ["VSIM", name, "FP32", vector, "WITHSCORES", "COUNT", min(count, members)]
    if members < EXACT_BELOW:
        words.append("TRUTH")
    else:
        words += ["EF", max(500, 2 * count)]
    if statuses:
        words += ["FILTER", " or ".join(f'.status == "{status}"' for status in statuses)]
        words += ["FILTER-EF", members]
    answer = await client.execute_command(*words)
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    found = [(member.decode().split(":")[0], 2.0 * float(score) - 1.0) for member, score in pairs]
    return Nearest(found, complete=count >= members or (bool(statuses) and len(found) < count))
