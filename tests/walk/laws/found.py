"""What is there is found, and what is found is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory.records import MemoryRecord, ScoredMemory

from ..model import Step, holds, live
from ..worker import Look
from .broken import BrokenLawError, few, said

FEW = 3
"""Of so many memories with a word, each is among the first ten that are found by it: each may bring its answer."""
_NARROWING = frozenset(["query", "mode", "explain", "count_access"])
"""Arguments of a search that leave nothing out."""


def by_keyword(look: Look, moment: datetime) -> None:
    """A text is found by its word."""
    for word, ids in look.found.items():
        each_found(f"a keyword search for {word!r}", ids, word, look.there, moment)


def by_meaning(text: str, ids: Sequence[str], there: Mapping[str, MemoryRecord], moment: datetime) -> None:
    """A text is found by itself: to an embedder that knows words only, whatever has the same words."""
    active = live(there, moment)
    holders = [record.id for record in active.values() if _bag(record.content) == _bag(text)]
    missing = set(holders) - set(ids)
    if len(holders) <= FEW and missing:
        raise BrokenLawError(f"a vector search for {text!r} gives {few(ids)} and not {few(missing)}")


def each_found(
    what: str, ids: Sequence[str], word: str, there: Mapping[str, MemoryRecord], moment: datetime
) -> None:
    """Of few memories with a word, each is among the first ten."""
    active = live(there, moment)
    hidden = [memory_id for memory_id in ids if memory_id not in active]
    if hidden:
        raise BrokenLawError(f"{what} gives {hidden}, which are put away")
    holders = [record.id for record in active.values() if holds(record, word)]
    # A summary holds the words of many.
    missing = {holder for holder in holders if getattr(active[holder], "kind", "") != "summary"} - set(ids)
    if len(holders) <= FEW and missing:
        raise BrokenLawError(
            f"{what} gives {few(ids)} and not {[active[entry].content for entry in missing]}"
        )


def in_answer(step: Step, answer: Any, look: Look) -> None:
    """What a step answers with is what is there, and a search for a word answers with its text."""
    scored = [part.memory for part in _parts(answer) if isinstance(part, ScoredMemory)]
    for memory in scored:
        there = look.there.get(memory.id)
        if there is None or said(there) != said(memory):
            raise BrokenLawError(f"{step.verb} gives {said(memory)}, there is {there and said(there)}")
    query = step.arguments.get("query")
    by_keyword = isinstance(query, str) and query.isalpha() and step.arguments.get("mode") != "vector"
    everywhere = not step.verb.face and step.verb.finds and isinstance(answer, list)
    if everywhere and by_keyword and step.arguments.keys() <= _NARROWING:
        ids = [item.id for item in scored]
        each_found(f"{step.verb}({query!r})", ids, str(query), look.there, step.moment)
    if step.target is not None and step.verb.returns.endswith("| None") and step.arguments.keys() == {"id"}:
        there = live(look.there, step.moment).get(step.target)
        ours = there is not None and step.verb.face in ("", there.memory_type)
        if ours and (not isinstance(answer, MemoryRecord) or answer.id != step.target):
            raise BrokenLawError(f"{step.verb} gives {answer} for {step.target}, which is there")


def _parts(answer: Any) -> Iterator[Any]:
    yield answer
    if isinstance(answer, list | tuple):
        for item in answer:
            yield from _parts(item)


def _bag(text: str) -> list[str]:
    return sorted(re.findall(r"\w+", text.casefold()))
