"""Finding by words without a search module: for each stem a sorted set of the memories that hold it, and how often.

Everything that holds a word of the query is fetched and scored here. That is exact, and slow for a word that half of
a hundred thousand memories hold; a server with the search module retrieves candidates by itself (`search`).

Codes (`text.analysis.is_code`) are listed in order on every server, to be found by their beginnings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.narrowing import ADMITTED
from agent_memory.text.analysis import beyond, is_code
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem

_HOLDER, _AFTER_HOLDERS = "\0", "\1"
_CODES: Final = 200
"""Entries read at once."""

MOST_IN_SCRIPT: Final = 20_000
"""Entries of a query's words up to which one script reads them all: a longer one would keep other clients waiting."""
_RETRIEVE: Final = (
    ADMITTED
    + """
local counts, total = {}, 0
for place, key in ipairs(KEYS) do
  counts[place] = redis.call('ZCARD', key)
  total = total + counts[place]
end
local totals = redis.call('HMGET', ARGV[1], 'documents', 'words')
if total > tonumber(ARGV[3]) then return {totals, counts} end
local entries, ids, seen = {}, {}, {}
for place, key in ipairs(KEYS) do
  entries[place] = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  for number = 1, #entries[place], 2 do
    local id = entries[place][number]
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
end
local live, lengths = admitted(ids, 4), {}
for start = 1, #live, 4000 do
  local last = math.min(start + 3999, #live)
  for _, length in ipairs(redis.call('HMGET', ARGV[2], unpack(live, start, last))) do
    lengths[#lengths + 1] = length
  end
end
return {totals, counts, entries, live, lengths}
"""
)

Held = dict[str, dict[str, int]]
"""By memory: its stems of the query, and how often."""


async def holding(client: Any, keys: Keys, terms: Sequence[str]) -> Held:
    """Return every memory that holds any of the terms."""
    stems = list(dict.fromkeys(map(stem, terms)))
    pipe = client.pipeline(transaction=False)
    for term in stems:
        pipe.zrange(keys("word", term), 0, -1, withscores=True)
    result: Held = {}
    for term, holders in zip(stems, await pipe.execute(), strict=True):
        for memory_id, count in holders:
            result.setdefault(memory_id.decode(), {})[term] = int(count)
    return result


def ask(pipe: Any, keys: Keys, terms: Sequence[str], rule: Sequence[str | int]) -> list[str]:
    """Put into a pipeline the question which admitted memories hold any of the terms, and return their stems.

    Args:
        pipe: the pipeline.
        keys: the agent's keys.
        terms: the words of the query.
        rule: what `narrowing.rule` returned.

    Returns:
        The stems, each once.
    """
    stems = list(dict.fromkeys(map(stem, terms)))
    names = [keys("word", term) for term in stems]
    pipe.eval(_RETRIEVE, len(names), *names, keys("totals"), keys("lengths"), MOST_IN_SCRIPT, *rule)
    return stems


def answered(
    answer: Sequence[Any], stems: Sequence[str]
) -> tuple[WordStatistics, list[tuple[str, float]] | None]:
    """Read the answer to `ask`: the statistics, and the admitted memories by score; None where they are too many."""
    totals, counts, *rest = answer
    known = averaged(totals, dict(zip(stems, counts, strict=True)))
    if not rest:
        return known, None
    entries, live, lengths = rest
    by_memory: Held = {memory_id.decode(): {} for memory_id in live}
    for term, flat in zip(stems, entries, strict=True):
        for memory_id, count in zip(flat[::2], flat[1::2], strict=True):
            frequencies = by_memory.get(memory_id.decode())
            if frequencies is not None:
                frequencies[term] = int(count)
    scored = [
        (memory_id, bm25_score(frequencies, int(length or 0), known))
        for (memory_id, frequencies), length in zip(by_memory.items(), lengths, strict=True)
    ]
    return known, sorted(scored, key=lambda pair: -pair[1])


async def among(client: Any, keys: Keys, terms: Sequence[str], ids: Sequence[str]) -> Held:
    """Return those of the memories that hold any of the terms."""
    stems = list(dict.fromkeys(map(stem, terms)))
    pipe = client.pipeline(transaction=False)
    for term in stems:
        pipe.zmscore(keys("word", term), list(ids))
    result: Held = {}
    for term, counts in zip(stems, await pipe.execute(), strict=True):
        for memory_id, count in zip(ids, counts, strict=True):
            if count is not None:
                result.setdefault(memory_id, {})[term] = int(count)
    return result


async def beginning(client: Any, keys: Keys, prefix: str, limit: int) -> list[str]:
    """Return the first stems that begin so, ordered by code points."""
    codes: list[str] = []
    start, end = f"[{prefix}", f"({beyond(prefix)}"
    while len(codes) < limit:
        entries = await client.zrangebylex(keys("codes"), start, end, start=0, num=_CODES)
        codes += dict.fromkeys(entry.decode().partition(_HOLDER)[0] for entry in entries)
        if len(entries) < _CODES:
            break
        start = f"({codes[-1]}{_AFTER_HOLDERS}"  # whoever else holds it
    return codes[:limit]


def held_codes(memory_id: str, stems: Iterable[str]) -> list[str]:
    """Return a memory's entries in the sorted set `codes`, which is ordered by their text: one for each code.

    Each memory has entries of its own, so that what holds a code no more takes nobody else's away.
    """
    return [f"{code}{_HOLDER}{memory_id}" for code in sorted(set(filter(is_code, stems)))]


async def statistics(client: Any, keys: Keys, terms: Sequence[str]) -> WordStatistics:
    """Return what BM25 has to know about these terms."""
    stems = list(dict.fromkeys(map(stem, terms)))
    pipe = client.pipeline(transaction=False)
    pipe.hmget(keys("totals"), "documents", "words")
    for term in stems:
        pipe.zcard(keys("word", term))
    totals, *counts = await pipe.execute()
    return averaged(totals, dict(zip(stems, counts, strict=True)))


def averaged(totals: Sequence[bytes | None], frequencies: dict[str, int]) -> WordStatistics:
    """Make the statistics of the totals and of the memories that hold each stem."""
    documents, words = (int(total or 0) for total in totals)
    return WordStatistics(
        documents=documents,
        mean_length=words / documents if documents else 0.0,
        document_frequency=frequencies,
    )


async def scores(client: Any, keys: Keys, frequencies: Held, known: WordStatistics) -> dict[str, float]:
    """Return the BM25 scores of memories by what they hold of a query."""
    ids = list(frequencies)
    if not ids:
        return {}
    lengths = await client.hmget(keys("lengths"), ids)
    return {
        memory_id: bm25_score(frequencies[memory_id], int(length or 0), known)
        for memory_id, length in zip(ids, lengths, strict=True)
    }
