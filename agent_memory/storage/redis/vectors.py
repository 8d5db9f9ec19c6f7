"""Finding by vector without a search module: a copy of all vectors in this process, or the server's vector sets.

The copy is brought up to date by what changed since: each vector that comes or goes is noted with the version of the
store that changed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from agent_memory.batching import batched
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents import Document, Nearest
from agent_memory.storage.redis import fields
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.narrowing import ADMITTED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent_memory.vectors import Vector

_BATCH: Final = 2000
_PLACES: Final = """
local function placed(ids, at)
  local live, places = admitted(ids, at), {}
  for start = 1, #live, 4000 do
    local last = math.min(start + 3999, #live)
    for _, place in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(live, start, last))) do
      places[#places + 1] = place
    end
  end
  return live, places
end
"""
_AMONG: Final = (
    ADMITTED
    + _PLACES
    + """
local ids = {}
for number = 1, tonumber(ARGV[1]) do ids[number] = ARGV[1 + number] end
return {placed(ids, 2 + #ids)}
"""
)
_NEAREST: Final = (
    ADMITTED
    + _PLACES
    + """
local members = redis.call('VCARD', KEYS[2])
if not members or members == 0 then return {0, {}, {}, {}} end
local wanted = tonumber(ARGV[2])
local words = {'VSIM', KEYS[2], 'FP32', ARGV[1], 'WITHSCORES', 'COUNT', math.min(wanted, members)}
if members < tonumber(ARGV[3]) then
  words[#words + 1] = 'TRUTH'
else
  words[#words + 1] = 'EF'
  words[#words + 1] = math.max(500, 2 * wanted)
end
if ARGV[4] ~= '' then
  words[#words + 1] = 'FILTER'
  words[#words + 1] = ARGV[4]
  words[#words + 1] = 'FILTER-EF'
  words[#words + 1] = members
end
local found = redis.call(unpack(words))
local ids, seen = {}, {}
for number = 1, #found, 2 do
  local id = string.match(found[number], '^[^:]*')
  if not seen[id] then
    seen[id] = true
    ids[#ids + 1] = id
  end
end
return {members, found, placed(ids, 5)}
"""
)
EXACT_BELOW: Final = 20_000
"""A vector set with fewer members is compared whole by the server, which misses none."""


async def read(client: Any, keys: Keys, space_id: int, counts: Mapping[str, int]) -> dict[str, list[Vector]]:
    """Return vectors by memory; `counts` says how many each has."""
    result: dict[str, list[Vector]] = {}
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


async def read_all(client: Any, keys: Keys, space_id: int, ids: Sequence[str]) -> dict[str, list[Vector]]:
    """Return the vectors of memories, however many each has; two at a time are asked for, since most have one."""
    result: dict[str, list[Vector]] = {}
    left, start = list(ids), 0
    while left:
        names = [
            keys.vector(space_id, memory_id, segment) for memory_id in left for segment in (start, start + 1)
        ]
        answers = await _segments(client, names)
        for position, memory_id in enumerate(left):
            segments = [answer for answer in answers[2 * position : 2 * position + 2] if answer is not None]
            if segments:
                result.setdefault(memory_id, []).extend(segments)
        left = [entry for position, entry in enumerate(left) if answers[2 * position + 1] is not None]
        start += 2
    return result


async def _segments(client: Any, names: Sequence[str]) -> list[Any]:
    """Return what is under so many keys."""
    return [segment for (segment,) in await fields.of_hashes(client, names, "vector")]


class Admitted(NamedTuple):
    """What a vector search found, and what of it is wanted."""

    nearest: Nearest
    places: Mapping[str, float]
    """Of the memories that are admitted: when each was stored, as a number."""

    def best(self, limit: int) -> dict[str, float] | None:
        """Return the nearest admitted memories with their cosines; None where more of them have to be asked for.

        Of several segments the nearest one counts; memories at the same distance come in the order of storing.
        """
        cosines: dict[str, float] = {}
        for memory_id, cosine in self.nearest.candidates:
            if memory_id in self.places:
                cosines[memory_id] = max(cosine, cosines.get(memory_id, -2.0))
        if len(cosines) < limit and not self.nearest.complete:
            return None
        ranked = sorted(cosines.items(), key=lambda pair: (-pair[1], self.places[pair[0]]))
        return dict(ranked[:limit])


def ask_places(pipe: Any, keys: Keys, ids: Sequence[str], rule: Sequence[str | int]) -> None:
    """Put into a pipeline the question which of the ids are admitted, by what `narrowing.rule` returned."""
    pipe.eval(_AMONG, 1, keys("places"), len(ids), *ids, *rule)


def places_of(ids: Sequence[bytes], places: Sequence[bytes]) -> dict[str, float]:
    """Read the answer to `ask_places`."""
    return {memory_id.decode(): float(place) for memory_id, place in zip(ids, places, strict=True)}


async def admitted_by_set(
    client: Any,
    keys: Keys,
    space: EmbeddingSpace,
    vector: Vector,
    statuses: Sequence[str],
    count: int,
    rule: Sequence[str | int],
) -> Admitted:
    """Ask the server's vector set as `by_set` does, and which of the memories are admitted, in one round trip."""
    members, pairs, ids, places = await client.eval(
        *(_NEAREST, 2, keys("places"), keys("near", space.id)),
        *(vector, count, EXACT_BELOW, _of_status(statuses), *rule),
    )
    cosines = _cosines(zip(pairs[::2], pairs[1::2], strict=True))
    return Admitted(
        Nearest(cosines, _complete(len(cosines), count, members, statuses)), places_of(ids, places)
    )


def _of_status(statuses: Sequence[str]) -> str:
    return " or ".join(f'.status == "{status}"' for status in statuses)


def _cosines(pairs: Iterable[tuple[bytes, Any]]) -> list[tuple[str, float]]:
    """Read what a vector set says, which is (1 + cosine) / 2."""
    return [(member.decode().split(":")[0], 2.0 * float(score) - 1.0) for member, score in pairs]


def _complete(returned: int, count: int, members: int, statuses: Sequence[str]) -> bool:
    return count >= members or (bool(statuses) and returned < count)


@dataclass(slots=True)
class Copy:
    """The vectors of one space as far as they were read."""

    version: int = -1
    segments: dict[str, list[Vector]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)
    matrix: NDArray[Any] | None = None

    def ask_moved(self, client: Any, keys: Keys, space: EmbeddingSpace) -> Any:
        """Ask which vectors came or went since the last time; in a pipeline, the answer comes later."""
        return client.zrangebyscore(keys("moved", space.id), f"({self.version}", "+inf", withscores=True)

    async def refresh(
        self,
        client: Any,
        keys: Keys,
        space: EmbeddingSpace,
        documents: Any,
        moved: Sequence[tuple[bytes, float]],
    ) -> None:
        """Read what changed since the last time.

        Args:
            client: the client.
            keys: the agent's keys.
            space: the space of the vectors.
            documents: reads documents by ids.
            moved: the answer to `ask_moved`.
        """
        if not moved:
            return
        ids = [memory_id.decode() for memory_id, _ in moved]
        for part in batched(ids, _BATCH):
            embedded: dict[str, Document] = await documents(part)
            counts = {
                entry.id: entry.embedded[space.id]
                for entry in embedded.values()
                if space.id in entry.embedded
            }
            segments = await read(client, keys, space.id, counts)
            for memory_id in part:
                self.segments.pop(memory_id, None)
            self.segments.update(segments)
        self.version = int(max(version for _, version in moved))
        self.matrix = None

    def nearest(self, space: EmbeddingSpace, vector: Vector, count: int) -> Nearest:
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
        cosine_pairs = [(self.rows[position], float(cosines[position])) for position in best]
        return Nearest(cosine_pairs, complete=count == len(cosines))


async def by_set(
    client: Any, keys: Keys, space: EmbeddingSpace, vector: Vector, statuses: Sequence[str], count: int
) -> Nearest:
    """Ask the server's vector set."""
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
        words += ["FILTER", _of_status(statuses), "FILTER-EF", members]
    answer = await client.execute_command(*words)
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    cosines = _cosines(pairs)
    return Nearest(cosines, complete=_complete(len(cosines), count, members, statuses))
