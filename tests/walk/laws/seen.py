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
    visible = {item.id: item for item in look.there.values() if not item.expired(moment)}
    listed = {item.id: item for item in look.listed}
    if listed.keys() != visible.keys() or len(look.listed) != len(listed):
        raise BrokenLawError(f"listed are {few(listed)}, exported {few(visible)}")
    for item in look.listed:
        if said(item) != said(visible[item.id]):
            raise BrokenLawError(f"exported as {said(visible[item.id])}, listed as {said(item)}")
    active = live(look.there, moment)
    if sorted(look.active) != sorted(active):
        raise BrokenLawError(f"listed as active are {few(look.active)}, exported {few(active)}")
    counts = {"None": len(visible)} | {
        status.value: sum(item.status is status for item in visible.values()) for status in Status
    }
    counts |= {
        kind.value: sum(record.memory_type is kind for record in active.values()) for kind in MemoryType
    }
    if look.counts and counts != look.counts:
        raise BrokenLawError(f"counted are {look.counts}, there are {counts}")
    beside = {
        "total": len(active),
        "archived": sum(item.status is not Status.ACTIVE for item in look.there.values()),
        "pinned": sum(record.pinned for record in active.values()),
        "expired": sum(item.status is Status.ACTIVE and item.expired(moment) for item in look.there.values()),
    }
    wrong = {name: look.stats[name] for name, number in beside.items() if look.stats[name] != number}
    if wrong:
        raise BrokenLawError(f"the statistics say {wrong}, there are {beside}")


def ordered(look: Look) -> None:
    """Every key names one memory, and every message of a conversation has a place of its own."""
    active = [item for item in look.there.values() if item.status is Status.ACTIVE]
    keys = Counter((record.memory_type, record.key) for record in active if record.key is not None)
    twice = [key for key, count in keys.items() if count > 1]
    if twice:
        raise BrokenLawError(f"several memories have the key {twice}")
    messages = [
        item
        for item in look.there.values()
        if isinstance(item, ConversationRecord) and item.kind == "message"
    ]
    places = Counter((message.conversation_id, message.position) for message in messages)
    shared = [place for place, count in places.items() if count > 1]
    if shared:
        raise BrokenLawError(f"several messages have the place {shared}")
    for conversation, ids in look.conversations.items():
        there = [
            message
            for message in messages
            if message.conversation_id == conversation and message.id in look.active
        ]
        there.sort(key=lambda item: item.position or 0)
        if ids != [item.id for item in there]:
            raise BrokenLawError(
                f"of {conversation} {few(ids)} are shown, there are {few(e.id for e in there)}"
            )
