"""Reading from the words of an outcome whether something went well."""

from __future__ import annotations

import re

_GOOD = "success successful succeeded ok okay done completed complete passed pass fixed solved won"
_BAD = "failure failed fail error errored aborted cancelled canceled crashed timeout rejected lost"
_SAYS_SUCCESS = dict.fromkeys(_GOOD.split(), True) | dict.fromkeys(_BAD.split(), False)
_FIRST_WORD = re.compile(r"\w+")


def success_of(outcome: str) -> bool | None:
    """Read from an outcome's first word whether it went well; None where it does not say."""
    first = _FIRST_WORD.search(outcome.lower())
    return _SAYS_SUCCESS.get(first[0]) if first else None
