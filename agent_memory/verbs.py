"""What operations do, as the log names them, and what they do to a single memory, as its history names it."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    """The verbs of this version. A file may hold others, written by an earlier or a later one."""

    ADD = "add"
    UPDATE = "update"
    TAG = "tag"
    EXTEND = "extend"
    USE = "use"
    TRIGGER = "trigger"
    PIN = "pin"
    UNPIN = "unpin"
    SUMMARIZE = "summarize"
    BATCH = "batch"

    FORGET = "forget"
    CLEAR = "clear"
    CLEAR_ALL = "clear all"
    DELETE_CONVERSATION = "delete conversation"
    CLEANUP = "cleanup"
    """Expired memories were shredded."""
    DROP = "drop"
    """All that a store holds of an agent was shredded."""
    ARCHIVE = "archive"
    """In a history: what was forgotten, or is no part of its document any more."""
    PURGE = "purge"
    SHRED = "shred"

    CONSOLIDATE = "consolidate"
    MERGE = "merge"
    """In a history: the memory that stays of several that say the same."""
    SUPERSEDE = "supersede"
    """In a history: one of those that another one stands for."""

    RESTORE = "restore"
    UNDO = "undo"
    IMPORT = "import"
    RENEW = "renew"
    """What an earlier version wrote was brought to the form of this one."""
