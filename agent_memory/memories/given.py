"""Telling what somebody gave from what is the default."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal


class Default(float):
    """A number that holds where none is given; it prints and counts as that number.

    So a signature says what the default is, and the call still knows whether the number was given: storing what is
    known already takes over an importance that was given, and leaves a default one out.
    """


class DefaultLimit(int):
    """The same for a limit: one that nobody named gives way to a smaller one in the settings."""


class NotGiven(Enum):
    """The type of `NOT_GIVEN`."""

    NOT_GIVEN = "not given"

    def __repr__(self) -> str:
        return "NOT_GIVEN"


NOT_GIVEN: Final = NotGiven.NOT_GIVEN
"""Stands for an argument that was left out, where None means to take something away."""
Omitted = Literal[NotGiven.NOT_GIVEN]
