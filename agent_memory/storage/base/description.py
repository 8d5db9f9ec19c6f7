"""What a store tells of itself: its state, what its settings promise, and the result of a repair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDescription:
    """What `status` and `stats` tell of a store; cheap to make."""

    backend: str
    location: str
    agent_id: str
    bytes: int | None = None
    schema_version: int | None = None
    level: str = "full"
    """`full`; `exact-scan` without a vector index; `keyword` without vectors; `read-only`. (`status` says `meaning`
    where there is no full text, and `nothing` where there is no embedder either.)"""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What only this backend has to tell, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """What the settings of a store, and of the server behind it, promise about a write that was acknowledged."""

    survives: str
    """What an acknowledged write survives, in one line that goes on from "an acknowledged write survives"."""
    risks: tuple[str, ...] = ()
    """What may lose an acknowledged write, a line each, with the setting that prevents it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings that this was concluded from, as the server names them; None where one cannot be read."""


class Repair(list[str]):
    """What is wrong still after everything derived was made anew, a line for each fault; `mended` stands beside it.

    What is damaged itself stays as it is.
    """

    def __init__(self, left: Iterable[str] = (), *, mended: Iterable[str] = ()) -> None:
        super().__init__(left)
        self.mended = tuple(mended)
        """What was wrong before, and is no longer."""
