"""Packing memories into a budget: shorten before dropping, and say what was done.

Pure: memories and a budget in, a text and an account of it out. Two passes. First every memory, best first,
gets a fair form: whole if that takes no more than its share, else its telling sentences, else a line; once the budget
runs low, whole or nothing. Then what is left over goes to those that were shortened or left out, best first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from agent_memory.errors import ValidationError
from agent_memory.recall import constants
from agent_memory.recall.sources import Source, source
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.text.sentences import best_sentences, first_line
from agent_memory.text.tokens import estimate_at_most, estimate_tokens

Form = Literal["full", "sentences", "line", "dropped"]


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
    """Why it was shortened or dropped; of a part of the standing context, why it is one."""
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
    total: float = 0.0
    """The sum that the search ordered it by; 0 where none found it."""
    note: str = ""
    """Why it may go into the text whatever the query is; empty for what the query found."""
    origin: Source | None = field(init=False, repr=False, compare=False)
    """What it comes from, looked up once: packing asks for it again and again."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", source(self.memory))

    def packed(self, text: str, form: Form, tokens: int, reason: str | None = None) -> PackedItem:
        """Return it as it stands in the text, or as dropped."""
        why = "; ".join(part for part in (self.note, reason) if part) or None
        return PackedItem(self.memory, text, form, tokens, why, self.section, self.scored)


def pack(
    candidates: Sequence[Candidate],
    *,
    budget: int,
    overhead: int,
    terms: Sequence[str],
    frame: Frame,
    beside: Frame | None = None,
) -> list[PackedItem]:
    """Choose a form for each candidate, best first, so that together they fit.

    Args:
        budget: tokens for everything.
        overhead: tokens that the text takes without any memory.
        terms: words of the query; the sentences that hold them are kept.
        frame: writes one memory; its tokens count.
        beside: writes one of which another from the same source is in the text already; None for `frame`.
        candidates: the memories to choose from, best first.

    Returns:
        One item for each candidate, in their order; of what has no room the form is `dropped`.

    Raises:
        ValidationError: the budget is below `constants.SMALLEST_BUDGET`.
    """
    if budget < constants.SMALLEST_BUDGET:
        raise ValidationError(
            f"a budget of {budget} tokens holds nothing", hint=f"give at least {constants.SMALLEST_BUDGET}"
        )
    left = budget - overhead
    items: list[PackedItem] = []
    frames = _Frames(frame, beside)
    for candidate in candidates:
        room = min(
            left,
            max(int(budget * constants.LARGEST_SHARE), constants.LINE_TOKENS)
            if len(candidates) > 1
            else left,
        )
        only_whole = bool(items) and left < budget * constants.WHOLE_SHARE
        item = _fit(candidate, room, terms, frames.of(candidate), only_whole=only_whole)
        left -= item.tokens
        items.append(item)
        if item.form != "dropped":
            frames.begin(candidate)
    return _use_up(candidates, items, left, terms, frames)


def by_worth(
    candidates: Sequence[Candidate], *, budget: int, frame: Frame, beside: Frame | None = None
) -> list[Candidate]:
    """Order what was found by what it is worth for the room it takes, the best memory first all the same.

    A long memory has to be worth more than a short one to go before it, as two short ones may stand in its place; and
    one whose source is in the text already is cheaper. Worth is the sum that the search ordered by, with a little of
    what was found right before and behind it in its source: evidence lies beside evidence, and is read with it.

    Returns:
        The candidates in the order in which they are packed.
    """
    most = int(budget * constants.LARGEST_SHARE)
    sources = [candidate.origin for candidate in candidates]
    worth = _worth(candidates, sources)

    def net_in(written_in: Frame, position: int) -> float:
        return worth[position] - constants.ROOM_WEIGHT * math.log(
            _cost(candidates[position], written_in, most)
        )

    net = [net_in(frame, position) for position in range(len(candidates))]
    of_source: dict[Hashable, list[int]] = {}
    for position, origin in enumerate(sources):
        if origin:
            of_source.setdefault(origin.key, []).append(position)
    left, order = list(range(len(candidates))), list[int]()
    while left:
        best = max(left, key=net.__getitem__) if order else left[0]
        left.remove(best)
        order.append(best)
        origin = sources[best]
        if origin and beside:
            # `best` is among them, and chosen already: its value matters no more.
            for position in of_source.pop(origin.key, ()):
                net[position] = net_in(beside, position)
    return [candidates[position] for position in order]


def _worth(candidates: Sequence[Candidate], sources: Sequence[Source | None]) -> list[float]:
    sums = [candidate.total for candidate in candidates]
    there = {origin.passage: total for origin, total in zip(sources, sums, strict=True) if origin}
    return [
        total + constants.BESIDE_WEIGHT * sum(max(0.0, there.get(passage, 0.0)) for passage in origin.beside)
        if origin
        else total
        for origin, total in zip(sources, sums, strict=True)
    ]


def _cost(candidate: Candidate, frame: Frame, most: int) -> int:
    """Return the tokens that a memory takes, or as many as it may take."""
    return max(1, estimate_at_most(frame(candidate.memory, candidate.memory.content), most))


class _Frames:
    """Which frame each memory is written in: the first of a source in a whole one, the others beside it."""

    def __init__(self, frame: Frame, beside: Frame | None) -> None:
        self._frame = frame
        self._beside = beside or frame
        self._first: dict[Hashable, str] = {}

    def of(self, candidate: Candidate) -> Frame:
        origin = candidate.origin
        if origin is None:
            return self._frame
        first = self._first.get((candidate.section, origin.key), candidate.memory.id)
        return self._frame if first == candidate.memory.id else self._beside

    def begin(self, candidate: Candidate) -> None:
        origin = candidate.origin
        if origin is not None:
            self._first.setdefault((candidate.section, origin.key), candidate.memory.id)


def _fit(
    candidate: Candidate, room: int, terms: Sequence[str], frame: Frame, *, only_whole: bool = False
) -> PackedItem:
    record = candidate.memory

    def item(text: str, form: Form, reason: str | None = None) -> PackedItem:
        tokens = estimate_tokens(frame(record, text)) if text else 0
        return candidate.packed(text, form, tokens, reason)

    full = item(record.content, "full")
    if full.tokens <= room:
        return full
    reason = f"{full.tokens} tokens did not fit"
    around = estimate_tokens(frame(record, ""))
    # A format that escapes takes more tokens for a text than the text itself has.
    growth = max(1.0, (full.tokens - around) / max(1, estimate_tokens(record.content)))
    for form, shorten in () if only_whole else _SHORTER:
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
    return best_sentences(text, terms, tokens) if tokens >= constants.LINE_TOKENS else ""


def _line(text: str, terms: Sequence[str], tokens: int) -> str:
    return first_line(text, min(tokens, constants.LINE_TOKENS))


_SHORTER: tuple[tuple[Form, Callable[[str, Sequence[str], int], str]], ...] = (
    ("sentences", _sentences),
    ("line", _line),
)


def _use_up(
    candidates: Sequence[Candidate], items: list[PackedItem], left: int, terms: Sequence[str], frames: _Frames
) -> list[PackedItem]:
    """Give what is left of the budget to the candidates that were shortened or dropped, best first."""
    for position, (candidate, item) in enumerate(zip(candidates, items, strict=True)):
        if item.form == "full" or left <= 0:
            continue
        better = _fit(candidate, item.tokens + left, terms, frames.of(candidate))
        if better.tokens > item.tokens:
            left -= better.tokens - item.tokens
            items[position] = better
            frames.begin(candidate)
    return items
