"""Texts and vectors for large stores: real sentences first, then mixtures of two of them.

A mixture's vector lies between those of its two sentences, so that the neighbourhoods of real text are kept; random
vectors have none, and an index that is fast on those says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall import readers
from benchmarks.recall.cache import CachedEmbedder

REAL = 30_000
"""Sentences that are embedded at most; a quarter of an hour's work on two cores, once."""
QUESTIONS = 200
_BATCH = 10_000
_WORDS = range(5, 41)  # what may pass as a short fact


class Part(NamedTuple):
    """Some of the memories to store."""

    texts: list[str]
    vectors: NDArray[Any]
    """One row of float32 each, of unit length."""


class Corpus(NamedTuple):
    """Sentences with their vectors, and questions."""

    sentences: list[str]
    vectors: NDArray[Any]
    questions: list[str]

    def parts(self, count: int) -> Iterator[Part]:
        """Give so many memories, the same ones each time."""
        real = min(count, len(self.sentences))
        for start in range(0, real, _BATCH):
            end = min(real, start + _BATCH)
            yield Part(self.sentences[start:end], self.vectors[start:end])
        chance = np.random.default_rng(7)
        for start in range(real, count, _BATCH):
            yield self._mixed(min(_BATCH, count - start), chance)

    def _mixed(self, count: int, chance: np.random.Generator) -> Part:
        first, second = chance.integers(len(self.sentences), size=(2, count))
        share = chance.uniform(0.3, 0.7, size=(count, 1)).astype(np.float32)
        vectors = share * self.vectors[first] + (1 - share) * self.vectors[second]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        texts = [
            _halves(self.sentences[one], self.sentences[other], float(part))
            for one, other, part in zip(first, second, share[:, 0], strict=True)
        ]
        return Part(texts, vectors)


def _halves(one: str, other: str, share: float) -> str:
    """Join the beginning of one sentence with the end of another, by their shares."""
    left, right = one.split(), other.split()
    return " ".join(left[: round(share * len(left))] + right[round(share * len(right)) :])


async def collect(paths: Sequence[Path], embedder: CachedEmbedder, real: int = REAL) -> Corpus:
    """Read the sentences of question sets and embed them, `real` of them at most."""
    texts: dict[str, None] = {}
    questions: dict[str, None] = {}
    for path in paths:
        for agent in readers.read(path).agents:
            questions.update(dict.fromkeys(question.text for question in agent.questions))
            for item in agent.items:
                for sentence in re.split(r"(?<=[.!?])\s+|\n+", item.text):
                    if len(sentence.split()) in _WORDS:
                        texts[" ".join(sentence.split())] = None
    # Evenly from all of them, whatever order the sets came in.
    sentences = _spread(list(texts), real)
    vectors = []
    for start in range(0, len(sentences), 512):
        vectors_of_part = await embedder.embed_documents(sentences[start : start + 512])
        vectors += [segments[0] for segments in vectors_of_part]
        print(f"\rembedded {len(vectors):,} of {len(sentences):,} sentences", end="", flush=True)
    print()
    matrix = np.frombuffer(b"".join(vectors), "<f4").reshape(len(vectors), -1)
    return Corpus(sentences, matrix, _spread(list(questions), QUESTIONS))


def _spread(values: list[str], count: int) -> list[str]:
    step = max(1.0, len(values) / count)
    return [values[int(place * step)] for place in range(min(count, len(values)))]
