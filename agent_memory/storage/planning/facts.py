"""What about a store decides the outcome of a write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent_memory import clock
from agent_memory.errors import IntegrityError
from agent_memory.records import ConversationRecord, MemoryRecord, MemoryType, Status
from agent_memory.storage.changes import Add, Change, Erase, Remove, Tombstone
from agent_memory.storage.damage import Damaged
from agent_memory.text.templates import ContentHash, content_hash
from agent_memory.verbs import Verb

TAKEN = Verb.IMPORT
"""What history says of a version that came from another store without its own."""

Key = tuple[MemoryType, str]


@dataclass(slots=True)
class Needs:
    """Which facts a list of changes depends on."""

    ids: set[str] = field(default_factory=set)
    """Memories with these ids, whatever their status."""
    hashes: set[ContentHash] = field(default_factory=set)
    """Active, unexpired memories with these content hashes."""
    keys: set[Key] = field(default_factory=set)
    """Active memories with these types and keys, expired ones included."""
    digests: dict[str, ContentHash] = field(default_factory=dict)
    """By id of a memory to add: its content hash, so that it is worked out once."""
    conversations: set[str] = field(default_factory=set)
    """The highest message position of these, archived messages included."""


@dataclass(slots=True)
class State:
    """Those facts, as the backend found them inside its transaction."""

    records: dict[str, MemoryRecord] = field(default_factory=dict)
    """By id: every memory asked for by id, hash or key that exists, all of several with one hash included."""
    by_hash: dict[ContentHash, str] = field(default_factory=dict)
    by_key: dict[Key, str] = field(default_factory=dict)
    last_position: dict[str, int] = field(default_factory=dict)
    last_hlc: int = 0


def leave_out(state: State, damaged: Damaged) -> None:
    """Take what cannot be read out of what decides: it is no duplicate of anything.

    Raises:
        IntegrityError: it has a key that is wanted.
    """  # noqa: DOC501
    state.by_hash = {digest: item for digest, item in state.by_hash.items() if item in state.records}
    for (_, key), memory_id in state.by_key.items():
        if memory_id not in state.records:
            name = f"memory {memory_id}"
            raise IntegrityError.damaged(name, damaged.get(name, f"it has the key {key}"))


def needs(changes: Sequence[Change]) -> Needs:
    """Collect which facts decide the outcome of these changes."""
    result = Needs()
    for change in changes:
        if isinstance(change, Tombstone):
            result.ids.add(change.memory_id)
            continue
        record = change.record
        if not isinstance(change, Add) or record.key is not None or change.brought_back:
            result.ids.add(record.id)
        if record.key is not None and not isinstance(change, Remove | Erase):
            result.keys.add((record.memory_type, record.key))
        if isinstance(change, Add):
            if deduplicated(change):
                digest = result.digests[record.id] = content_hash(record)
                result.hashes.add(digest)
            if placed_anew(change):
                assert isinstance(record, ConversationRecord)
                result.conversations.add(record.conversation_id)
    return result


def deduplicated(change: Add) -> bool:
    """Return whether an exact duplicate of what is to be added is the same memory."""
    record = change.record
    return (
        not change.even_if_known
        and not change.brought_back
        and record.key is None
        and record.status is Status.ACTIVE
        and record.descriptor.deduplicated
        and not record.expired(clock.now())  # what is over already must not end what is known
    )


def placed_anew(change: Add) -> bool:
    """Return whether a message gets a new position; one that is restored keeps the one that it has."""
    record = change.record
    return (
        isinstance(record, ConversationRecord)
        and record.kind == "message"
        and (record.position is None or not change.brought_back)
    )
