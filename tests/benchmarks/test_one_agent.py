"""The measurement of many writers of one agent says how they compare with one writer, in both ways."""

from __future__ import annotations

from benchmarks.backends.one_agent import report


def test_each_way_is_compared_with_its_own_fewest_writers() -> None:
    lines = report({"library": {16: [300.0, 450.0, 300.0], 1: [400.0]}, "psycopg": {16: [75.0], 1: [150.0]}})
    assert lines[-2].split() == ["1", "writers", "400", "(1.00)", "150", "(1.00)"]
    assert lines[-1].split() == ["16", "writers", "300", "(0.75)", "75", "(0.50)"]
