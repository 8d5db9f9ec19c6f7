"""Packing memories into a budget: shorten before dropping, and say what was done.

Pure: memories and a budget in, a text and an account of it out. Two passes. First every memory, best first,
gets a fair form: whole if that takes no more than its share, else its telling sentences; once the budget runs
low, a line; then nothing. Then what is left over goes to those that were shortened, best first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.text.sentences import best_sentences, first_line
from agent_memory.text.tokens import estimate_tokens

Form = Literal["full", "sentences", "line", "dropped"]
SMALLEST_BUDGET = 32
"""Tokens below which not even one line of a memory and its frame fit, whatever the format."""
LARGEST_SHARE = 0.5
"""No memory takes more than this share of the budget in the first pass, so that one long document does not crowd
out everything else."""
LINE_TOKENS = 24


@dataclass(frozen=True, slots=True)
class PackedItem:
    """One memory in a packed text, or one that had to stay out."""

    memory: MemoryRecord
    text: str
    """What stands in the text for it; empty if dropped."""
    form: Form
    tokens: int
    """What it takes, its frame included."""
    reason: str | None = None
    """Why it was shortened or dropped."""
    section: str = ""
    scored: ScoredMemory | None = None


Frame = Callable[[MemoryRecord, str], str]
"""Writes one memory's text in the format asked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A memory that may go into the text."""

    memory: MemoryRecord
    section: str = ""
    scored: ScoredMemory | None = None


def pack(
    candidates: Sequence[Candidate], *, budget: int, overhead: int, terms: Sequence[str], frame: Frame
) -> list[PackedItem]:
    """Choose a form for each candidate, best first, so that together they fit.

    Args:
        budget: tokens for everything.
        overhead: tokens that the text takes without any memory.
        terms: words of the query; the sentences that hold them are kept.
        frame: writes one memory; its tokens count.

    Raises:
        ValidationError: the budget is below `SMALLEST_BUDGET`.
    """
    if budget < SMALLEST_BUDGET:
        raise ValidationError(
            f"a budget of {budget} tokens holds nothing", hint=f"give at least {SMALLEST_BUDGET}"
        )
    left = budget - overhead
    items: list[PackedItem] = []
    for candidate in candidates:
        room = min(left, max(int(budget * LARGEST_SHARE), LINE_TOKENS) if len(candidates) > 1 else left)
        item = _fit(candidate, room, terms, frame)
        left -= item.tokens
        items.append(item)
    return _use_up(items, left, terms, frame)


def _fit(candidate: Candidate, room: int, terms: Sequence[str], frame: Frame) -> PackedItem:
    record = candidate.memory

    def item(text: str, form: Form, reason: str | None = None) -> PackedItem:
        tokens = estimate_tokens(frame(record, text)) if text else 0
        return PackedItem(record, text, form, tokens, reason, candidate.section, candidate.scored)

    full = item(record.content, "full")
    if full.tokens <= room:
        return full
    reason = f"{full.tokens} tokens did not fit"
    around = estimate_tokens(frame(record, ""))
    # A format that escapes takes more tokens for a text than the text itself has.
    growth = max(1.0, (full.tokens - around) / max(1, estimate_tokens(record.content)))
    for form, shorten in _SHORTER:
        inside = int((room - around) / growth)
        while inside > 4:
            text = shorten(record.content, terms, inside)
            shorter = item(text, form, reason)
            if text and shorter.tokens <= room:
                return shorter
            # Estimates of parts do not add up exactly; step back by what is over.
            inside -= max(1, int((shorter.tokens - room) / growth))
    return item("", "dropped", "the budget is used up")


def _sentences(text: str, terms: Sequence[str], tokens: int) -> str:
    return best_sentences(text, terms, tokens) if tokens >= LINE_TOKENS else ""


def _line(text: str, terms: Sequence[str], tokens: int) -> str:
    return first_line(text, min(tokens, LINE_TOKENS))


_SHORTER: tuple[tuple[Form, Callable[[str, Sequence[str], int], str]], ...] = (
    ("sentences", _sentences),
    ("line", _line),
)


def _use_up(items: list[PackedItem], left: int, terms: Sequence[str], frame: Frame) -> list[PackedItem]:
    for place, item in enumerate(items):
        if item.form == "full" or left <= 0:
            continue
        candidate = Candidate(item.memory, item.section, item.scored)
        better = _fit(candidate, item.tokens + left, terms, frame)
        if better.tokens > item.tokens:
            left -= better.tokens - item.tokens
            items[place] = replace(better)
    return items
