"""The brief: what a session starts with, where nobody has asked anything yet."""

from __future__ import annotations

from dataclasses import replace

from agent_memory import clock
from agent_memory.recall import constants
from agent_memory.recall.formats import PINNED
from agent_memory.recall.packing import Candidate
from agent_memory.records import MemoryType
from agent_memory.storage.base import Order, Store
from agent_memory.storage.where import Condition, Period, Where


async def brief(store: Store, where: Where) -> list[Candidate]:
    """Collect what a session starts with: pinned, working memory, preferences, events, facts, context.

    Events of the past are listed latest first and those to come soonest first: a calendar of the next year must
    neither be taken for the past nor leave it no room.

    Args:
        store: where the memories are.
        where: which of them may be part of it.

    Returns:
        The memories, best first in each section; none of them twice.
    """
    chosen: dict[str, Candidate] = {}
    for section, part, order in _parts(where):
        if where.types and part.types and not set(part.types) <= set(where.types):
            continue
        for record in await store.select(part, order, constants.BRIEF_EACH):
            chosen.setdefault(record.id, Candidate(record, section))
    return list(chosen.values())


def _parts(where: Where) -> list[tuple[str, Where, Order]]:
    """Return the sections: heading, which memories, in which order."""
    soon = clock.soon()
    any_time = where.occurred or Period()
    facts = replace(where, types=(MemoryType.LONG_TERM,))
    events = replace(where, types=(MemoryType.EPISODIC,))
    context = replace(where, types=(MemoryType.SHORT_TERM,))
    past = replace(events, occurred=any_time.overlap(Period(end=soon)))
    to_come = replace(events, occurred=any_time.overlap(Period(start=soon)))
    parts = [
        ("Working memory", _of_kind(context, "working"), Order("updated")),
        ("Preferences", _of_kind(facts, "preference"), Order("importance")),
        ("Recent events", past, Order("occurred")),
        ("Events to come", to_come, Order("occurred", descending=False)),
        ("Important facts", facts, Order("importance")),
        ("Context", context, Order("created")),
    ]
    if where.pinned is not False:
        parts.insert(0, (PINNED, replace(where, pinned=True), Order("importance")))
    return parts


def _of_kind(where: Where, kind: str) -> Where:
    return replace(where, fields=(*where.fields, Condition("kind", "=", kind)))
