"""Reading from an outcome whether something went well: a small closed list of words, and nothing in between.

An outcome is in any words. It says how something ended only where it is one of these, by itself or before the first
`:` or `(`, as in `failed: timeout`. A word out of its context says nothing: `error-free` is no failure, and
`failed over successfully` is no failure either. Who means more says it outright, with `success=True` or `False`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

Reading = Literal["success", "failed", "partial", "cancelled", "unknown"]

_SPELLINGS: Final[Mapping[Reading, str]] = {
    "success": "success, successful, successfully, succeeded, succeed, ok, okay, done, completed, complete, passed,"
    " pass",
    "failed": "failed, failure, fail, fails, unsuccessful, not successful, error, errored, crashed, aborted,"
    " rejected, timeout, timed out",
    "partial": "partial, partially, partial success, partially successful, partly, partial failure, partially failed",
    "cancelled": "cancelled, canceled, cancel, cancellation",
    "unknown": "unknown, n/a, none, unclear, undetermined",
}
_READINGS: Final[Mapping[str, Reading]] = {
    spelling: reading for reading, spellings in _SPELLINGS.items() for spelling in spellings.split(", ")
}
_SUCCESS: Final[Mapping[Reading, bool]] = {"success": True, "failed": False}
_REASON = re.compile(r"[:(]")


def reading_of(outcome: str) -> Reading | None:
    """Return which of the five endings an outcome names; None where it is in other words."""
    said = _REASON.split(outcome, maxsplit=1)[0]
    return _READINGS.get(" ".join(said.casefold().split()).rstrip(".!"))


def success_of(outcome: str) -> bool | None:
    """Read from an outcome whether it went well; None where it says neither."""
    reading = reading_of(outcome)
    return None if reading is None else _SUCCESS.get(reading)


# --- the rule of the first version -----------------------------------------------------------------------------

_GOOD_FIRST_WORDS = (
    "success successful succeeded ok okay done completed complete passed pass fixed solved won"
)
_BAD_FIRST_WORDS = (
    "failure failed fail error errored aborted cancelled canceled crashed timeout rejected lost"
)
_FIRST_WORDS: Final[Mapping[str, bool]] = dict.fromkeys(_GOOD_FIRST_WORDS.split(), True) | dict.fromkeys(
    _BAD_FIRST_WORDS.split(), False
)
_FIRST_WORD = re.compile(r"\w+")


def success_by_first_word(outcome: str) -> bool | None:
    """Read an outcome as the first version did, which tells what it read from what somebody said outright."""
    first = _FIRST_WORD.search(outcome.lower())
    return _FIRST_WORDS.get(first[0]) if first else None
