"""The type of a vector, and how several of them are kept as one value."""

from __future__ import annotations

from typing import NewType, cast

from agent_memory.batching import batched

Vector = NewType("Vector", bytes)
"""What a model makes of a segment of a text, ready to be compared: float32, little endian, of unit length."""


def split_vectors(data: bytes, dimension: int) -> list[Vector]:
    """Cut vectors that were written one after the other.

    Args:
        data: the vectors; their length is a multiple of a vector's.
        dimension: how many numbers each has.

    Returns:
        The vectors, in order.
    """
    return cast(list[Vector], list(batched(data, 4 * dimension)))
