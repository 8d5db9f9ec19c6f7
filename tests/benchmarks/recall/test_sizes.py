"""The measurement by size asks each question once, where its fact is stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import question_sets

from benchmarks.recall import diagram, sizes

TYPES = ("fact", "preference", "event", "message", "skill")
THINGS = ("anvil", "bucket", "candle", "drawer", "engine", "feather", "goblet", "hammer", "inkwell", "jacket")


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    data = {
        "facts": [
            {"id": thing, "type": TYPES[number % 5], "text": f"the {thing} is kept in room {number}"}
            for number, thing in enumerate(THINGS)
        ],
        "answerable": [
            {"q": f"where is the {thing}?", "fact": thing, "shared_word": thing != "jacket"}
            for thing in ("anvil", "bucket", "engine", "jacket")
        ],
        "unanswerable": [{"q": "who won the regatta?"}, {"q": "what colour has the anvil?", "near": True}],
        "coding_prompts": ["rename this function", "fix the test"],
    }
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(data))
    return path


def run(folder: Path, *arguments: str | Path) -> dict[str, Any]:
    out = folder / "sizes.json"
    options = ("--out", out, "--cache", folder / "vectors.db", "--provider", "dummy")
    sizes.main([str(argument) for argument in (*arguments, *options)])
    report: dict[str, Any] = json.loads(out.read_text())
    return report


def test_small_sizes_are_many_stores(facts: Path, tmp_path: Path) -> None:
    report = run(tmp_path, facts, "--sizes", "3", "10")
    for row, size in zip(report["sizes"], (3, 10), strict=True):
        assert row["memories"] == size
        assert {name: value["questions"] for name, value in row.items() if name != "memories"} == {
            "answerable": 4,
            "with a shared word": 3,
            "without a shared word": 1,
            "unanswerable": 2,
            "about something stored": 1,
            "unrelated prompts": 2,
        }
        assert row["answerable"]["right one not found"] == 0.0
        assert row["answerable"]["right one first"] == 100.0
    # Four answers, and as many results for each of eight questions as there are memories.
    assert [entry["all"]["gold"] for entry in report["calibration"]] == [4, 4]
    diagram.main([str(tmp_path / "sizes.json"), str(tmp_path / "out.svg")])
    assert "10 memories" in (tmp_path / "out.svg").read_text()


def test_large_sizes_are_filled_with_other_texts(facts: Path, tmp_path: Path) -> None:
    other = tmp_path / "tiny.json"
    other.write_text(json.dumps(question_sets.locomo()))
    arguments = ("--sizes", "40", "--filler", other, "--others", other, "--limit", "2", "--real", "4")
    (row,) = run(tmp_path, facts, *arguments)["sizes"]
    kinds = ("answerable", "unanswerable", "unrelated prompts", "questions of other agents")
    assert [row[kind]["questions"] for kind in kinds] == [2, 2, 2, 2]
    assert row["answerable"]["right one not found"] == 0.0


def test_large_sizes_need_other_texts(facts: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="30 more memories are needed"):
        run(tmp_path, facts, "--sizes", "40")


def test_the_best_threshold_calls_nothing_what_lies_below_enough_of_the_unanswerable() -> None:
    result = sizes.Results(30)
    result.best = {"unanswerable": [n / 100 for n in range(100)], "answerable": [0.2, 0.9, 0.91, 0.92, 0.99]}
    assert result.ceilings() == {
        "answerable": 60.0
    }  # 92 of 100 lie at .91 or below, and so do three of the five
