"""Token vectors kept in memory, so that a process that stays does not embed the same texts with every search."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from numpy.typing import NDArray

KEPT_BYTES: Final = 32_000_000
"""About 1,000 messages of 40 tokens; a token takes 768 bytes."""


class TokenVectorCache:
    """Matrices of token vectors by text; the least recently used ones are dropped first.

    Args:
        limit: bytes of all matrices together.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()  # event loops of several threads share a model
        self._matrices: dict[bytes, NDArray[Any]] = {}
        self.bytes = 0
        """What the matrices take together."""

    def get(self, text: str) -> NDArray[Any] | None:
        """Return the token vectors of a text, if they are kept."""
        key = _key(text)
        with self._lock:
            matrix = self._matrices.pop(key, None)
            if matrix is not None:
                self._matrices[key] = matrix  # the last of the dictionary was used last
            return matrix

    def put(self, text: str, matrix: NDArray[Any]) -> None:
        """Keep the token vectors of a text, and drop what is over the limit."""
        key = _key(text)
        with self._lock:
            former = self._matrices.pop(key, None)
            self.bytes += matrix.nbytes - (0 if former is None else former.nbytes)
            self._matrices[key] = matrix
            while self.bytes > self._limit:
                oldest = next(iter(self._matrices))
                self.bytes -= self._matrices.pop(oldest).nbytes


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
