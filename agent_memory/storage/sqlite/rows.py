"""Records to rows and back, made from what `records` says of each type's fields."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

from agent_memory import clock
from agent_memory.records import (
    LATER_FIELDS,
    OWN_FIELDS,
    RECORD_CLASSES,
    TYPE_NAMES,
    MemoryRecord,
    MemoryType,
    Status,
    canonical_json,
    version_from_dict,
)
from agent_memory.storage.changes import JournalEntry
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import damage
from agent_memory.storage.sqlite.damage import UnreadableError
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.text.templates import ContentHash, TextHash, content_hash, embedded_text, embedding_hash


class BaseRow(NamedTuple):
    """A row of the base table, `memory`, as a record makes it; the fields are the columns, in their order."""

    id: str
    type: str
    content: str
    importance: float
    created_at: str
    updated_at: str | None
    occurred_at: str | None
    expires_at: str | None
    key: str | None
    source: str | None
    session: str | None
    status: str
    pinned: int
    metadata: str
    content_hash: ContentHash
    embedded_hash: TextHash
    revision: str
    later: tuple[str | float | None, ...]
    """The values of `LATER_FIELDS`."""

    def values(self) -> tuple[Any, ...]:
        """Return the values of `BASE_COLUMNS`."""
        return (*self[:-1], *self.later)


_FIRST_COLUMNS = BaseRow._fields[:-1]
BASE_COLUMNS = (*_FIRST_COLUMNS, *LATER_FIELDS)
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "float": (float, int),
}
_LATER_TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str, type(None)),
    "integer": (int, type(None)),
    "real": (float, int, type(None)),
    "boolean": (int, type(None)),
}
_KINDS: Mapping[str, tuple[type, ...]] = {
    **{
        name: _PYTHON_TYPES[declared.__forward_arg__]
        for name, declared in BaseRow.__annotations__.items()
        if declared.__forward_arg__ in _PYTHON_TYPES
    },
    **{name: _LATER_TYPES[kind] for name, kind in LATER_FIELDS.items()},
}
"""What may stand in a column; of a hash it is not checked."""
_later_values = attrgetter(*LATER_FIELDS)
Row = Mapping[str, Any]
"""A memory that `SELECT` read, by the names of `READ`."""
READ = ("pk", *BASE_COLUMNS, "tags", "accessed_at", "access_count", "checksum")
"""What a row that was read holds; the checksum, last, only where it was asked for."""
# A subquery per memory that has tags; an aggregate over a join would need a sort.
TAGS = "(select json_group_array(cast(tag as text)) from memory_tag where memory_tag.memory = memory.pk)"
_FROM = "from memory left join usage on usage.memory = memory.pk"
_READ = ", ".join(
    (
        *(f"memory.{name}" for name in ("pk", *BASE_COLUMNS)),
        f"{TAGS} as tags",
        "usage.accessed_at",
        "usage.access_count",
    )
)
SELECT = f"select {_READ} {_FROM}"
"""Reads whole base table rows; `records` makes records of them."""
SELECT_WITH_CHECKSUM = f"select {_READ}, memory.checksum {_FROM}"
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


def base_row(record: MemoryRecord) -> BaseRow:
    """Return the row of the base table that a record makes."""
    to_text = clock.to_text
    created = to_text(record.created_at)
    return BaseRow(
        id=record.id,
        type=TYPE_NAMES[type(record)],
        content=record.content,
        importance=float(record.importance),
        created_at=created,
        updated_at=None if record.updated_at == record.created_at else to_text(record.updated_at),
        occurred_at=None if record.occurred_at is None else to_text(record.occurred_at),
        expires_at=None if record.expires_at is None else to_text(record.expires_at),
        key=record.key,
        source=record.source,
        session=record.session,
        status=record.status.value,
        pinned=int(record.pinned),
        metadata=canonical_json(record.metadata) if record.metadata else "{}",
        content_hash=content_hash(record),
        embedded_hash=embedding_hash(embedded_text(record)),
        revision=record.revision,
        later=tuple(map(_later, _later_values(record))),
    )


def _later(value: Any) -> Any:
    """Return what stands in a later column: nothing for no, as in the rows that were there before it."""
    if isinstance(value, bool):
        return 1 if value else None
    return value


def base_row_of(row: Row) -> BaseRow:
    """Return the base table's part of a row that was read."""
    return BaseRow(
        **{name: row[name] for name in _FIRST_COLUMNS}, later=tuple(row[name] for name in LATER_FIELDS)
    )


