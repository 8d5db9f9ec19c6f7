"""Records to rows and back, made from what `records` says of each type's fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from agent_memory import clock
from agent_memory.records import (
    OWN_FIELDS,
    RECORD_CLASSES,
    TYPE_NAMES,
    MemoryRecord,
    MemoryType,
    OwnField,
    Status,
    canonical_json,
    version_from_dict,
)
from agent_memory.storage.changes import JournalEntry
from agent_memory.storage.sqlite import damage
from agent_memory.storage.sqlite.damage import Damaged, UnreadableError
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.text.templates import content_hash, embedded_text, embedding_hash

BASE_COLUMNS = (
    *("id", "type", "content", "importance", "created_at", "updated_at", "occurred_at", "expires_at", "key"),
    *("source", "session", "status", "pinned", "metadata", "content_hash", "embedded_hash", "revision"),
    *("utc_offset", "session_given", "ttl_given"),
)
_FIRST = BASE_COLUMNS.index("utc_offset")
"""Columns from here on came later. Where they say nothing, a row has the checksum that it had without them."""
HASH = BASE_COLUMNS.index("embedded_hash")
_READ = "memory.pk, " + ", ".join(f"memory.{name}" for name in BASE_COLUMNS)
# A subquery per memory that has tags; an aggregate over a join would need a sort.
TAGS = "(select json_group_array(cast(tag as text)) from memory_tag where memory_tag.memory = memory.pk)"
SELECT = (
    f"select {_READ}, {TAGS} as tags, usage.accessed_at, usage.access_count "
    "from memory left join usage on usage.memory = memory.pk"
)
"""Reads whole base table rows; `records` makes records of them."""
_COLUMN_INDEX = {
    name: position
    for position, name in enumerate(("pk", *BASE_COLUMNS, "tags", "accessed_at", "access_count"))
}
"""Where in such a row each column stands."""
HAPPENED = "coalesce(memory.occurred_at, memory.created_at)"
CREATED = "memory.created_at"
"""Text of fixed width: it orders as the time does."""
UPDATED = "coalesce(memory.updated_at, memory.created_at)"

MEMORY = ("pk", *BASE_COLUMNS, "checksum", "embedded_in")
_SET = ", ".join(f"{name} = ?" for name in BASE_COLUMNS)
UPDATE_MEMORY = f"update memory set {_SET}, checksum = ?, embedded_in = ? where pk = ?"
OWN = {kind: ("memory", *(own.name for own in fields), "checksum") for kind, fields in OWN_FIELDS.items()}


def checksum(values: Sequence[Any]) -> bytes:
    """Return 8 bytes that change when any of the values does: BLAKE2b over their text, each ended by a NUL.

    None is the character 1, a BLOB hexadecimal, a number as Python writes it.
    """
    parts = [
        value
        if value.__class__ is str
        else "\x01"
        if value is None
        else value.hex()
        if value.__class__ is bytes
        else repr(value)
        for value in values
    ]
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()


def base_row(record: MemoryRecord) -> list[Any]:
    """Return the values of `SPINE`."""
    to_text = clock.to_text
    created = to_text(record.created_at)
    return [
        record.id,
        TYPE_NAMES[type(record)],
        record.content,
        float(record.importance),
        created,
        None if record.updated_at == record.created_at else to_text(record.updated_at),
        None if record.occurred_at is None else to_text(record.occurred_at),
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
        record.utc_offset,
        1 if record.session_given else None,
        1 if record.ttl_given else None,
    ]


def base_checksum(row: Sequence[Any], tags: Sequence[str]) -> bytes:
    """Return the checksum of a base table row; the tags, which have a table of their own, are covered by it."""
    later = [
        f"{name}={value}"
        for name, value in zip(BASE_COLUMNS[_FIRST:], row[_FIRST:], strict=True)
        if value is not None
    ]
    return checksum([*row[:_FIRST], *sorted(tags), *later])


def own_checksum(kind: MemoryType, row: Sequence[Any]) -> bytes:
    """Return the checksum of the values of a type's own columns."""
    return checksum(
        [
            value
            for own, value in zip(OWN_FIELDS[kind], row, strict=True)
            if value is not None or not own.later
        ]
    )


