"""Turning changes into rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent_memory import clock
from agent_memory.errors import ConflictError, ValidationError
from agent_memory.hints import Hint
from agent_memory.records import (
    ConversationRecord,
    MemoryRecord,
    Status,
    Version,
    canonical_json,
    same_version,
    stamped,
    version_to_dict,
)
from agent_memory.storage.changes import (
    Add,
    Change,
    Erase,
    Import,
    JournalEntry,
    Operation,
    Plan,
    Remove,
    Replace,
    Tombstone,
    Written,
    new_id,
)
from agent_memory.storage.planning.facts import TAKEN, State, deduplicated, placed_anew
from agent_memory.storage.planning.known import kept, named_fields, told, united
from agent_memory.text.templates import ContentHash, content_hash
from agent_memory.verbs import Verb


def plan(
    operation: Operation,
    changes: Sequence[Change],
    state: State,
    agent_id: str,
    digests: Mapping[str, ContentHash] | None = None,
) -> Plan:
    """Turn changes into rows, given what the store holds. `state` is used up.

    `digests` are those that `needs` worked out.

    Returns:
        The plan: rows to write, and what came of each change.

    Raises:
        ConflictError: a memory to replace or remove was changed since it was read, or one to add is there.
        ValidationError: a memory would take a key that another active one has.
    """
    planner = _Planner(operation, state, agent_id, digests or {})
    for change in changes:
        if isinstance(change, Add):
            planner.add(change)
        elif isinstance(change, Replace):
            planner.replace(change)
        elif isinstance(change, Remove):
            planner.remove(change)
        elif isinstance(change, Import):
            planner.take(change)
        elif isinstance(change, Tombstone):
            planner.bury(change)
        else:
            planner.erase_gone(change)
    return planner.result()


class _Planner:
    def __init__(
        self, operation: Operation, state: State, agent_id: str, digests: Mapping[str, ContentHash]
    ) -> None:
        self.digests = digests
        self.operation = operation
        self.state = state
        self.agent_id = agent_id
        self.hlc = max(state.last_hlc, int(clock.now().timestamp() * 1_000_000) - 1)
        self.inserted: dict[str, MemoryRecord] = {}
        self.replaced: dict[str, tuple[MemoryRecord, MemoryRecord]] = {}
        self.removed: dict[str, MemoryRecord] = {}
        self.journal: list[JournalEntry] = []
        self.erase: list[str] = []
        self.trimmed: dict[str, None] = {}
        self.written: list[Written] = []
        self.usage: dict[str, tuple[datetime, int]] = {}
        self.positions: dict[str, set[int]] = {}
        """By conversation: the last position before this operation, and those of messages that it stores."""

    def result(self) -> Plan:
        return Plan(
            operation=self.operation,
            inserts=list(self.inserted.values()),
            replaces=list(self.replaced.values()),
            removes=list(self.removed.values()),
            journal=self.journal,
            erase_history=self.erase,
            keep_one_version=list(self.trimmed),
            written=self.written,
            usage=self.usage,
        )

    def add(self, change: Add) -> None:
        record, digest = change.record, None
        if change.brought_back:
            self._check_key(record)
        elif record.key is not None and record.status is Status.ACTIVE:
            known = self.state.by_key.get((record.memory_type, record.key))
            if known is not None:
                self._add_version(self.state.records[known], change)
                return
        elif deduplicated(change):
            digest = self.digests.get(record.id) or content_hash(record)
            known = self.state.by_hash.get(digest)
            if known is not None:
                self._merge(self.state.records[known], change)
                return
        if record.id in self.state.records:
            raise ConflictError(record.id)
        if placed_anew(change):
            assert isinstance(record, ConversationRecord)
            record = self._placed(record)
        stored = self._journalled(None, record, change.verb)
        self._remember(stored, digest)
        self.inserted[stored.id] = stored
        self.written.append(Written(stored.id, "added", stored))

    def _placed(self, record: ConversationRecord) -> ConversationRecord:
        """Give a message the position that it names, if nothing before this operation can have it, or the next."""
        conversation = record.conversation_id
        before = self.state.last_position.get(conversation, -1)
        taken = self.positions.setdefault(conversation, set())
        taken.add(before)
        position = record.position
        if position is None or position <= before or position in taken:
            position = max(taken) + 1
        return replace(record, position=position)

    def _add_version(self, before: MemoryRecord, change: Add) -> None:
        record, moment = change.record, self.operation.started_at
        version = kept(before, record, named_fields(change), moment)
        after: MemoryRecord = replace(
            record,
            id=before.id,
            created_at=record.created_at if before.expired(moment) else before.created_at,
            accessed_at=before.accessed_at,
            access_count=before.access_count,
            **{**version, "pinned": before.pinned or record.pinned},
        )
        if isinstance(after, ConversationRecord) and after.kind == "message":
            assert isinstance(before, ConversationRecord)
            stays = before.conversation_id == after.conversation_id and before.position is not None
            if not stays and "position" in version:
                after = replace(after, position=None)
            elif stays and after.position is None:
                after = replace(after, position=before.position)
            if not stays or after.position != before.position:
                after = self._placed(after)
        self._store_version(before, after, Verb.UPDATE)

    def _merge(self, before: MemoryRecord, change: Add) -> None:
        gained = united(before, change.record, named_fields(change))
        if gained:
            verb = Verb.TAG if gained.keys() == {"tags"} else Verb.UPDATE
            before = self._replaced(before, replace(before, **gained), verb)
        self.written.append(Written(before.id, "known", before, told(gained)))

    def replace(self, change: Replace) -> None:
        before = self._current(change.record)
        self._store_version(before, change.record, change.verb)

    def _store_version(self, before: MemoryRecord, after: MemoryRecord, verb: str) -> None:
        if same_version(before, after):
            self.written.append(Written(before.id, "unchanged", before))
            return
        stored = self._replaced(before, after, verb)
        self.written.append(Written(stored.id, "updated", stored))

    def _replaced(self, before: MemoryRecord, after: MemoryRecord, verb: str) -> MemoryRecord:
        self._check_key(after)
        stored = self._journalled(before, replace(after, updated_at=self.operation.started_at), verb)
        self._forget(before)
        self._remember(stored)
        if before.id in self.inserted:
            self.inserted[before.id] = stored
        else:
            first = self.replaced[before.id][0] if before.id in self.replaced else before
            self.replaced[before.id] = (first, stored)
        if not stored.descriptor.keeps_history:
            self.trimmed[stored.id] = None
        return stored

    def remove(self, change: Remove) -> None:
        before = self._current(change.record)
        self._append(before, None, Verb.SHRED if change.erase else Verb.PURGE, new_id(), before.id)
        if change.erase:
            self.erase.append(before.id)
        self._forget(before)
        self.state.records.pop(before.id, None)
        first = self.replaced.pop(before.id, (before, before))[0]
        if self.inserted.pop(before.id, None) is None:
            self.removed[before.id] = first
        self.written.append(Written(before.id, "removed", before))

    def erase_gone(self, change: Erase) -> None:
        tombstoned = change.record
        if tombstoned.id in self.state.records:
            raise ConflictError(tombstoned.id)
        self._append(None, None, Verb.SHRED, new_id(), tombstoned.id)
        self.erase.append(tombstoned.id)
        self.written.append(Written(tombstoned.id, "removed", tombstoned))

    def take(self, change: Import) -> None:
        """Store a version of another store's as it is, with the history that comes with it."""
        record = stamped(change.record, agent_id=self.agent_id, revision=change.record.revision)
        before = self.state.records.get(record.id)
        if before is not None and before.revision == record.revision:
            self.written.append(Written(before.id, "unchanged", before))
            return
        if (before.revision if before is not None else None) != change.onto:
            raise ConflictError(record.id)
        self._check_key(record)
        self._take_history(record.id, change.history or [_arrival(before, record)])
        if before is None:
            self.inserted[record.id] = record
            if change.usage and record.accessed_at is not None:
                self.usage[record.id] = (record.accessed_at, record.access_count)
        else:
            self._forget(before)
            if record.id in self.inserted:
                self.inserted[record.id] = record
            else:
                self.replaced[record.id] = (self.replaced.get(record.id, (before, before))[0], record)
            if not record.descriptor.keeps_history:
                self.trimmed[record.id] = None
        self._remember(record)
        self.written.append(Written(record.id, "added" if before is None else "updated", record))

    def bury(self, change: Tombstone) -> None:
        """Write down that a memory is gone."""
        if change.memory_id in self.state.records:
            raise ConflictError(change.memory_id)
        self._take_history(change.memory_id, change.history)

    def _take_history(self, memory_id: str, history: Sequence[Version]) -> None:
        for version in history:
            self._append(
                version.before,
                version.after,
                version.verb,
                version.revision,
                memory_id,
                parent=version.parent,
                at=version.at,
            )

    def _current(self, read: MemoryRecord) -> MemoryRecord:
        current = self.state.records.get(read.id)
        if current is None or current.revision != read.revision:
            raise ConflictError(read.id)
        return current

    def _check_key(self, record: MemoryRecord) -> None:
        if record.key is None or record.status is not Status.ACTIVE:
            return
        holder = self.state.by_key.get((record.memory_type, record.key))
        if holder is not None and holder != record.id:
            raise ValidationError(
                f"the key '{record.key}' belongs to another memory by now",
                hint=Hint("see {GET}", id=holder),
            )

    def _remember(self, record: MemoryRecord, digest: ContentHash | None = None) -> None:
        self.state.records[record.id] = record
        if isinstance(record, ConversationRecord) and record.position is not None:
            # Also of one that is restored or imported: a later message of the same operation comes after it.
            self.positions.setdefault(record.conversation_id, set()).add(record.position)
        if record.status is not Status.ACTIVE:
            return
        if record.key is not None:
            self.state.by_key[record.memory_type, record.key] = record.id
        elif record.descriptor.deduplicated and not record.expired(self.operation.started_at):
            # A later change of the same operation may bring the same again.
            self.state.by_hash.setdefault(digest or content_hash(record), record.id)

    def _forget(self, record: MemoryRecord) -> None:
        if record.key is not None and self.state.by_key.get((record.memory_type, record.key)) == record.id:
            del self.state.by_key[record.memory_type, record.key]
        elif record.key is None and record.descriptor.deduplicated:
            digest = content_hash(record)
            if self.state.by_hash.get(digest) == record.id:
                del self.state.by_hash[digest]
                self._find_duplicate(record, digest)

    def _find_duplicate(self, record: MemoryRecord, digest: ContentHash) -> None:
        """Let a forced duplicate of a memory that goes stand for it."""
        for other in self.state.records.values():
            if (
                other.memory_type is record.memory_type
                and other.key is None
                and other.id != record.id
                and other.status is Status.ACTIVE
                and not other.expired(self.operation.started_at)
                and content_hash(other) == digest
            ):
                self.state.by_hash[digest] = other.id
                return

    def _journalled(self, before: MemoryRecord | None, after: MemoryRecord, verb: str) -> MemoryRecord:
        stored = stamped(after, agent_id=self.agent_id, revision=new_id())
        self._append(before, stored, verb, stored.revision, stored.id)
        return stored

    def _append(
        self,
        before: MemoryRecord | None,
        after: MemoryRecord | None,
        verb: str,
        change_id: str,
        memory_id: str,
        *,
        parent: str | None = None,
        at: datetime | None = None,
    ) -> None:
        self.hlc += 1
        self.journal.append(
            JournalEntry(
                change_id=change_id,
                parent_id=parent or (before.revision if before is not None else None),
                hlc=self.hlc,
                operation_id=self.operation.id,
                memory_id=memory_id,
                verb=str(verb),
                before=canonical_json(version_to_dict(before)) if before is not None else None,
                after=canonical_json(version_to_dict(after)) if after is not None else None,
                at=at,
            )
        )


def _arrival(before: MemoryRecord | None, record: MemoryRecord) -> Version:
    """Describe a memory that comes without its history as one step to what it is."""
    return Version(
        memory_id=record.id,
        revision=record.revision,
        parent=before.revision if before is not None else None,
        operation_id="",
        verb=TAKEN,
        at=record.updated_at,
        before=before,
        after=record,
    )
