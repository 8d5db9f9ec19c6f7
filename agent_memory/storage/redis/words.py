"""Finding by words without a search module: for each stem a sorted set of the memories that hold it, and how often.

Everything that holds a word of the query is fetched and scored here. That is exact, and slow for a word that half of
a hundred thousand memories hold; a server with the search module nominates by itself (`search`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_memory.storage.redis.keys import Keys
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem

Held = dict[str, dict[str, int]]
"""By memory: its stems of the query, and how often."""


async def holding(client: Any, keys: Keys, terms: Sequence[str]) -> Held:
    """Return every memory that holds any of the terms."""
    stems = list(dict.fromkeys(map(stem, terms)))
    pipe = client.pipeline(transaction=False)
    for term in stems:
        pipe.zrange(keys("word", term), 0, -1, withscores=True)
    result: Held = {}
    for term, found in zip(stems, await pipe.execute(), strict=True):
        for memory_id, count in found:
            result.setdefault(memory_id.decode(), {})[term] = int(count)
    return result


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
    documents, words = (int(each or 0) for each in totals)
    return WordStatistics(
        documents=documents,
        mean_length=words / documents if documents else 0.0,
        document_frequency=frequencies,
    )


async def scores(client: Any, keys: Keys, held: Held, known: WordStatistics) -> dict[str, float]:
    """Return the BM25 scores of memories by what they hold of a query."""
    ids = list(held)
    if not ids:
        return {}
    lengths = await client.hmget(keys("lengths"), ids)
    return {
        memory_id: bm25_score(held[memory_id], int(length or 0), known)
        for memory_id, length in zip(ids, lengths, strict=True)
    }
