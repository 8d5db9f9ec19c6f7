"""Sentences that have a vector of their own beside that of the whole text: those of what a user tells at length.

"By the way, I moved to Lisbon", at the end of a message that asks for recipes, is lost in the vector of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from agent_memory.roles import SPELLINGS

T = TypeVar("T")

SHORTEST: Final = 250
"""Characters of a message from which on its sentences count. Chosen, not varied: about three sentences."""
LONGEST: Final = 2_000
"""Characters up to which they do: what is longer was pasted. Chosen, not varied."""
_FRAGMENT: Final = 15
"""Characters of a sentence that says nothing by itself: "Thanks!"."""
_BEGINNINGS: Final = tuple(f'{role} said, "' for role in SPELLINGS["user"])
"""Of the embedded text of a user's message (`records.conversation`)."""


def own_sentences(text: str) -> list[str]:
    """Return the sentences of an embedded text that are embedded by themselves as well; most texts have none."""
    if not SHORTEST <= len(text) <= LONGEST + 30 or not text.startswith(_BEGINNINGS) or text[-1] != '"':
        return []
    content = text[text.index('"') + 1 : -1]
    if not SHORTEST <= len(content) <= LONGEST:
        return []
    from agent_memory.text.sentences import sentences  # few texts come here

    found = [sentence for sentence in sentences(content) if len(sentence) > _FRAGMENT]
    return found if len(found) > 1 else []


def apart(text: str, segments: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Split what there is for a text into what belongs to the whole and what belongs to its single sentences.

    Args:
        text: the embedded text.
        segments: what there is for each, in order. A text that was embedded by an earlier version has no sentences.

    Returns:
        Those of the text, at least one if there is any, and those of its sentences.
    """
    count = len(own_sentences(text)) if len(segments) > 1 else 0
    return (segments[:-count], segments[-count:]) if 0 < count < len(segments) else (segments, ())
