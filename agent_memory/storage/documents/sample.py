"""A sample of a space's vectors that stays the same until their number doubles, without a look at them all.

Vectors are numbered as they are stored. Every n-th is kept, n a power of two; when too many are kept, every second of
them goes and n doubles. What is shown lies evenly among the first so many, "so many" being the largest power of two
that there are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from agent_memory.records import canonical_json

_MOST: Final = 1024
VectorAddress = tuple[str, int]
"""A memory's id, and which of its vectors."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Which vectors of a space are kept in the sample."""

    stride: int = 1
    kept: Sequence[VectorAddress] = ()

    def to_json(self) -> str:
        """Return it as canonical JSON."""
        return canonical_json({"stride": self.stride, "kept": [list(address) for address in self.kept]})

    @classmethod
    def from_json(cls, text: str | None) -> Sample:
        """Read what `to_json` wrote; nothing is an empty sample."""
        if text is None:
            return cls()
        data = json.loads(text)
        return cls(data["stride"], [(memory_id, segment) for memory_id, segment in data["kept"]])

    def with_more(self, counted: int, addresses: Iterable[VectorAddress]) -> Sample:
        """Return the sample after more vectors were stored; `counted` is how many there were before."""
        stride, kept = self.stride, list(self.kept)
        for number, address in enumerate(addresses, counted):
            if number % stride:
                continue
            kept.append(address)
            if len(kept) > _MOST:
                stride, kept = 2 * stride, kept[::2]
        return Sample(stride, kept)

    def shown(self, counted: int, limit: int) -> list[VectorAddress]:
        """Return at most so many of them, the same until `counted` doubles."""
        if counted < 1 or limit < 1:
            return []
        settled = 1 << (counted.bit_length() - 1)
        addresses = list(self.kept[: -(-settled // self.stride)])
        step = 1
        while -(-len(addresses) // step) > limit:
            step *= 2
        return addresses[::step]
