"""Cutting sequences into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, cast

S = TypeVar("S", bound=Sequence[Any])


def batched(values: S, size: int) -> Iterator[S]:
    """Cut a sequence into slices of one size; the last one may be shorter.

    Args:
        values: a list, a tuple, a string, bytes, or any other sequence that can be sliced.
        size: how many entries to a slice.

    Yields:
        Slices of the type of `values`.
    """
    for start in range(0, len(values), size):
        yield cast(S, values[start : start + size])
