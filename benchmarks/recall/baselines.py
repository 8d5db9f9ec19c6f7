"""What everybody has: BM25, cosine, and rank fusion of the two, over the bare text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

import numpy as np

from agent_memory.text.stopwords import STOPWORDS
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.questions import Agent, Item

RRF_K = 60
"""G. Cormack et al., "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009."""
NAMES = ("BM25, all words", "BM25, no stop words", "dense", "RRF k=60")


class Baselines:
    """The rankings of one agent's judged items."""

    def __init__(self, agent: Agent, embedder: CachedEmbedder) -> None:
        self._items = [item for item in agent.items if item.judged]
        self._embedder = embedder
        self._words = _index(self._items)
        self._matrix = np.zeros((0, 0), dtype="<f4")

    async def open(self) -> None:
        """Embed the bare texts; of a long one its beginning counts, as in every tool that does no more."""
        texts = await self._embedder.beginnings([item.text for item in self._items])
        segments = await self._embedder.embed_documents(texts)
        self._matrix = np.frombuffer(b"".join(segment[0] for segment in segments), "<f4").reshape(
            len(segments), -1
        )

    async def rank(self, question: str) -> dict[str, list[str]]:
        """Rank all items by each baseline, best first."""
        all_words = self._bm25(_words(question))
        vector = np.frombuffer(await self._embedder.embed_query(question), "<f4")
        dense = [self._items[place].id for place in np.argsort(-(self._matrix @ vector), kind="stable")]
        return {
            "BM25, all words": all_words,
            "BM25, no stop words": self._bm25([word for word in _words(question) if word not in STOPWORDS]),
            "dense": dense,
            "RRF k=60": _fused(all_words, dense),
        }

    def _bm25(self, words: Sequence[str]) -> list[str]:
        if not words:
            return []
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(words))
        found = self._words.execute("select rowid from item where item match ? order by rank", (query,))
        return [self._items[row[0]].id for row in found]


def _index(items: Sequence[Item]) -> sqlite3.Connection:
    file = sqlite3.connect(":memory:")
    file.execute("create virtual table item using fts5 (words, tokenize = 'porter unicode61')")
    file.executemany(
        "insert into item (rowid, words) values (?, ?)", [(n, i.text) for n, i in enumerate(items)]
    )
    return file


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _fused(*rankings: Sequence[str]) -> list[str]:
    scores: dict[str, float] = {}
    for ranking in rankings:
        for place, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (RRF_K + place)
    return sorted(scores, key=lambda item: -scores[item])
