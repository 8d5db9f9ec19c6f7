"""Vectors made of hashed words: the same on every machine, without a model; for tests and trials."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

from agent_memory.embeddings.base import Embedder, EmbeddingIdentity, IdentityLike, pack
from agent_memory.errors import ConfigurationError

_WORD = re.compile(r"\w+")
_PLACES = 8
"""Coordinates per word: with one, two of sixty words that share it would look like the same word."""


class DummyEmbedder(Embedder):
    """A bag of hashed words: texts that share words are similar, and meaning plays no part.

    Options:
        dimension: length of the vectors, 64 if left out.
    """

    provider: ClassVar[str] = "dummy"
    options: ClassVar[frozenset[str]] = frozenset({"dimension"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        dimension = options.get("dimension", 64)
        if not isinstance(dimension, int) or isinstance(dimension, bool) or not 2 <= dimension <= 65_536:
            raise ConfigurationError(
                f"dimension is {dimension!r}", hint="give a whole number from 2 to 65536"
            )
        self._identity = EmbeddingIdentity(
            provider=self.provider, model="hashed-words", revision="1", dimension=dimension
        )

    @classmethod
    def options_from(cls, identity: IdentityLike) -> dict[str, Any]:
        """Return the dimension of that identity."""
        return {"dimension": identity.dimension}

    async def prepare(self) -> None:
        """Do nothing: there is nothing to load."""

    @property
    def identity(self) -> EmbeddingIdentity:
        """Which vectors these are."""
        return self._identity

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> bytes:
        dimension = self._identity.dimension
        counts: dict[str, int] = {}
        for word in _WORD.findall(text.casefold()):
            # Scripts without spaces between words: a character is the closest thing to one.
            for part in (word,) if word.isascii() else (word, *word):
                counts[part] = counts.get(part, 0) + 1
        values = [0.0] * dimension
        for word, count in counts.items():
            weight = 1.0 + math.log(count)
            for position, sign in _places(word, dimension):
                values[position] += sign * weight
        if not any(values):
            values[0] = 1.0  # a text without words still has a direction, the same for all such texts
        return pack(values)


@lru_cache(maxsize=65_536)
def _places(word: str, dimension: int) -> tuple[tuple[int, float], ...]:
    digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4 * _PLACES).digest()
    numbers = [int.from_bytes(digest[start : start + 4], "little") for start in range(0, 4 * _PLACES, 4)]
    return tuple(((number >> 1) % dimension, 1.0 if number & 1 else -1.0) for number in numbers)
