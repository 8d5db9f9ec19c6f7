"""`python -m benchmarks.recall.diagram RECALL.json OUT.svg`: draw how far `relevance` is the share that answers.

Each point is a bin of a set's reliability table: across, the mean relevance; up, the share of results that is gold;
its area, the number of results. A calibrated set lies on the diagonal.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

SIDE = 400
LEFT, TOP, RIGHT, BOTTOM = 60, 20, 230, 55
FEWEST = 5
"""Results that a bin needs to be drawn: a share of fewer says nothing."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""M. Okabe and K. Ito's, which people with any kind of colour vision can tell apart."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments, and write the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall.diagram", description=__doc__)
    parser.add_argument("report", type=Path, metavar="RECALL.json", help="what benchmarks.recall wrote")
    parser.add_argument("out", type=Path, metavar="OUT.svg", help="the picture")
    parser.add_argument(
        "--best", action="store_true", help="each question's most relevant result instead of all its results"
    )
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="only these sets")
    options = parser.parse_args(arguments)
    tables = {
        entry["set"]: entry["best" if options.best else "all"]
        for entry in json.loads(options.report.read_text())["calibration"]
        if not options.sets or entry["set"] in options.sets
    }
    tables = {name: figures for name, figures in tables.items() if figures["results"]}
    options.out.write_text(svg(tables), encoding="utf-8")


def svg(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw the reliability tables of some sets, by name."""
    width, height = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' font-family="sans-serif" font-size="13">',
        "<title>Reliability of the relevance of search results</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_axes(),
    ]
    for number, (name, figures) in enumerate(tables.items()):
        parts += _series(number, name, figures)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _axes() -> Iterator[str]:
    yield _line(0, 0, 1, 1, "#888888", dashed=True)
    for tenth in range(0, 11, 2):
        value = tenth / 10
        yield _line(value, 0, value, 1, "#e4e4e4")
        yield _line(0, value, 1, value, "#e4e4e4")
        yield f'<text x="{_x(value):.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{value:.1f}</text>'
        yield f'<text x="{LEFT - 8}" y="{_y(value) + 4:.1f}" text-anchor="end">{value:.1f}</text>'
    yield f'<rect x="{LEFT}" y="{TOP}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#444444"/>'
    yield f'<text x="{_x(0.5):.1f}" y="{TOP + SIDE + 42}" text-anchor="middle">mean relevance</text>'
    middle = _y(0.5)
    yield (
        f'<text x="16" y="{middle:.1f}" text-anchor="middle" transform="rotate(-90 16 {middle:.1f})">'
        "share that answers</text>"
    )


def _series(number: int, name: str, figures: Mapping[str, Any]) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    rows = [row for row in figures["bins"] if row["results"] >= FEWEST]
    points = " ".join(f"{_x(row['relevance']):.1f},{_y(row['gold']):.1f}" for row in rows)
    yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for row in rows:
        radius = 2 + 2 * math.log10(row["results"])
        label = (
            f"{name}: {row['results']:,} results, relevance {row['relevance']:.2f}, {row['gold']:.2f} answer"
        )
        yield (
            f'<circle cx="{_x(row["relevance"]):.1f}" cy="{_y(row["gold"]):.1f}" r="{radius:.1f}"'
            f' fill="{colour}" fill-opacity="0.6"><title>{escape(label)}</title></circle>'
        )
    x, y = LEFT + SIDE + 18, TOP + 14 + 40 * number
    yield f'<circle cx="{x}" cy="{y - 4}" r="5" fill="{colour}"/>'
    yield f'<text x="{x + 12}" y="{y}">{escape(name)}</text>'
    error = figures["expected calibration error"]
    yield f'<text x="{x + 12}" y="{y + 16}" fill="#555555" font-size="11">calibration error {error:.3f}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, colour: str, *, dashed: bool = False) -> str:
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{_x(x):.1f}" y1="{_y(y):.1f}" x2="{_x(to_x):.1f}" y2="{_y(to_y):.1f}"'
        f' stroke="{colour}"{dashes}/>'
    )


def _x(value: float) -> float:
    return LEFT + SIDE * value


def _y(value: float) -> float:
    return TOP + SIDE * (1 - value)


if __name__ == "__main__":
    main()