# As the column gives it back: a checksum must not depend on whether 5 or 5.0 was given.
_STORED_AS: Mapping[str, Callable[[Any], Any]] = {"boolean": int, "integer": int, "real": float}


def own_row(record: MemoryRecord) -> list[Any]:
    """Return the values of a type's own columns."""
    row = []
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        if own.kind == "json":
            value = None if value is None or value == () else canonical_json(value)
        elif value is not None and own.kind in _STORED_AS:
            value = _STORED_AS[own.kind](value)
        row.append(value)
    return row


def records(
    connection: Connection, rows: Iterable[Sequence[Any]], agent_id: str, damaged: Damaged
) -> list[MemoryRecord]:
    """Make records of rows that `SELECT` read, in their order; what cannot be read goes to `damaged`."""
    return [record for _, record in readable(connection, rows, agent_id, damaged)]


def readable(
    connection: Connection, rows: Iterable[Sequence[Any]], agent_id: str, damaged: Damaged
) -> list[tuple[Sequence[Any], MemoryRecord]]:
    """Do what `records` does, and keep the rows beside what was made of them."""
    found = list(rows)
    own = _own_values(connection, found)
    as_usual = connection.text_factory is str  # else something in the file is no UTF-8
    result = []
    for row in found:
        try:
            kinds = tuple(map(type, row[: len(_COLUMNS)]))
            if not as_usual or kinds not in _seen_kinds:
                damage.check_kinds(_COLUMNS, tuple(row[: len(_COLUMNS)]))
                _seen_kinds.add(kinds)
            result.append((row, _record(row, own, agent_id)))
        except ValueError as error:
            damaged.meet(name_of(row), str(error))
    return result


_COLUMNS = ("pk", *BASE_COLUMNS)
_seen_kinds: set[tuple[type, ...]] = set()
"""Which types of values sound rows have held so far: most rows look alike, and asking a set is all they cost."""


def name_of(row: Sequence[Any]) -> str:
    """Name a row that `SELECT` read: by its id, or by its key where the id cannot be read either."""
    memory_id = row[1]
    printable = isinstance(memory_id, str) and memory_id.isascii() and memory_id.isprintable()
    return f"memory {memory_id}" if printable else f"the memory in row {row[0]}"


_Own = dict[int, tuple[tuple[OwnField, ...], Sequence[Any]]]


def _own_values(connection: Connection, rows: Sequence[Sequence[Any]]) -> _Own:
    """Read the rows of the types' own tables as they are: fields and values, by the key of the memory."""
    by_type: dict[str, list[int]] = {}
    for row in rows:
        by_type.setdefault(row[2], []).append(row[0])
    result: _Own = {}
    for name, keys in by_type.items():
        if name not in _TYPES:
            continue
        fields = OWN_FIELDS[MemoryType(name)]
        columns = ", ".join(own.name for own in fields)
        query = f"select memory, {columns} from {name} where memory in (select value from json_each(?))"
        for key, *values in connection.execute(query, (json.dumps(keys),)):
            result[key] = fields, values
    return result


_TYPES = frozenset(kind.value for kind in MemoryType)