def base_checksum(row: BaseRow, tags: Sequence[str]) -> bytes:
    """Return the checksum of a base table row; the tags, which have a table of their own, are covered by it.

    Where the later columns hold nothing, it is the checksum that the row had before they came.
    """
    named = zip(LATER_FIELDS, row.later, strict=True)
    later = [f"{name}={value}" for name, value in named if value is not None]
    return checksum([*row[:-1], *sorted(tags), *later])


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
) -> list[tuple[Row, MemoryRecord]]:
    """Do what `records` does, and keep the rows beside what was made of them."""
    fetched = list(rows)
    named_rows = [dict(zip(READ, values, strict=False)) for values in fetched]
    own = _own_values(connection, named_rows)
    as_usual = connection.text_factory is str  # else something in the file is no UTF-8
    result: list[tuple[Row, MemoryRecord]] = []
    for values, row in zip(fetched, named_rows, strict=True):
        try:
            checked = values[: len(_CHECKED)]
            classes = tuple(map(type, checked))
            if not as_usual or classes not in _seen_classes:
                damage.check_kinds(_KINDS, _CHECKED, tuple(checked))
                _seen_classes.add(classes)
            result.append((row, _record(row, own, agent_id)))
        except ValueError as error:
            damaged.meet(name_of(row), str(error))
    return result


_CHECKED = ("pk", *BASE_COLUMNS)
"""The first columns of a row that is read."""
_seen_classes: set[tuple[type, ...]] = set()
"""Which classes of values sound rows have held so far: most rows look alike, and asking a set is all they cost."""


def name_of(row: Row) -> str:
    """Name a row that was read: by its id, or by its key where the id cannot be read either."""
    memory_id = row["id"]
    printable = isinstance(memory_id, str) and memory_id.isascii() and memory_id.isprintable()
    return f"memory {memory_id}" if printable else f"the memory in row {row['pk']}"


def _own_values(connection: Connection, rows: Sequence[Row]) -> Mapping[int, Row]:
    """Read the rows of the types' own tables as they are: values by name, by the key of the memory."""
    by_type: dict[str, list[int]] = {}
    for row in rows:
        by_type.setdefault(row["type"], []).append(row["pk"])
    result: dict[int, Row] = {}
    for name, keys in by_type.items():
        if name not in _TYPES:
            continue
        columns = ("memory", *(own.name for own in OWN_FIELDS[MemoryType(name)]))
        query = f"select {', '.join(columns)} from {name} where memory in (select value from json_each(?))"
        for values in connection.execute(query, (json.dumps(keys),)):
            result[values[0]] = dict(zip(columns, values, strict=True))
    return result


_TYPES = frozenset(kind.value for kind in MemoryType)


def _record(row: Row, own: Mapping[int, Row], agent_id: str) -> MemoryRecord:
    """Make one record.

    Returns:
        The record.

    Raises:
        UnreadableError: a value is not what its column holds.
    """
    if row["type"] not in _TYPES:
        raise UnreadableError("its type is none of the six")
    if row["status"] not in _STATUSES:
        raise UnreadableError("its status is none of the three")
    if not 0.0 <= row["importance"] <= 1.0:
        raise UnreadableError("its importance is not in [0, 1]")
    values = own.get(row["pk"])
    if values is None:
        raise UnreadableError(f"its row in {row['type']} is missing")
    made = damage.moment("created_at", row["created_at"])

    def moment(name: str) -> datetime | None:
        return None if row[name] is None else damage.moment(name, row[name])

    accessed, count = _usage(row["accessed_at"], row["access_count"])
    memory_type = MemoryType(row["type"])
    return RECORD_CLASSES[memory_type](
        id=row["id"],
        content=row["content"],
        importance=row["importance"],
        created_at=made,
        updated_at=moment("updated_at") or made,
        occurred_at=moment("occurred_at"),
        expires_at=moment("expires_at"),
        key=row["key"],
        source=row["source"],
        session=row["session"],
        status=_STATUSES[row["status"]],
        pinned=bool(row["pinned"]),
        metadata={} if row["metadata"] == "{}" else damage.mapping("metadata", row["metadata"]),
        revision=row["revision"],
        **_later_fields(row),
        tags=() if row["tags"] == "[]" else tuple(sorted(damage.texts("tags", row["tags"]))),
        accessed_at=accessed,
        access_count=count,
        agent_id=agent_id,
        **{
            field.name: damage.own_value(field.name, field.kind, value)
            for field in OWN_FIELDS[memory_type]
            if (value := values[field.name]) is not None
        },
    )


def _later_fields(row: Row) -> dict[str, Any]:
    return {name: bool(row[name]) if kind == "boolean" else row[name] for name, kind in LATER_FIELDS.items()}


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

    Returns:
        The JSON without the id; None stays None.
    """
    return None if version is None else version.replace(f'"id":"{memory_id}",', "", 1)


def version_of(text: str, memory_id: str, **beside: Any) -> MemoryRecord:
    """Make a record of a version in the journal."""
    return version_from_dict({**json.loads(text), "id": memory_id}, **beside)


def embedded_hash_of(text: str, memory_id: str) -> TextHash:
    """Return the hash of the text that was embedded for a version in the journal."""
    return embedding_hash(embedded_text(version_of(text, memory_id)))
