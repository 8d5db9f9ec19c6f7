"""The times that a query names."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.recall.dates import MOST_TIMES, named_times

ASKED = datetime(2023, 6, 14, 15, 30, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("query", "spans"),
    [
        ("what did we do two weeks ago?", [("2023-05-28", "2023-06-04")]),
        ("a couple of days ago I cooked", [("2023-06-12", "2023-06-13")]),
        ("what happened yesterday?", [("2023-06-13", "2023-06-14")]),
        ("last May", [("2023-05-01", "2023-06-01")]),
        ("last June", [("2022-06-01", "2022-07-01")]),
        ("in December", [("2022-12-01", "2023-01-01")]),
        ("in January and March", [("2023-01-01", "2023-02-01"), ("2023-03-01", "2023-04-01")]),
        ("July 2023", [("2023-07-01", "2023-08-01")]),
        ("on the 3rd", [("2023-06-03", "2023-06-04")]),
        ("on the 20th", [("2023-05-20", "2023-05-21")]),
        ("8 May 2022", [("2022-05-08", "2022-05-09")]),
        ("on May 8th, 2022?", [("2022-05-08", "2022-05-09")]),
        ("on the 8th of July", [("2022-07-08", "2022-07-09")]),
        ("2023-05-08", [("2023-05-08", "2023-05-09")]),
        ("last Monday", [("2023-06-12", "2023-06-13")]),
        ("last week", [("2023-06-05", "2023-06-12")]),
        ("last weekend", [("2023-06-10", "2023-06-12")]),
        ("this month", [("2023-06-01", "2023-07-01")]),
        ("this year", [("2023-01-01", "2024-01-01")]),
        ("last year", [("2022-01-01", "2023-01-01")]),
        ("last summer", [("2022-06-01", "2022-09-01")]),
        ("last winter", [("2022-12-01", "2023-03-01")]),
        ("during 2022", [("2022-01-01", "2023-01-01")]),
        ("in the past month", [("2023-05-15", "2023-06-15")]),
        ("in the last two months", [("2023-04-15", "2023-06-15")]),
        ("may I ask who marched", []),
        ("February 30", []),
        ("who is the second of them", []),
        ("room 1999 or 2001", []),
        ("", []),
    ],
)
def test_times_are_understood_relative_to_the_moment_of_asking(
    query: str, spans: list[tuple[str, str]]
) -> None:
    found = [(f"{span.start:%Y-%m-%d}", f"{span.end:%Y-%m-%d}") for span in named_times(query, ASKED)]
    assert found == spans


@pytest.mark.anyio
async def test_a_named_time_reorders_and_hides_nothing(tmp_path: Path) -> None:
    config = MemoryConfig(backend_config={"path": str(tmp_path / "a.db")}, embedding_provider="none")
    async with AgentMemory(config=config) as memory:
        march = await memory.episodic.add("went climbing", occurred_at=datetime(2022, 3, 5, tzinfo=UTC))
        april = await memory.episodic.add("went climbing", occurred_at=datetime(2022, 4, 5, tzinfo=UTC))
        for month, first in (("March", march), ("April", april)):
            found = await memory.search(f"climbing in {month} 2022", explain=True)
            assert found[0].memory.id == first
            assert len(found) == 2
            explanation = found[0].explanation
            assert explanation is not None
            assert explanation["boosts"]["date"] == 0.5


@pytest.mark.parametrize(
    "part", ["today ", "3 days ago ", "2026-05-08 ", "last a few ", "march 3, ", "in may "]
)
def test_a_query_of_any_length_is_read_in_linear_time(part: str) -> None:
    before = time.process_time()
    assert len(named_times(part * 20_000, ASKED)) <= MOST_TIMES
    assert time.process_time() - before < 5
