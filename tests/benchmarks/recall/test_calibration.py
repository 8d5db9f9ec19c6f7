"""The reliability table, and the picture of it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.recall import calibration, diagram
from benchmarks.recall.calibration import Judged

SVG = "{http://www.w3.org/2000/svg}"
RESULTS = [
    *(Judged(0.25, number < 2) for number in range(8)),
    *(Judged(0.9, number < 4) for number in range(5)),
    Judged(1.0, gold=True),
]


def test_bins_hold_shares_and_their_errors_are_weighted() -> None:
    figures = calibration.table(RESULTS)
    rows = [row for row in figures["bins"] if row["results"]]
    assert [(row["from"], row["results"], row["gold"]) for row in rows] == [(0.2, 8, 0.25), (0.9, 6, 0.8333)]
    assert figures["gold"] == 7
    assert figures["expected calibration error"] == pytest.approx(6 / 14 * (5.5 / 6 - 5 / 6), abs=1e-4)
    squares = 2 * 0.75**2 + 6 * 0.25**2 + 4 * 0.1**2 + 0.9**2
    assert figures["brier"] == pytest.approx(squares / 14, abs=1e-4)


def test_no_results_give_an_empty_table() -> None:
    figures = calibration.table([])
    assert (figures["results"], figures["brier"]) == (0, 0)
    assert {row["gold"] for row in figures["bins"]} == {None}


def test_the_diagram_puts_each_bin_in_its_place(tmp_path: Path) -> None:
    entry = {"set": "tiny & small", "all": calibration.table(RESULTS), "best": calibration.table([])}
    report, picture = tmp_path / "recall.json", tmp_path / "out.svg"
    report.write_text(json.dumps({"calibration": [entry]}))
    diagram.main([str(report), str(picture)])
    root = ElementTree.fromstring(picture.read_text())
    (line,) = root.iter(f"{SVG}polyline")
    assert line.get("points") == "160.0,320.0 426.7,86.7"
    assert "tiny & small" in [text.text for text in root.iter(f"{SVG}text")]
    # A set without judged results is left out: its error would be 0.
    diagram.main([str(report), str(picture), "--best"])
    assert not list(ElementTree.fromstring(picture.read_text()).iter(f"{SVG}polyline"))
