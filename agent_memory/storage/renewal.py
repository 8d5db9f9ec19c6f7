"""Bringing memories of the first version up to date: names in one form, and outcomes read by the present rule.

Pure: records in, changes out. What changes becomes a new version, so that history holds what was there before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from agent_memory.records import (
    ConversationRecord,
    EpisodicRecord,
    LongTermRecord,
    MemoryRecord,
    Status,
    same_version,
)
from agent_memory.storage.changes import Change, Replace
from agent_memory.storage.planning import Key
from agent_memory.text.names import with_normal_names
from agent_memory.text.outcomes import success_by_first_word, success_of
from agent_memory.verbs import Verb

FORM: Final = 2
"""The number of the form that memories have in a store: 1 is that of the first version."""
RENEW: Final = Verb.RENEW
"""What the log calls it."""


def renewed(record: MemoryRecord) -> MemoryRecord:
    """Return a memory of the first version in the present form."""
    record = with_normal_names(record)
    if (
        isinstance(record, EpisodicRecord)
        and record.outcome is not None
        # What differs from the old reading was said outright.
        and record.success == success_by_first_word(record.outcome)
    ):
        return replace(record, success=success_of(record.outcome))
    return record


def outdated(record: MemoryRecord) -> bool:
    """Return whether a memory of the first version differs from its present form."""
    return renewed(record) is not record and not same_version(renewed(record), record)


def keys_after(records: Iterable[MemoryRecord]) -> set[Key]:
    """Return the keys that active memories will have: whoever has one of these is renewed with them."""
    return {
        (type(record).memory_type, with_normal_names(record).key or "")
        for record in records
        if record.key is not None and record.status is Status.ACTIVE
    }


def conversations_after(records: Iterable[MemoryRecord]) -> set[str]:
    """Return the conversations whose names change: messages of the same name are renewed with theirs."""
    return {
        with_normal_names(record).conversation_id
        for record in records
        if isinstance(record, ConversationRecord)
        and with_normal_names(record).conversation_id != record.conversation_id
    }


def renewals(records: Sequence[MemoryRecord], moment: datetime) -> list[Change]:
    """Return the changes that bring memories into the present form.

    Where two active memories of a type come to have the same key, the one that was written last is the memory, under
    the id of the older one, whose history so holds both; the other is put away. Two conversations of the same name
    become one, in the order in which things were said.
    """
    before = {record.id: record for record in records}
    after = {record.id: renewed(record) for record in records}
    _merge_keys(after, moment)
    _merge_conversations(before, after)
    changed = [after[item.id] for item in records if not same_version(item, after[item.id])]
    # A key may pass from one memory to another: what gives one up goes first.
    changed.sort(key=lambda record: record.status is Status.ACTIVE)
    return [Replace(record, Verb.MERGE if _moved(before[record.id], record) else RENEW) for record in changed]


def _moved(before: MemoryRecord, after: MemoryRecord) -> bool:
    return before.status is not after.status or before.content != after.content


def _merge_keys(after: dict[str, MemoryRecord], moment: datetime) -> None:
    holders: dict[Key, list[MemoryRecord]] = defaultdict(list)
    for record in after.values():
        if record.key is not None and record.status is Status.ACTIVE:
            holders[type(record).memory_type, record.key].append(record)
    for group in holders.values():
        if len(group) == 1:
            continue
        older, *_, newest = sorted(
            group, key=lambda item: (not item.expired(moment), item.updated_at, item.id)
        )
        after[older.id] = replace(
            newest,
            id=older.id,
            revision=older.revision,
            created_at=min(item.created_at for item in group),
            tags=tuple(sorted({tag for item in group for tag in item.tags})),
            pinned=any(item.pinned for item in group),
        )
        for other in group:
            if other.id != older.id:
                after[other.id] = _put_away(other, older.id)


def _put_away(record: MemoryRecord, into: str) -> MemoryRecord:
    if isinstance(record, LongTermRecord):
        return replace(record, status=Status.SUPERSEDED, superseded_by=into)
    return replace(record, status=Status.ARCHIVED)


def _merge_conversations(before: dict[str, MemoryRecord], after: dict[str, MemoryRecord]) -> None:
    spellings: dict[str, set[str]] = defaultdict(set)
    messages: dict[str, list[ConversationRecord]] = defaultdict(list)
    for memory_id, record in after.items():
        was = before[memory_id]
        if isinstance(record, ConversationRecord) and isinstance(was, ConversationRecord):
            spellings[record.conversation_id].add(was.conversation_id)
            if record.position is not None:
                messages[record.conversation_id].append(record)
    for conversation, said in messages.items():
        if len(spellings[conversation]) > 1:
            said.sort(key=lambda item: (item.happened_at, item.position or 0, item.id))
            for position, record in enumerate(said):
                after[record.id] = replace(record, position=position)
