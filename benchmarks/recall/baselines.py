"""What everybody has: BM25, cosine, and rank fusion of the two, over the bare text."""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from agent_memory.text.stopwords import STOPWORDS
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.questions import Agent, Item, Question

RRF_K = 60
"""G. Cormack et al., "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009."""
NAMES = ("BM25, all words", "BM25, no stop words", "dense", "RRF k=60")


class Baselines:
    """The rankings of one agent's judged items."""

    def __init__(self, agent: Agent, embedder: CachedEmbedder) -> None:
        self._items = [item for item in agent.items if item.judged]
        self._places = [place for place, item in enumerate(agent.items) if item.judged]
        self._embedder = embedder
        self._words = _empty_index()
        self._indexed = 0
        self._matrix = np.zeros((0, 0), dtype="<f4")

    async def open(self) -> None:
        """Embed the bare texts; of a long one its beginning counts, as in every tool that does no more."""
        texts = await self._embedder.beginnings([item.text for item in self._items])
        segments = await self._embedder.embed_documents(texts)
        self._matrix = np.frombuffer(b"".join(segment[0] for segment in segments), "<f4").reshape(
            len(segments), self._embedder.identity.dimension
        )

    async def rank(self, question: Question) -> dict[str, list[str]]:
        """Rank the items that are stored when a question is asked by each baseline, best first."""
        words = _words(question.text)
        stored = self._index(question.stored)
        vector = np.frombuffer(await self._embedder.embed_query(question.text), "<f4")
        rankings = {
            "BM25, all words": self._bm25(words),
            "BM25, no stop words": self._bm25([word for word in words if word not in STOPWORDS]),
            "dense": list(map(int, np.argsort(-(self._matrix[:stored] @ vector), kind="stable"))),
        }
        named = {
            system: [self._items[place].id for place in places if _in_scope(self._items[place], question)]
            for system, places in rankings.items()
        }
        return {**named, "RRF k=60": _fused(named["BM25, all words"], named["dense"])}

    def close(self) -> None:
        """Close the index of words."""
        self._words.close()

    def _index(self, count: int | None) -> int:
        """Index the items among the agent's first `count`, or all; return how many they are."""
        stored = len(self._items) if count is None else bisect_left(self._places, count)
        self._words.executemany(
            "insert into item (rowid, words) values (?, ?)",
            [(place, self._items[place].text) for place in range(self._indexed, stored)],
        )
        self._indexed = max(self._indexed, stored)
        return stored

    def _bm25(self, words: Sequence[str]) -> list[int]:
        if not words:
            return []
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
        rows = self._words.execute("select rowid from item where item match ? order by rank", (query,))
        return [row[0] for row in rows]


def _empty_index() -> sqlite3.Connection:
    file = sqlite3.connect(":memory:")
    file.execute("create virtual table item using fts5 (words, tokenize = 'porter unicode61')")
    return file


def _in_scope(item: Item, question: Question) -> bool:
    return not question.tags or not set(question.tags).isdisjoint(item.arguments.get("tags", ()))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _fused(*rankings: Sequence[str]) -> list[str]:
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (RRF_K + place)
    return sorted(scores, key=lambda item: -scores[item])
