"""The processes that fill the server understand what they are told."""

from __future__ import annotations

from benchmarks.backends.promoted import Sizes, options_of, sizes_of


def test_the_sizes_that_a_process_is_told_are_those_that_it_uses() -> None:
    sizes = Sizes(*range(2, 2 + len(Sizes._fields)))
    assert sizes_of(options_of(sizes.arguments)) == sizes
