"""The retrieval benchmark runs from end to end, with each of its options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import question_sets

from benchmarks.recall import __main__ as program


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


def run(folder: Path, *arguments: str | Path, provider: str = "dummy") -> dict[str, Any]:
    places = ("--out", folder / "out", "--cache", folder / "vectors.db", "--provider", provider)
    program.main([str(argument) for argument in (*arguments, *places)])
    report: dict[str, Any] = json.loads((folder / "out" / "recall.json").read_text())
    return report


def test_every_option_at_once(
    tmp_path: Path, reranker_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "tiny.json", question_sets.locomo())
    prompts = write(tmp_path / "prompts.json", {"coding_prompts": ["rename this function", "fix the test"]})
    report = run(
        tmp_path,
        *(path, "--packed", "--strangers", "--prompts", prompts, "--categories", "--limit", "2"),
        *("--rerank", reranker_folder),
    )
    said = capsys.readouterr().out
    assert "agentmem, packed" in said
    assert "(nothing_relevant)" in said
    rows = {(row["level"], row["system"], row["category"]): row for row in report["scores"]}
    assert {system for _, system, _ in rows} >= {"agentmem", "BM25, no stop words", "dense", "RRF k=60"}
    assert rows["item", "agentmem", "all"]["questions"] == 4
    assert rows["item", "agentmem", "all"]["any@10"] == 100.0
    (shown,) = report["shown"]
    assert (shown["questions with an answer"], shown["questions without an answer"]) == (4, 2)
    assert shown["recall"] == 100.0
    assert report["calibration"][0]["best"]["results"] == 6
    (strangers,) = report["strangers"]
    # Of three questions every third is asked of the other agent, and both prompts of both.
    kinds = ("with an answer", "of other agents", "unrelated prompts")
    assert [strangers[kind]["questions"] for kind in kinds] == [4, 2, 4]
    lines = [json.loads(line) for line in (tmp_path / "out" / "questions.jsonl").read_text().splitlines()]
    assert {line["question"] for line in lines} == {f"{n}-{i}" for n in ("garden", "boat") for i in range(3)}


def test_without_options(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.json", question_sets.locomo())
    report = run(tmp_path, path, "--no-baselines", "--limit", "1")
    assert {row["system"] for row in report["scores"]} == {"agentmem"}
    assert {row["questions"] for row in report["scores"]} == {2}


def test_a_memory_that_grows_between_questions(tmp_path: Path) -> None:
    path = write(tmp_path / "one_dialogues_tiny.json", question_sets.realmem())
    report = run(tmp_path, path, "--packed", "--strangers")
    rows = {row["system"]: row for row in report["scores"]}
    assert {row["level"] for row in rows.values()} == {"session"}
    assert rows["agentmem"]["questions"] == rows["dense"]["questions"] == 2
    assert rows["agentmem"]["all@5"] == 100.0
    assert report["calibration"][0]["all"]["results"] == 0
    lines = [json.loads(line) for line in (tmp_path / "out" / "questions.jsonl").read_text().splitlines()]
    for line in lines:
        # The session of the question itself is never there, let alone a later one.
        session = line["question"].split("-")[1]
        assert not any(item.startswith((session, "later")) for item in line["ranked"])


def test_exact_sets(tmp_path: Path) -> None:
    question_sets.write_precisionmembench(tmp_path)
    report = run(tmp_path, tmp_path)
    (shown,) = report["shown"]
    assert (shown["questions with an answer"], shown["questions without an answer"]) == (1, 2)
    # Who has no memories is shown none; what is pinned or put away is never counted as shown.
    assert shown["nothing shown for them"] >= 1
    assert shown["shown per question"] <= 2
