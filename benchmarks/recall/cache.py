"""Vectors kept between runs, by what made them and by the text: embedding is most of the time a run takes."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from agent_memory.embeddings.base import Embedder, EmbeddingIdentity

_BATCH = 64


class CachedEmbedder(Embedder):
    """Another embedder, whose vectors are looked up in a file first."""

    provider: ClassVar[str] = "cached"

    def __init__(self, inner: Embedder, path: Path) -> None:
        super().__init__()
        self._inner = inner
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, check_same_thread=False)
        self._file.execute(
            "create table if not exists vector (digest blob primary key, vector blob) without rowid"
        )
        self.missed = 0
        """Texts that had to be embedded."""

    async def prepare(self) -> None:
        """Prepare the embedder behind it."""
        await self._inner.prepare()

    @property
    def identity(self) -> EmbeddingIdentity:
        """The identity of the embedder behind it."""
        return self._inner.identity

    def language_coverage(self, text: str) -> float:
        """Ask the embedder behind it."""
        return self._inner.language_coverage(text)

    async def _split_all(self, texts: Sequence[str]) -> list[list[str]]:
        return await self._inner._split_all(texts)

    async def beginnings(self, texts: Sequence[str]) -> list[str]:
        """Return of each text as many words as the model reads at once, as in a tool that cuts off the rest."""
        segments = await self._split_all(texts)
        return [
            text if len(split) == 1 else await self._beginning(text)
            for text, split in zip(texts, segments, strict=True)
        ]

    async def _beginning(self, text: str) -> str:
        ends = [word.end() for word in re.finditer(r"\S+", text)]
        low, high = 0, len(ends) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if len((await self._split_all([text[: ends[middle]]]))[0]) == 1:
                low = middle
            else:
                high = middle - 1
        return text[: ends[low]] if ends else text

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        digests = [self._digest(text, query) for text in texts]
        known = {digest: vector for digest in digests if (vector := self._look_up(digest)) is not None}
        missing = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in known}
        names = list(missing)
        for start in range(0, len(names), _BATCH):
            part = names[start : start + _BATCH]
            vectors = await self._inner._embed([missing[digest] for digest in part], query=query)
            self._file.executemany(
                "insert or ignore into vector values (?, ?)", zip(part, vectors, strict=True)
            )
            self._file.commit()
            known.update(zip(part, vectors, strict=True))
        self.missed += len(names)
        return [known[digest] for digest in digests]

    def _digest(self, text: str, query: bool) -> bytes:
        content = f"{self.identity.fingerprint}\0{query}\0{text}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=16).digest()

    def _look_up(self, digest: bytes) -> bytes | None:
        row = self._file.execute("select vector from vector where digest = ?", (digest,)).fetchone()
        return bytes(row[0]) if row else None

    async def close(self) -> None:
        """Keep everything: several agents share one cache."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
