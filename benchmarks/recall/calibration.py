"""Whether `relevance` means what it says: of the results said to answer with probability p, a share p should."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

BINS = 10


class Judged(NamedTuple):
    """One search result."""

    relevance: float
    gold: bool


def table(results: Sequence[Judged]) -> dict[str, Any]:
    """Return the reliability table of some results.

    Args:
        results: what was found, each with its relevance and whether it answers.

    Returns:
        `bins` of one tenth each with the number of results, their mean relevance and the share that is gold; the
        Brier score (mean squared difference between relevance and truth); and the expected calibration error (mean
        difference between relevance and share over the bins, weighted by their numbers).
    """
    bins = [_bin(number, results) for number in range(BINS)]
    count = max(1, len(results))
    return {
        "results": len(results),
        "gold": sum(result.gold for result in results),
        "brier": round(sum((result.relevance - result.gold) ** 2 for result in results) / count, 4),
        "expected calibration error": round(
            sum(row["results"] * abs(row["relevance"] - row["gold"]) for row in bins if row["results"])
            / count,
            4,
        ),
        "bins": bins,
    }


def _bin(number: int, results: Iterable[Judged]) -> dict[str, Any]:
    # 1 belongs to the last bin.
    inside = [result for result in results if min(int(result.relevance * BINS), BINS - 1) == number]
    count = len(inside)
    return {
        "from": number / BINS,
        "to": (number + 1) / BINS,
        "results": count,
        "relevance": round(sum(result.relevance for result in inside) / count, 4) if count else None,
        "gold": round(sum(result.gold for result in inside) / count, 4) if count else None,
    }


def lines(figures: Mapping[str, Any], title: str) -> Iterator[str]:
    """Write a reliability table for people; nothing where no results could be judged."""
    if not figures["results"]:
        return
    yield (
        f"relevance of {title}: {figures['results']} of them, {figures['gold']} gold; Brier score"
        f" {figures['brier']:.4f}, expected calibration error {figures['expected calibration error']:.4f}"
    )
    rows = [row for row in figures["bins"] if row["results"]]
    yield "  from      " + "".join(f"{row['from']:>8.1f}" for row in rows)
    yield "  results   " + "".join(f"{row['results']:>8}" for row in rows)
    yield "  relevance " + "".join(f"{row['relevance']:>8.3f}" for row in rows)
    yield "  gold      " + "".join(f"{row['gold']:>8.3f}" for row in rows)
