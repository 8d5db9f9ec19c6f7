"""Reading the journal and the log of operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agent_memory.records import MemoryRecord, OperationRecord, Version, version_from_dict
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection

_VERSIONS = (
    "select j.memory_id, j.change_id, j.parent_id, j.operation, j.verb, coalesce(j.at, o.started_at),"
    " j.before, j.after, o.verb, o.actor"
    " from journal as j join operation as o on o.agent = j.agent and o.id = j.operation"
)


def version_of(text: str, **beside: Any) -> MemoryRecord:
    """Make a record of a version in the journal."""
    return version_from_dict(json.loads(text), **beside)


async def versions(
    connection: Connection, scope: Scope, memory_ids: Sequence[str] | None, operation_id: str | None
) -> list[Version]:
    """List journal entries of memories or of one operation, oldest first."""
    column, value = ("j.memory_id = any(%s)", list(memory_ids or ()))
    if memory_ids is None:
        column, value = "j.operation = %s", operation_id  # type: ignore[assignment]
    query = f"{_VERSIONS} where j.agent = {scope.number} and {column} order by j.hlc"
    return [
        Version(
            memory_id=row[0],
            revision=row[1],
            parent=row[2],
            operation_id=row[3],
            verb=row[4],
            at=row[5],
            before=_record(row[6], scope.id, row[2]),
            after=_record(row[7], scope.id, row[1]),
            operation_verb=row[8],
            actor=row[9],
        )
        for row in await fetch(connection, query, [value])
    ]


def _record(text: str | None, agent_id: str, revision: str | None) -> MemoryRecord | None:
    return None if text is None else version_of(text, agent_id=agent_id, revision=revision or "")


async def of_one(
    connection: Connection, scope: Scope, *, memory_id: str | None = None, operation_id: str | None = None
) -> list[Version]:
    """List journal entries of one memory or of one operation, oldest first."""
    return await versions(connection, scope, None if memory_id is None else [memory_id], operation_id)


async def histories(connection: Connection, scope: Scope, ids: Sequence[str]) -> dict[str, list[Version]]:
    """List journal entries of many memories, oldest first."""
    result: dict[str, list[Version]] = {}
    for version in await versions(connection, scope, ids, None):
        result.setdefault(version.memory_id, []).append(version)
    return result


async def tombstoned(connection: Connection, scope: Scope) -> list[str]:
    """Return the ids in the journal that no memory has."""
    fetched = await fetch(
        connection,
        f"select distinct memory_id from journal as j where j.agent = {scope.number} and not exists"
        f" (select 1 from memory as m where m.agent = {scope.number} and m.id = j.memory_id)",
    )
    return [row[0] for row in fetched]


async def purged(connection: Connection, scope: Scope) -> list[MemoryRecord]:
    """List the last versions of memories that are gone and whose text is still in the journal."""
    fetched = await fetch(
        connection,
        "select before, parent_id from (select distinct on (memory_id) memory_id, before, after, parent_id, hlc"
        f" from journal as j where j.agent = {scope.number} and not exists"
        f" (select 1 from memory as m where m.agent = {scope.number} and m.id = j.memory_id)"
        " order by memory_id, hlc desc) as last where after is null and before is not null order by hlc",
    )
    return [version_of(row[0], agent_id=scope.id, revision=row[1] or "") for row in fetched]


async def end(connection: Connection, scope: Scope) -> int:
    """Return the time of the clock at the last entry."""
    query = f"select hlc from journal where agent = {scope.number} order by hlc desc limit 1"
    last = await fetch(connection, query)
    return int(last[0][0]) if last else 0


async def changed_since(connection: Connection, scope: Scope, position: int) -> tuple[list[str], int]:
    """List the memories with an entry behind a time, in the order of the first, and the time of the last."""
    fetched = await fetch(
        connection,
        f"select memory_id, min(hlc), max(hlc) from journal where agent = {scope.number} and hlc > %s"
        " group by memory_id order by min(hlc)",
        [position],
    )
    return [row[0] for row in fetched], max((row[2] for row in fetched), default=position)


async def operations(connection: Connection, scope: Scope, limit: int) -> list[OperationRecord]:
    """List operations that changed something, newest first."""
    fetched = await fetch(
        connection,
        "select id, verb, actor, session, started_at, (select count(distinct memory_id) from journal as j"
        f" where j.agent = {scope.number} and j.operation = o.id), (select max(later.id) from operation as later"
        f" where later.agent = {scope.number} and later.undoes = o.id)"
        f" from operation as o where agent = {scope.number} order by seq desc limit {max(0, int(limit))}",
    )
    return [
        OperationRecord(
            id=row[0],
            verb=row[1],
            actor=row[2],
            session=row[3],
            started_at=row[4],
            changes=row[5],
            undone_by=row[6],
        )
        for row in fetched
    ]
