"""Reading the journal and the log of operations."""

from __future__ import annotations

from agent_memory import clock
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import OF_MEMORY, version_of

_VERSIONS = (
    "select journal.memory_id, journal.change_id, journal.parent_id, operation.id, journal.verb,"
    " operation.started_at, journal.before, journal.after"
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
    found = connection.execute(f"{_VERSIONS} where {condition} order by journal.seq", {"id": value})
    return [
        Version(
            memory_id=row[0],
            revision=row[1],
            parent=row[2],
            operation_id=row[3],
            verb=row[4],
            at=clock.from_text(row[5]),
            before=_record(row[6], row[0], agent_id, row[2]),
            after=_record(row[7], row[0], agent_id, row[1]),
        )
        for row in found
    ]


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
