"""Scores of one ranking against its gold items, and an interval for their mean.

Gain is binary, and the ideal ranking holds all gold items: `nDCG@10` = sum over the first 10 of
gold / log2(place + 1), divided by the same sum with every gold item first.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence, Set

DEPTHS = (1, 3, 5, 10, 20)


def scores(ranked: Sequence[str], gold: Set[str]) -> dict[str, float]:
    """Score one ranking, each measure in [0, 1].

    Returns:
        `ndcg@10`, `mrr` (one over the place of the first gold item, however far down), and for each depth `any@k`
        (at least one gold item is in the first k), `all@k` (every one is) and `recall@k` (the share that is).
    """
    hits = [place for place, candidate in enumerate(ranked, 1) if candidate in gold]
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(len(gold), 10) + 1))
    result = {
        "ndcg@10": sum(1 / math.log2(place + 1) for place in hits if place <= 10) / ideal,
        "mrr": 1 / hits[0] if hits else 0.0,
    }
    for depth in DEPTHS:
        reached = sum(place <= depth for place in hits)
        result[f"any@{depth}"] = float(reached > 0)
        result[f"all@{depth}"] = float(reached == len(gold))
        result[f"recall@{depth}"] = reached / len(gold)
    return result


def means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean of each measure over questions."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}


def interval(values: Sequence[float], *, samples: int = 1000, seed: int = 7) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean: questions drawn anew with replacement, percentiles taken."""
    if not values:
        return 0.0, 0.0
    draw = random.Random(seed)
    drawn = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(samples))
    return drawn[int(samples * 0.025)], drawn[int(samples * 0.975)]


def difference(left: Sequence[float], right: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % paired bootstrap interval of the mean difference, right minus left."""
    return interval([after - before for before, after in zip(left, right, strict=True)])
