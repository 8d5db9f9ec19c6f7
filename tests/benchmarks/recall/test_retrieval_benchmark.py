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
    report = run(
        tmp_path, path, "--packed", "--strangers", "--categories", "--rerank", reranker_folder, "--limit", "2"
    )
    said = capsys.readouterr().out
    assert "agentmem, packed" in said
    assert "(nothing_relevant)" in said
    rows = {(row["level"], row["system"], row["category"]): row for row in report["scores"]}
    assert {system for _, system, _ in rows} >= {"agentmem", "BM25, no stop words", "dense", "RRF k=60"}
    assert rows["item", "agentmem", "all"]["questions"] == 4
    assert rows["item", "agentmem", "all"]["any@10"] == 100.0
    lines = [json.loads(line) for line in (tmp_path / "out" / "questions.jsonl").read_text().splitlines()]
    assert {line["question"] for line in lines} == {f"{n}-{i}" for n in ("garden", "boat") for i in range(3)}


def test_without_options(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.json", question_sets.locomo())
    report = run(tmp_path, path, "--no-baselines", "--limit", "1")
    assert {row["system"] for row in report["scores"]} == {"agentmem"}
    assert {row["questions"] for row in report["scores"]} == {2}
