"""Reading the journal and the log of operations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from agent_memory.errors import IntegrityError
from agent_memory.records import MemoryRecord, OperationRecord, Version, version_from_dict
from agent_memory.storage.damage import Damaged
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection

UNREADABLE: Final = (TypeError, ValueError, KeyError, AttributeError)
_BATCH: Final = 1000
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
    """List journal entries of memories or of one operation, oldest first.

    Returns:
        The entries; of memories without what cannot be read, which is noted.

    Raises:
        IntegrityError: one of the operation is damaged. To go on without it would take back half of what was done.
    """  # noqa: DOC501
    column, value = ("j.memory_id = any(%s)", list(memory_ids or ()))
    if memory_ids is None:
        column, value = "j.operation = %s", operation_id  # type: ignore[assignment]
    query = f"{_VERSIONS} where j.agent = {scope.number} and {column} order by j.hlc"
    result, met = [], Damaged()
    for row in await fetch(connection, query, [value]):
        try:
            result.append(_version(row, scope.id))
        except UNREADABLE as error:
            met.meet(_named(row[1], row[0]), _why(error))
    if memory_ids is None and met:
        raise IntegrityError.damaged(*next(iter(met.items())))
    for name, why in met.items():
        scope.damaged.meet(name, why)
    return result


def _version(row: Sequence[Any], agent_id: str) -> Version:
    return Version(
        memory_id=row[0],
        revision=row[1],
        parent=row[2],
        operation_id=row[3],
        verb=row[4],
        at=row[5],
        before=_record(row[6], agent_id, row[2]),
        after=_record(row[7], agent_id, row[1]),
        operation_verb=row[8],
        actor=row[9],
    )


def _named(change_id: str, memory_id: str) -> str:
    return f"change {change_id} of memory {memory_id}"


def _why(error: Exception) -> str:
    return f"it holds no version of a memory ({error})"


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
        "select before, parent_id, change_id, memory_id from"
        " (select distinct on (memory_id) memory_id, before, after, parent_id, change_id, hlc"
        f" from journal as j where j.agent = {scope.number} and not exists"
        f" (select 1 from memory as m where m.agent = {scope.number} and m.id = j.memory_id)"
        " order by memory_id, hlc desc) as last where after is null and before is not null order by hlc",
    )
    result = []
    for before, parent_id, change_id, memory_id in fetched:
        try:
            result.append(version_of(before, agent_id=scope.id, revision=parent_id or ""))
        except UNREADABLE as error:
            scope.damaged.meet(_named(change_id, memory_id), _why(error))
    return result


async def check(connection: Connection, scope: Scope) -> list[str]:
    """Return one line for each entry of the journal that cannot be read."""
    faults: list[str] = []
    last = 0
    while True:
        query = (
            "select hlc, change_id, memory_id, before, after from journal"
            f" where agent = {scope.number} and hlc > {last} order by hlc limit {_BATCH}"
        )
        fetched = await fetch(connection, query)
        for _, change_id, memory_id, *texts in fetched:
            try:
                for text in texts:
                    _record(text, scope.id, change_id)
            except UNREADABLE as error:
                faults.append(f"{_named(change_id, memory_id)}: {_why(error)}")
        if len(fetched) < _BATCH:
            return faults
        last = fetched[-1][0]


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
