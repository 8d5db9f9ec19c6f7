"""What a search returns, and what it says of it."""

from __future__ import annotations

import pytest

from agent_memory.recall.found import Found
from agent_memory.records import ScoredMemory
from agent_memory.testing import builders


@pytest.mark.parametrize(
    ("relevance", "compared", "doubt"),
    [
        ([0.9, 0.1], 10, None),
        ([0.3, 0.1], 10, "it is not certain that anything here answers this"),
        ([0.1, 0.05], 10, "nothing here seems to answer this"),
        ([0.1], 2, None),  # too few to tell
        ([], 10, None),
    ],
)
def test_doubt_is_said_where_nothing_is_relevant(
    relevance: list[float], compared: int, doubt: str | None
) -> None:
    results = [ScoredMemory(builders.fact(f"fact {share}"), 0.5, share) for share in relevance]
    assert Found(results, compared=compared).doubt == doubt


def test_a_further_page_says_the_same_of_the_search() -> None:
    results = [ScoredMemory(builders.fact(text), 0.5, 0.9) for text in ("one", "two")]
    page = Found(results, terms=["one"], notices=["slow"], compared=7).after(1)
    assert [item.memory.content for item in page] == ["two"]
    assert (page.terms, page.notices, page.compared) == (("one",), ("slow",), 7)
