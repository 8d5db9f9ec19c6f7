"""How much a memory counts: importance and decay as pure functions.

    from datetime import timedelta
    from agent_memory.ranking import AccessRefreshed, DecayPolicy, Exponential, NoDecay

    policy = DecayPolicy(
        default=Exponential(timedelta(days=7)),
        by_type={"skill": NoDecay()},
        by_tag={"project": AccessRefreshed(Exponential("30d"))},
    )
    policy(record, now)  # what is left of a memory, in [0, 1]

Each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent_memory.ranking.decay import (
        AccessRefreshed,
        Custom,
        Decay,
        DecayPolicy,
        Exponential,
        Linear,
        NoDecay,
        Stepped,
    )
    from agent_memory.ranking.importance import (
        CompositeScorer,
        ImportanceScorer,
        KeywordScorer,
        Scorer,
        TagScorer,
    )

__all__ = [
    "AccessRefreshed",
    "CompositeScorer",
    "Custom",
    "Decay",
    "DecayPolicy",
    "Exponential",
    "ImportanceScorer",
    "KeywordScorer",
    "Linear",
    "NoDecay",
    "Scorer",
    "Stepped",
    "TagScorer",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "importance" if "Scorer" in name else "decay"
    return getattr(import_module(f"agent_memory.ranking.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
