from __future__ import annotations

import pytest

from agent_memory.batching import batched


@pytest.mark.parametrize(
    ("values", "batches"),
    [
        ([1, 2, 3, 4, 5], [[1, 2], [3, 4], [5]]),
        ((1, 2), [(1, 2)]),
        ("abcde", ["ab", "cd", "e"]),
        (b"abc", [b"ab", b"c"]),
        ([], []),
    ],
)
def test_batches_are_slices_of_the_same_type(values: list[int], batches: list[list[int]]) -> None:
    assert list(batched(values, 2)) == batches
