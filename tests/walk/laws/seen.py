"""What is listed, counted and exported is the same, and in order."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from agent_memory.records import ConversationRecord, MemoryType, Status

from ..model import live
from ..worker import Look
from .broken import BrokenLawError, few, said


def sound(look: Look) -> None:
    """The store finds no fault with itself."""
    if look.faults:
        raise BrokenLawError(f"check() finds {look.faults}")


def agreeing(look: Look, moment: datetime) -> None:
    """What is listed, counted and exported is the same."""
    visible = {each.id: each for each in look.there.values() if not each.expired(moment)}
    listed = {each.id: each for each in look.listed}
    if listed.keys() != visible.keys() or len(look.listed) != len(listed):
        raise BrokenLawError(f"listed are {few(listed)}, exported {few(visible)}")
    for each in look.listed:
        if said(each) != said(visible[each.id]):
            raise BrokenLawError(f"exported as {said(visible[each.id])}, listed as {said(each)}")
    active = live(look.there, moment)
    if sorted(look.active) != sorted(active):
        raise BrokenLawError(f"listed as active are {few(look.active)}, exported {few(active)}")
    counts = {"None": len(visible)} | {
        status.value: sum(each.status is status for each in visible.values()) for status in Status
    }
    counts |= {kind.value: sum(each.memory_type is kind for each in active.values()) for kind in MemoryType}
    if look.counts and counts != look.counts:
        raise BrokenLawError(f"counted are {look.counts}, there are {counts}")
    beside = {
        "total": len(active),
        "archived": sum(each.status is not Status.ACTIVE for each in look.there.values()),
        "pinned": sum(each.pinned for each in active.values()),
        "expired": sum(each.status is Status.ACTIVE and each.expired(moment) for each in look.there.values()),
    }
    wrong = {name: look.stats[name] for name, number in beside.items() if look.stats[name] != number}
    if wrong:
        raise BrokenLawError(f"the statistics say {wrong}, there are {beside}")


def ordered(look: Look) -> None:
    """Every key names one memory, and every message of a conversation has a place of its own."""
    active = [each for each in look.there.values() if each.status is Status.ACTIVE]
    keys = Counter((each.memory_type, each.key) for each in active if each.key is not None)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise BrokenLawError(f"several memories have the key {twice}")
    messages = [
        each
        for each in look.there.values()
        if isinstance(each, ConversationRecord) and each.kind == "message"
    ]
    places = Counter((each.conversation_id, each.position) for each in messages)
    shared = [place for place, count in places.items() if count > 1]
    if shared:
        raise BrokenLawError(f"several messages have the place {shared}")
    for conversation, ids in look.conversations.items():
        there = [each for each in messages if each.conversation_id == conversation and each.id in look.active]
        there.sort(key=lambda each: each.position or 0)
        if ids != [each.id for each in there]:
            raise BrokenLawError(
                f"of {conversation} {few(ids)} are shown, there are {few(e.id for e in there)}"
            )
