"""Reading the journal and the log of operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_memory import clock
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.sqlite import rows
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import OF_MEMORY, version_of


def _select(connection: Connection) -> str:
    return (
        f"select operation.id, operation.started_at, {rows.journal_columns(connection)}"
        " from journal join operation on operation.seq = journal.operation"
    )


def versions(
    connection: Connection, memory_id: str | None, operation_id: str | None, agent_id: str
) -> list[Version]:
    """List journal entries of one memory or of one operation, oldest first."""
    condition, value = OF_MEMORY, memory_id
    if memory_id is None:
        condition, value = (
            "journal.operation = (select seq from operation where id = :id)",
            operation_id or "",
        )
    found = connection.execute(f"{_select(connection)} where {condition} order by journal.seq", {"id": value})
    return [_version(row, agent_id) for row in found]


def histories(connection: Connection, ids: Sequence[str], agent_id: str) -> dict[str, list[Version]]:
    """List the journal entries of many memories, oldest first."""
    found = connection.execute(
        f"{_select(connection)} where journal.seq in (select seq from json_each(?) as wanted cross join journal"
        " on substr(memory_id, 1, 6) = substr(wanted.value, 1, 6) and memory_id = wanted.value)"
        " order by journal.seq",
        (json.dumps(list(ids)),),
    )
    result: dict[str, list[Version]] = {}
    for row in found:
        version = _version(row, agent_id)
        result.setdefault(version.memory_id, []).append(version)
    return result


def _version(row: Sequence[Any], agent_id: str) -> Version:
    operation_id, started_at, at, change_id, parent_id, _, _, memory_id, verb, before, after = row
    return Version(
        memory_id=memory_id,
        revision=change_id,
        parent=parent_id,
        operation_id=operation_id,
        verb=verb,
        at=clock.from_text(at or started_at),
        before=_record(before, memory_id, agent_id, parent_id),
        after=_record(after, memory_id, agent_id, change_id),
    )


def gone(connection: Connection) -> list[str]:
    """List the ids in the journal that no memory has."""
    query = (
        "select distinct memory_id from journal"
        " where not exists (select 1 from memory where memory.id = journal.memory_id)"
    )
    return [row[0] for row in connection.execute(query)]


def _record(text: str | None, memory_id: str, agent_id: str, revision: str | None) -> MemoryRecord | None:
    if text is None:
        return None
    return version_of(text, memory_id, agent_id=agent_id, revision=revision or "")


def purged(connection: Connection, agent_id: str) -> list[MemoryRecord]:
    """List the last versions of memories that are gone and whose text is still in the journal."""
    found = connection.execute(
        "select before, memory_id, parent_id, max(seq) from journal"
        " where after is null and before is not null"
        " and not exists (select 1 from memory where memory.id = journal.memory_id)"
        " group by memory_id order by max(seq)"
    )
    return [version_of(row[0], row[1], agent_id=agent_id, revision=row[2] or "") for row in found]


def operations(connection: Connection, limit: int) -> list[OperationRecord]:
    """List operations that changed something, newest first."""
    found = connection.execute(
        "select id, verb, actor, session, started_at,"
        " (select count(distinct memory_id) from journal where journal.operation = operation.seq),"
        " (select max(later.id) from operation as later where later.undoes = operation.id)"
        " from operation order by seq desc limit ?",
        (limit,),
    )
    return [
        OperationRecord(
            id=row[0],
            verb=row[1],
            actor=row[2],
            session=row[3],
            started_at=clock.from_text(row[4]),
            changes=row[5],
            undone_by=row[6],
        )
        for row in found
    ]