def _record(row: Sequence[Any], own: _Own, agent_id: str) -> MemoryRecord:
    """Make one record.

    Raises:
        UnreadableError: a value is not what its column holds.
    """
    column = {name: row[position] for name, position in _COLUMN_INDEX.items()}
    if column["type"] not in _TYPES:
        raise UnreadableError("its type is none of the six")
    if column["status"] not in _STATUSES:
        raise UnreadableError("its status is none of the three")
    if not 0.0 <= column["importance"] <= 1.0:
        raise UnreadableError("its importance is not in [0, 1]")
    if row[0] not in own:
        raise UnreadableError(f"its row in {column['type']} is missing")
    made = damage.moment("created_at", column["created_at"])

    def moment(name: str) -> datetime | None:
        return None if column[name] is None else damage.moment(name, column[name])

    accessed, count = _usage(column["accessed_at"], column["access_count"])
    return RECORD_CLASSES[MemoryType(column["type"])](
        id=column["id"],
        content=column["content"],
        importance=column["importance"],
        created_at=made,
        updated_at=moment("updated_at") or made,
        occurred_at=moment("occurred_at"),
        expires_at=moment("expires_at"),
        key=column["key"],
        source=column["source"],
        session=column["session"],
        status=_STATUSES[column["status"]],
        pinned=bool(column["pinned"]),
        metadata={} if column["metadata"] == "{}" else damage.mapping("metadata", column["metadata"]),
        revision=column["revision"],
        utc_offset=column["utc_offset"],
        session_given=bool(column["session_given"]),
        ttl_given=bool(column["ttl_given"]),
        tags=() if column["tags"] == "[]" else tuple(sorted(damage.texts("tags", column["tags"]))),
        accessed_at=accessed,
        access_count=count,
        agent_id=agent_id,
        **{
            item.name: damage.own_value(item.name, item.kind, value)
            for item, value in zip(*own[row[0]], strict=True)
            if value is not None
        },
    )


_STATUSES = {status.value: status for status in Status}


def _usage(accessed: Any, count: Any) -> tuple[datetime | None, int]:
    """Read when and how often a memory was accessed; what is damaged there is not worth leaving a memory out."""
    if accessed is None:
        return None, 0
    try:
        return damage.moment("accessed_at", accessed), count if isinstance(count, int) else 0
    except UnreadableError:
        return None, 0


# --- the journal -----------------------------------------------------------------------------------------------

OF_MEMORY = "substr(memory_id, 1, 6) = substr(:id, 1, 6) and memory_id = :id"
"""Journal entries of one memory. The index holds the beginnings of ids, which fit few others."""
JOURNAL = ("at", "change_id", "parent_id", "hlc", "operation", "memory_id", "verb", "before", "after")


def journal_columns(connection: Connection) -> str:
    """Return `JOURNAL` for a query; a read-only file of the first version has no times of their own yet."""
    first = connection.execute("pragma user_version").fetchone()[0] < 2
    return ", ".join("null as at" if first and name == "at" else f"journal.{name}" for name in JOURNAL)


def journal_row(entry: JournalEntry, operation: int) -> tuple[Any, ...]:
    """Return the values of `JOURNAL`; `operation` is the key of the operation's row."""
    return (
        None if entry.at is None else clock.to_text(entry.at),
        entry.change_id,
        entry.parent_id,
        entry.hlc,
        operation,
        entry.memory_id,
        entry.verb,
        _without_id(entry.before, entry.memory_id),
        _without_id(entry.after, entry.memory_id),
    )


def journal_checksum(row: Sequence[Any]) -> bytes:
    """Return the checksum of the values of `JOURNAL`; a time that is not there does not count.

    So the entries of the first version, which had none, keep theirs.
    """
    return checksum(row if row[0] is not None else row[1:])


def _without_id(version: str | None, memory_id: str) -> str | None:
    """Leave the id out of a version's JSON: it stands in a column beside it.

    The keys of canonical JSON are sorted, and none before `id` holds an object: the first match is the id.
    """
    return None if version is None else version.replace(f'"id":"{memory_id}",', "", 1)


def version_of(text: str, memory_id: str, **beside: Any) -> MemoryRecord:
    """Make a record of a version in the journal."""
    return version_from_dict({**json.loads(text), "id": memory_id}, **beside)


def embedded_hash_of(text: str, memory_id: str) -> bytes:
    """Return the hash of the text that was embedded for a version in the journal."""
    return embedding_hash(embedded_text(version_of(text, memory_id)))
