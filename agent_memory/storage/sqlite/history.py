"""Reading the journal and the log of operations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from agent_memory.errors import IntegrityError
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import rows
from agent_memory.storage.sqlite.damage import ReadContext, UnreadableError, check_text, moment
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.rows import OF_MEMORY, version_of


def _select(connection: Connection) -> str:
    return (
        "select operation.verb, operation.actor, operation.id, operation.started_at,"
        f" {rows.journal_columns(connection)}"
        " from journal left join operation on operation.seq = journal.operation"
    )


def versions(
    connection: Connection,
    context: ReadContext,
    *,
    memory_id: str | None = None,
    operation_id: str | None = None,
) -> list[Version]:
    """List journal entries of one memory or of one operation, oldest first.

    Returns:
        The versions, oldest first.

    Raises:
        IntegrityError: one of the operation is damaged. To go on without it would take back half of what was done.
    """  # noqa: DOC501
    condition, value = OF_MEMORY, memory_id
    if memory_id is None:
        condition, value = (
            "journal.operation = (select seq from operation where id = :id)",
            operation_id or "",
        )
    cursor = connection.execute(
        f"{_select(connection)} where {condition} order by journal.seq", {"id": value}
    )
    met = Damaged()
    result = _versions(cursor, context.agent_id, met)
    if memory_id is None and met:
        raise IntegrityError.damaged(*next(iter(met.items())))
    for name, why in met.items():
        context.damaged.meet(name, why)
    return result


def histories(connection: Connection, context: ReadContext, ids: Sequence[str]) -> dict[str, list[Version]]:
    """List the journal entries of many memories, oldest first."""
    cursor = connection.execute(
        f"{_select(connection)} where journal.seq in (select seq from json_each(?) as wanted cross join journal"
        " on substr(memory_id, 1, 6) = substr(wanted.value, 1, 6) and memory_id = wanted.value)"
        " order by journal.seq",
        (json.dumps(list(ids)),),
    )
    result: dict[str, list[Version]] = {}
    for version in _versions(cursor, *context):
        result.setdefault(version.memory_id, []).append(version)
    return result


def _versions(rows: Iterable[Sequence[Any]], agent_id: str, damaged: Damaged) -> list[Version]:
    result = []
    for row in rows:
        try:
            result.append(_version(row, agent_id))
        except UNREADABLE as error:
            damaged.meet(f"change {_shown(row[5])} of memory {_shown(row[9])}", _why(error))
    return result


def _version(row: Sequence[Any], agent_id: str) -> Version:
    (
        operation_verb,
        actor,
        operation_id,
        started_at,
        at,
        change_id,
        parent_id,
        _,
        _,
        memory_id,
        verb,
        before,
        after,
    ) = row
    for name, value in (("id", change_id), ("memory's id", memory_id), ("verb", verb)):
        if not isinstance(value, str):
            raise UnreadableError(f"its {name} is no text")
        check_text(name, value)
    return Version(
        memory_id=memory_id,
        revision=change_id,
        parent=parent_id,
        operation_id=operation_id,
        verb=verb,
        at=moment("time", at or started_at),
        before=_record(before, memory_id, agent_id, parent_id),
        after=_record(after, memory_id, agent_id, change_id),
        operation_verb=_text(operation_verb),
        actor=_text(actor),
    )


UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What is raised where the JSON of a version is no version."""


def _text(value: Any) -> str | None:
    """Return a text; None for what is none, since it only goes with the version."""
    return value if isinstance(value, str) and value.isprintable() else None


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, UnreadableError) else "it holds no version of a memory"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else "(unreadable)"


def tombstoned(connection: Connection) -> list[str]:
    """List the ids in the journal that no memory has."""
    query = (
        "select distinct memory_id from journal"
        " where not exists (select 1 from memory where memory.id = journal.memory_id)"
    )
    return [row[0] for row in connection.execute(query)]


def _record(text: str | None, memory_id: str, agent_id: str, revision: str | None) -> MemoryRecord | None:
    if text is None:
        return None
    check_text("version", text)
    return version_of(text, memory_id, agent_id=agent_id, revision=revision or "")


def purged(connection: Connection, context: ReadContext) -> list[MemoryRecord]:
    """List the last versions of memories that are gone and whose text is still in the journal."""
    cursor = connection.execute(
        "select before, memory_id, parent_id, max(seq) from journal"
        " where after is null and before is not null"
        " and not exists (select 1 from memory where memory.id = journal.memory_id)"
        " group by memory_id order by max(seq)"
    )
    result = []
    for before, memory_id, parent_id, _ in cursor:
        try:
            result.append(version_of(before, memory_id, agent_id=context.agent_id, revision=parent_id or ""))
        except UNREADABLE as error:
            context.damaged.meet(f"the last change of memory {_shown(memory_id)}", _why(error))
    return result


def end(connection: Connection) -> int:
    """Return the number of the last entry."""
    return int(connection.execute("select coalesce(max(seq), 0) from journal").fetchone()[0])


def changed_since(connection: Connection, position: int) -> tuple[list[str], int]:
    """List the memories with an entry behind a number, in the order of the first, and the number of the last."""
    query = (
        "select memory_id, min(seq), max(seq) from journal where seq > ? group by memory_id order by min(seq)"
    )
    fetched = connection.execute(query, (position,)).fetchall()
    return [row[0] for row in fetched if isinstance(row[0], str)], max(
        (row[2] for row in fetched), default=position
    )


def operations(connection: Connection, context: ReadContext, limit: int) -> list[OperationRecord]:
    """List operations that changed something, newest first."""
    cursor = connection.execute(
        "select id, verb, actor, session, started_at,"
        " (select count(distinct memory_id) from journal where journal.operation = operation.seq),"
        " (select max(later.id) from operation as later where later.undoes = operation.id)"
        " from operation order by seq desc limit ?",
        (limit,),
    )
    result = []
    for row in cursor:
        try:
            for name, value in zip(("id", "verb", "actor", "session"), row, strict=False):
                if not isinstance(value, str) and (value is not None or name in ("id", "verb")):
                    raise UnreadableError(f"its {name} is no text")
                check_text(name, value)
            result.append(
                OperationRecord(
                    id=row[0],
                    verb=row[1],
                    actor=row[2],
                    session=row[3],
                    started_at=moment("time", row[4]),
                    changes=row[5],
                    undone_by=row[6],
                )
            )
        except UnreadableError as error:
            context.damaged.meet(f"operation {_shown(row[0])}", str(error))
    return result
