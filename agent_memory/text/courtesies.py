"""What people say around a question without asking anything by it: greetings, thanks, the name of who is asked."""

from __future__ import annotations

import re
from typing import Final

_THANKS: Final = r"(?:please|thanks|thank you|thx|cheers)"
_BEFORE: Final = re.compile(
    rf"(?:(?:>|@[\w-]+|(?:hey|hi|hello|ok|okay|so|well|and|sorry|excuse me|quick question|one more thing|{_THANKS}|"
    r"good (?:morning|afternoon|evening))(?![\w'-]))[\s,.!:;…-]*)+",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(
    rf"(?:[\s,.!…-]*(?<![\w'-]){_THANKS}\b(?: (?:again|so much|very much|a lot|in advance)\b)?)+[\s.!…]*$",
    re.IGNORECASE,
)
_THANKING: Final = ("please", "thank", "thx", "cheers")
"""One of them is in whatever `_AFTER` finds. Most texts have none, and looking for these is quicker."""
_LONGEST: Final = 200
"""Characters in which courtesies are looked for at the end; nobody takes longer."""


def without_courtesies(text: str) -> str:
    """Return a text without the courtesies at its beginning and end; all of it where there is nothing else.

    Only English ones are known.
    """
    begin = _BEFORE.match(text)
    rest = text[begin.end() :] if begin else text
    split = max(0, len(rest) - _LONGEST)
    last = rest[split:].casefold()
    end = _AFTER.search(rest, split) if any(word in last for word in _THANKING) else None
    return (rest[: end.start()] if end else rest) or text
