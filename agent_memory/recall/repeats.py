"""Leaving out of a recall what would stand in it twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agent_memory.recall.formats import LAST_MESSAGES
from agent_memory.recall.packing import Candidate, PackedItem
from agent_memory.text.templates import normalise

_SAYS_THE_SAME: Final = "another memory says the same"


def is_repeated(item: PackedItem) -> bool:
    """Return whether something was dropped since it stands in the text already, and not for want of room."""
    return item.reason is not None and item.reason.endswith(_SAYS_THE_SAME)


def each_once(
    candidates: Sequence[Candidate], before: Sequence[PackedItem] = ()
) -> tuple[list[Candidate], list[PackedItem]]:
    """Leave out what would stand in the text twice, word for word. Messages stay: they are a conversation.

    Args:
        candidates: the memories, best first.
        before: what is in the text already.

    Returns:
        The candidates that are left, and the others as dropped.
    """
    said = {normalise(item.memory.content) for item in before}
    once: list[Candidate] = []
    repeated: list[PackedItem] = []
    for candidate in candidates:
        text = normalise(candidate.memory.content)
        if text in said and candidate.section != LAST_MESSAGES:
            repeated.append(candidate.packed("", "dropped", 0, _SAYS_THE_SAME))
        else:
            once.append(candidate)
            said.add(text)
    return once, repeated
