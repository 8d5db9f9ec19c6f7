"""Records to rows and back, made from what `records` says of each type's fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent_memory import clock
from agent_memory.records import (
    OWN_FIELDS,
    RECORD_CLASSES,
    TUPLE_FIELDS,
    MemoryRecord,
    MemoryType,
    Status,
    canonical_json,
    version_from_dict,
)
from agent_memory.storage.changes import JournalEntry
from agent_memory.storage.interim.driver import Connection
from agent_memory.text.templates import content_hash, embedded_text, embedding_hash

SPINE = (
    *(
        "id",
        "type",
        "content",
        "importance",
        "created_at",
        "updated_at",
        "occurred_at",
        "happened_at",
        "expires_at",
    ),
    *(
        "key",
        "source",
        "session",
        "status",
        "pinned",
        "metadata",
        "content_hash",
        "embedded_hash",
        "revision",
    ),
)
_READ = "pk, " + ", ".join(f"memory.{name}" for name in SPINE)
_TAGS = "(select group_concat(tag, char(31)) from memory_tag where memory_tag.memory = memory.pk)"
SELECT = (
    f"select {_READ}, {_TAGS} as tags, usage.accessed_at, usage.access_count "
    "from memory left join usage on usage.memory = memory.pk"
)
"""Reads whole spine rows; `records` makes records of them."""

INSERT_MEMORY = (
    f"insert into memory (pk, {', '.join(SPINE)}, checksum, embedded_in) "
    f"values ({', '.join('?' * (len(SPINE) + 3))})"
)
_SET = ", ".join(f"{name} = ?" for name in SPINE)
UPDATE_MEMORY = f"update memory set {_SET}, checksum = ?, embedded_in = ? where pk = ?"
INSERT_OWN = {
    kind: f"insert or replace into {kind} (memory, {', '.join(own.name for own in fields)}, checksum) "
    f"values ({', '.join('?' * (len(fields) + 2))})"
    for kind, fields in OWN_FIELDS.items()
}


def checksum(values: Sequence[Any]) -> bytes:
    """Return 8 bytes that change when any of the values does."""
    return hashlib.blake2b(repr(tuple(values)).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def spine_row(record: MemoryRecord) -> list[Any]:
    """Return the values of `SPINE`."""
    to_text = clock.to_text
    occurred = record.occurred_at
    created = to_text(record.created_at)
    happened = created if occurred is None else to_text(occurred)
    return [
        record.id,
        record.memory_type.value,
        record.content,
        record.importance,
        created,
        created if record.updated_at is record.created_at else to_text(record.updated_at),
        None if occurred is None else happened,
        happened,
        None if record.expires_at is None else to_text(record.expires_at),
        record.key,
        record.source,
        record.session,
        record.status.value,
        int(record.pinned),
        canonical_json(record.metadata) if record.metadata else "{}",
        content_hash(record),
        embedding_hash(embedded_text(record)),
        record.revision,
    ]


def own_row(record: MemoryRecord) -> list[Any]:
    """Return the values of a type's own columns."""
    row = []
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        if own.kind == "json":
            value = None if value is None or value == () else canonical_json(value)
        elif own.kind == "boolean" and value is not None:
            value = int(value)
        row.append(value)
    return row


def records(connection: Connection, rows: Iterable[Sequence[Any]], agent_id: str) -> list[MemoryRecord]:
    """Make records of rows that `SELECT` read, in their order."""
    found = list(rows)
    own = _own_values(connection, found)
    return [_record(row, own[row[0]], agent_id) for row in found]


def _own_values(connection: Connection, rows: Sequence[Sequence[Any]]) -> dict[int, dict[str, Any]]:
    by_type: dict[str, list[int]] = {}
    for row in rows:
        by_type.setdefault(row[2], []).append(row[0])
    result: dict[int, dict[str, Any]] = {}
    for name, keys in by_type.items():
        fields = OWN_FIELDS[MemoryType(name)]
        columns = ", ".join(own.name for own in fields)
        query = f"select memory, {columns} from {name} where memory in (select value from json_each(?))"
        for key, *values in connection.execute(query, (json.dumps(keys),)):
            result[key] = {
                own.name: _own_value(own.name, own.kind, value)
                for own, value in zip(fields, values, strict=True)
                if value is not None
            }
    return result


def _own_value(name: str, kind: str, value: Any) -> Any:
    if kind == "json":
        loaded = json.loads(value)
        return tuple(loaded) if name in TUPLE_FIELDS else loaded
    return bool(value) if kind == "boolean" else value


def _record(row: Sequence[Any], own: Mapping[str, Any], agent_id: str) -> MemoryRecord:
    from_text = clock.from_text
    created, updated, occurred, expires, accessed = row[5], row[6], row[7], row[9], row[20]
    made = from_text(created)
    return RECORD_CLASSES[MemoryType(row[2])](
        id=row[1],
        content=row[3],
        importance=row[4],
        created_at=made,
        updated_at=made if updated == created else from_text(updated),
        occurred_at=None if occurred is None else from_text(occurred),
        expires_at=None if expires is None else from_text(expires),
        key=row[10],
        source=row[11],
        session=row[12],
        status=Status(row[13]),
        pinned=bool(row[14]),
        metadata={} if row[15] == "{}" else json.loads(row[15]),
        revision=row[18],
        tags=() if row[19] is None else tuple(sorted(row[19].split("\x1f"))),
        accessed_at=None if accessed is None else from_text(accessed),
        access_count=row[21] or 0,
        agent_id=agent_id,
        **own,
    )


# --- the journal -----------------------------------------------------------------------------------------------

JOURNAL = ("change_id", "parent_id", "hlc", "operation_id", "memory_id", "verb", "before", "after")


def journal_row(entry: JournalEntry) -> tuple[Any, ...]:
    """Return the values of `JOURNAL`."""
    return (
        entry.change_id,
        entry.parent_id,
        entry.hlc,
        entry.operation_id,
        entry.memory_id,
        entry.verb,
        entry.before,
        entry.after,
    )


def embedded_hash_of(version: str) -> bytes:
    """Return the hash of the text that was embedded for a version in the journal."""
    return embedding_hash(embedded_text(version_from_dict(json.loads(version))))
