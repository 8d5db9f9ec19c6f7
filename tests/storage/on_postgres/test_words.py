"""The query for a search by words."""

from __future__ import annotations

from agent_memory.storage.postgres import words
from agent_memory.storage.postgres.reading import Scope
from agent_memory.text.bm25 import WordStatistics


def test_the_query_for_as_many_words_is_the_same_text() -> None:
    scope = Scope(7, "tester")
    one = words.score_query(scope, WordStatistics(9, 4.5, {"boat": 2, "it's 100%": 1}))
    other = words.score_query(scope, WordStatistics(800, 12.0, {"garden": 5, "kettle": 3, "unknown": 0}))
    assert one is not None
    assert other is not None
    assert one.sql == other.sql
    assert one.sql.count("%s") == len(one.values) == len(other.values)


def test_what_no_memory_holds_is_not_asked_for() -> None:
    assert words.score_query(Scope(7, "tester"), WordStatistics(9, 4.5, {"unknown": 0})) is None
