"""The journal and the log of operations, as lists."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import replace

from agent_memory.records import MemoryRecord, OperationRecord, Version, version_from_dict
from agent_memory.storage.changes import JournalEntry, Operation, Plan


class Journal:
    """What was done, oldest first."""

    def __init__(self) -> None:
        self._entries: list[JournalEntry] = []
        self._operations: dict[str, Operation] = {}
        self.last_hlc = 0

    def append(self, plan: Plan) -> None:
        """Write down a plan that was carried out."""
        self._entries += plan.journal
        self.last_hlc = plan.journal[-1].hlc if plan.journal else self.last_hlc
        self._operations[plan.operation.id] = plan.operation
        if plan.keep_one_version:
            self._keep_newest(set(plan.keep_one_version))

    def _keep_newest(self, memory_ids: Collection[str]) -> None:
        newest = {entry.memory_id: entry.hlc for entry in self._entries if entry.memory_id in memory_ids}
        self._entries = [
            entry for entry in self._entries if newest.get(entry.memory_id, entry.hlc) == entry.hlc
        ]

    def erase(self, memory_ids: Collection[str]) -> list[MemoryRecord]:
        """Forget the text of memories, keeping that something happened; return what they were."""
        erased = []
        for position, entry in enumerate(self._entries):
            if entry.memory_id in memory_ids:
                texts = [text for text in (entry.before, entry.after) if text is not None]
                erased += [version_from_dict(json.loads(text)) for text in texts]
                self._entries[position] = replace(entry, before=None, after=None)
        self._erase_sessions({entry.operation_id for entry in self._entries if entry.memory_id in memory_ids})
        return erased

    def _erase_sessions(self, operation_ids: set[str]) -> None:
        """Take the session out of operations of which no text is left: its name may be part of what is erased."""
        telling = {entry.operation_id for entry in self._entries if entry.before or entry.after}
        for memory_id in operation_ids - telling:
            self._operations[memory_id] = replace(self._operations[memory_id], session=None)

    def histories(self, memory_ids: Collection[str], agent_id: str) -> dict[str, list[Version]]:
        """Collect the versions of many memories."""
        result: dict[str, list[Version]] = {}
        for version in self.versions(None, None, agent_id, set(memory_ids)):
            result.setdefault(version.memory_id, []).append(version)
        return result

    def versions(
        self,
        memory_id: str | None,
        operation_id: str | None,
        agent_id: str,
        memory_ids: Collection[str] | None = None,
    ) -> Iterator[Version]:
        """Iterate over the entries of one memory, of several or of one operation."""

        def version(text: str | None, revision: str | None) -> MemoryRecord | None:
            if text is None:
                return None
            return version_from_dict(json.loads(text), agent_id=agent_id, revision=revision or "")

        for entry in self._entries:
            if memory_ids is not None and entry.memory_id not in memory_ids:
                continue
            if memory_id in (None, entry.memory_id) and operation_id in (None, entry.operation_id):
                yield Version(
                    memory_id=entry.memory_id,
                    revision=entry.change_id,
                    parent=entry.parent_id,
                    operation_id=entry.operation_id,
                    verb=entry.verb,
                    at=entry.at or self._operations[entry.operation_id].started_at,
                    before=version(entry.before, entry.parent_id),
                    after=version(entry.after, entry.change_id),
                    operation_verb=self._operations[entry.operation_id].verb,
                    actor=self._operations[entry.operation_id].actor,
                )

    def changed_since(self, position: int) -> list[str]:
        """List the memories with an entry behind a time of the clock."""
        return list(dict.fromkeys(entry.memory_id for entry in self._entries if entry.hlc > position))

    def tombstoned(self, present: Collection[str]) -> list[str]:
        """List the ids of memories that are not present."""
        return list({entry.memory_id for entry in self._entries} - set(present))

    def purged(self, present: Collection[str], agent_id: str) -> list[MemoryRecord]:
        """List the last versions of those memories that are not present."""
        tombstoned = {
            entry.memory_id: (entry.before, entry.parent_id)
            for entry in self._entries
            if entry.memory_id not in present and entry.before is not None and entry.after is None
        }
        return [
            version_from_dict(json.loads(text), agent_id=agent_id, revision=revision or "")
            for text, revision in tombstoned.values()
        ]

    def operations(self, limit: int) -> list[OperationRecord]:
        """List operations, newest first."""
        logged = list(self._operations.values())
        undone_by = {item.undoes: item.id for item in logged if item.undoes is not None}
        changed: dict[str, set[str]] = {item.id: set() for item in logged}
        for entry in self._entries:
            changed[entry.operation_id].add(entry.memory_id)
        return [
            OperationRecord(
                id=operation.id,
                verb=operation.verb,
                actor=operation.actor,
                session=operation.session,
                started_at=operation.started_at,
                changes=len(changed[operation.id]),
                undone_by=undone_by.get(operation.id),
            )
            for operation in logged[::-1][:limit]
        ]
