"""What a write consists of: an operation, its changes, and what came of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from agent_memory import clock
from agent_memory.records import MemoryRecord, Version
from agent_memory.verbs import Verb

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u
_LETTER_OF_BYTE = (_ALPHABET * 8).encode()
"""For each of the 256 bytes a letter; each letter for eight of them, so that all are equally likely."""
ID_LENGTH = 20
SHORTEST_PREFIX = 4
"""Characters of an id that are enough to name a memory, if no other id begins with them."""


def new_id() -> str:
    """Make a random id: 100 bits as 20 characters of lower-case Crockford base32.

    Not ordered by time: ids that are cannot be shortened, since all of one day begin alike.

    Returns:
        The id.
    """
    return os.urandom(ID_LENGTH).translate(_LETTER_OF_BYTE).decode("ascii")


def is_id(text: str) -> bool:
    """Return whether a text looks like what `new_id` makes."""
    return len(text) == ID_LENGTH and not text.strip(_ALPHABET)


def may_begin_id(text: str) -> bool:
    """Return whether a text may be meant for an id, shortened to four characters or more."""
    return SHORTEST_PREFIX <= len(text) <= ID_LENGTH and not text.strip(_ALPHABET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One command: what is undone at a time, and one line of the log. Never holds the arguments as typed."""

    verb: str
    actor: str | None = None
    session: str | None = None
    id: str = field(default_factory=new_id)
    started_at: datetime = field(default_factory=clock.now)
    undoes: str | None = None
    """The operation that this one takes back."""

    def __post_init__(self) -> None:
        # Drivers of databases write a plain text, and may not know what an enumeration is.
        object.__setattr__(self, "verb", str(self.verb))


@dataclass(frozen=True, slots=True)
class Add:
    """Store a new memory, unless it is known already.

    With a `key` that an active memory of the type has, a new version is stored under that memory's id, which keeps
    what was not given: importance, tags, metadata, source, times, lists such as a skill's triggers, and a skill's
    record of use. Without one, an exact duplicate among active facts, documents and skills is the same memory: its
    id is returned, tags and triggers are united, metadata values are added, and whatever else was given is taken
    over. A message without a position, or with one that may be taken, gets the next one of its conversation. An id
    that is taken is a conflict.
    """

    record: MemoryRecord
    given_fields: frozenset[str] | None = None
    """Names of the record's fields that the caller named; the others hold defaults. None: those that differ from the
    type's defaults. A time to live names `expires_at`."""
    even_if_known: bool = False
    """Store an exact duplicate as a memory of its own."""
    brought_back: bool = False
    """It was there before and comes back as it was: never a duplicate, never a version of another memory, and a
    ValidationError if another one has its key by now."""
    verb: str = Verb.ADD


@dataclass(frozen=True, slots=True)
class Replace:
    """Store a new version of a memory, if nobody has changed it since `record.revision` was read."""

    record: MemoryRecord
    verb: str = Verb.UPDATE


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a memory out of the store."""

    record: MemoryRecord
    erase: bool = False
    """Erase its history as well; else its last version stays there."""


@dataclass(frozen=True, slots=True)
class Erase:
    """Erase the history of a memory that was taken out of the store before.

    One that is there again meanwhile is a conflict.
    """

    record: MemoryRecord
    """Its last version, as `Store.purged` or the history tells it."""


@dataclass(frozen=True, slots=True)
class Import:
    """Take a memory over from another store as it is there: revision, times, position and history stay.

    It is no new version of anything and never a duplicate. One that is there in this very revision stays untouched;
    one in another revision than `onto`, or one that is not there though it should be, is a conflict.
    """

    record: MemoryRecord
    """With its revision; its accesses are taken over as well where it is not there yet and `usage` says so."""
    history: Sequence[Version] = ()
    """The versions that the journal does not have yet, oldest first, the last one being the record's. Empty: the
    journal gets one entry that says where it came from."""
    onto: str | None = None
    """The revision that it has here; None where it is not here."""
    usage: bool = False


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Take over that a memory was taken out of another store. One that is here is a conflict. Only history tells."""

    memory_id: str
    history: Sequence[Version]
    """The last one says that it was taken out. Versions without text stay without."""


Change = Add | Replace | Remove | Erase | Import | Tombstone


@dataclass(frozen=True, slots=True)
class Written:
    """What came of one change."""

    id: str
    outcome: Literal["added", "known", "updated", "unchanged", "removed"]
    record: MemoryRecord
    """The memory as it is now stored; for a removed one, as it was."""
    changed: tuple[str, ...] = ()
    """For a memory that was known: the fields that were taken over from what came with it, by name."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One changed memory: a row of the append-only journal. Text is canonical JSON without vectors."""

    change_id: str
    parent_id: str | None
    """The change it was made upon. Two children of one parent are a conflict; both are kept."""
    hlc: int
    """Hybrid logical clock, in microseconds: max(last + 1, clock), so that a clock set back reorders nothing."""
    operation_id: str
    memory_id: str
    verb: str
    before: str | None
    after: str | None
    at: datetime | None = None
    """When it was done, where that was not when its operation began: it was taken over from another store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a backend has to write for a list of changes, and nothing it has to decide."""

    operation: Operation
    inserts: Sequence[MemoryRecord]
    replaces: Sequence[tuple[MemoryRecord, MemoryRecord]]
    """(before, after)."""
    removes: Sequence[MemoryRecord]
    journal: Sequence[JournalEntry]
    erase_history: Sequence[str]
    """Memory ids whose journal text has to go, older entries of this plan included."""
    keep_one_version: Sequence[str]
    """Memory ids of which the journal keeps only the newest entry."""
    written: Sequence[Written]
    """One per change, in order; none for a `Bury`."""
    usage: Mapping[str, tuple[datetime, int]] = field(default_factory=dict)
    """By id of an inserted memory: when it was last accessed and how often, for stores that count accesses. All
    others begin at nothing, whatever their record says."""

    @property
    def empty(self) -> bool:
        """Whether nothing has to be written."""
        return not (self.journal or self.erase_history or self.removes)
