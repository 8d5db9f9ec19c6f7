"""Records to rows and back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from agent_memory.records import (
    LATER_FIELDS,
    OWN_FIELDS,
    RECORD_CLASSES,
    MemoryRecord,
    MemoryType,
    OwnField,
    Status,
    canonical_json,
)
from agent_memory.storage.damage import Damaged
from agent_memory.text.analysis import analyse
from agent_memory.text.porter import stem
from agent_memory.text.templates import content_hash, embedded_text, embedding_hash, indexed_text

_KINDS = {"text": "text", "integer": "int8", "real": "float8", "boolean": "bool", "json": "text"}
_LATER_TYPES = {**_KINDS, "integer": "int4"}
MEMORY: Mapping[str, str] = {
    "agent": "int8",
    "place": "int8",
    "id": "text",
    "type": "text",
    "content": "text",
    "importance": "float8",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "occurred_at": "timestamptz",
    "expires_at": "timestamptz",
    "key": "text",
    "source": "text",
    "session": "text",
    "status": "text",
    "pinned": "bool",
    "metadata": "text",
    "facts": "jsonb",
    "content_hash": "bytea",
    "embedded_hash": "bytea",
    "revision": "text",
    **{name: _LATER_TYPES[kind] for name, kind in LATER_FIELDS.items()},
    "length": "int4",
    "lexemes": "tsvector",
}
"""The columns of `memory` with their types."""
JOURNAL: Mapping[str, str] = {
    "agent": "int8",
    "hlc": "int8",
    "change_id": "text",
    "parent_id": "text",
    "operation": "text",
    "memory_id": "text",
    "verb": "text",
    "before": "text",
    "after": "text",
    "at": "timestamptz",
}
"""The columns of `journal` with their types."""
OWN: Mapping[MemoryType, Mapping[str, str]] = {
    kind: {"agent": "int8", "memory": "int8", **{own.name: _KINDS[own.kind] for own in fields}}
    for kind, fields in OWN_FIELDS.items()
}
"""The columns of the types' own tables."""

# A subquery names the agent's number itself: distributed tables can be asked only for an agent that is known.
_AGENT = "{agent}"
_OF_OWN = f"select row_to_json(own) from {{0}} as own where own.agent = {_AGENT} and own.memory = m.place"
_OWN_JSON = " ".join(f"when '{kind}' then ({_OF_OWN.replace('{0}', kind.value)})" for kind in MemoryType)
_TAGS = f"array(select tag from memory_tag as t where t.agent = {_AGENT} and t.memory = m.place order by tag)"
FROM = "memory as m left join usage as u on u.agent = m.agent and u.memory = m.place"
_READ: Mapping[str, str] = {
    "place": "m.place",
    **{
        name: f"m.{name}"
        for name in (
            *("id", "type", "content", "importance", "created_at", "updated_at", "occurred_at", "expires_at"),
            *("key", "source", "session", "status", "pinned", "metadata", "revision"),
            *LATER_FIELDS,
        )
    },
    "tags": _TAGS,
    "own": f"case m.type {_OWN_JSON} end",
    "accessed_at": "u.accessed_at",
    "access_count": "u.access_count",
}
"""What is read of a memory, by name."""
_COLUMNS = f"select {', '.join(_READ.values())}"


def columns(agent: int) -> str:
    """Write the beginning of a query that reads whole memories of an agent, without the tables."""
    return _COLUMNS.replace(_AGENT, str(agent))


def select(agent: int) -> str:
    """Write a query that reads whole memories, each row beginning with its sequence number; see `records`."""
    return f"{columns(agent)} from {FROM}"


MOST_POSITIONS = 255
"""How often a word counts in one memory at most: a tsvector holds no more positions of it."""
_MOST_BYTES = 900_000
"""A tsvector may take a megabyte; words beyond are not found, which no text below that size has."""


class Words(NamedTuple):
    """What the full-text index keeps of a memory."""

    stems: Mapping[str, int]
    length: int
    """All words, whether or not they could be kept."""


class Totals:
    """How the word statistics of an agent change."""

    def __init__(self) -> None:
        self.documents = 0
        self.length = 0
        self.terms: Counter[str] = Counter()

    def add(self, words: Words) -> None:
        """Count in the words of one memory more."""
        self.documents += 1
        self.length += words.length
        self.terms.update(words.stems.keys())

    def remove(self, words: Words) -> None:
        """Count out the words of a memory."""
        self.documents -= 1
        self.length -= words.length
        self.terms.subtract(words.stems.keys())


def indexed_words(lexemes: Sequence[str], length: int) -> Words:
    """Return the words that a memory is indexed by, as `tsvector_to_array` lists them; how often each is not told."""
    return Words(dict.fromkeys((item.partition("/")[2] for item in lexemes), 1), length)


def words_of(record: MemoryRecord) -> Words:
    """Count the stems of a memory's words."""
    stems = list(map(stem, analyse(indexed_text(record))))
    counted: Counter[str] = Counter()
    size = 0
    for item, count in Counter(stems).items():
        size += len(item.encode()) + 2 * min(count, MOST_POSITIONS) + 16
        if size > _MOST_BYTES:
            break
        counted[item] = min(count, MOST_POSITIONS)
    return Words(counted, len(stems))


def lexeme(agent: int, word: str) -> str:
    """Return the lexeme of a stem: the agent stands in it, so that one index serves all of them apart."""
    return f"{agent}/{word}"


def quoted(text: str) -> str:
    """Write a lexeme so that nothing in it is an operator, in a tsvector or a tsquery."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def tsvector(agent: int, stems: Mapping[str, int]) -> str:
    """Write stems as a tsvector with as many positions as each occurs; the positions mean nothing else."""
    return " ".join(
        quoted(lexeme(agent, item)) + ":" + ",".join(map(str, range(1, count + 1)))
        for item, count in stems.items()
    )


def facts(metadata: Mapping[str, Any]) -> str:
    """Return the scalars of the metadata as JSON in which numbers are written out exactly.

    Lists and objects are there as an empty object: they match nothing but `exists`.
    """
    parts = []
    for name, value in metadata.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            text = json.dumps(value) if isinstance(value, bool) else "{}"
        else:
            text = storable(value) if isinstance(value, str) else str(number(value))
        parts.append(f"{storable(name)}:{text}")
    return "{" + ",".join(parts) + "}"


def storable(text: str) -> str:
    """Return a text as JSON that a jsonb can hold: no NUL."""
    return json.dumps(text.replace("\0", "\ue000"), ensure_ascii=False)


def number(value: float) -> str:
    """Write a number out exactly, as the binary fraction that it is."""
    return str(value) if isinstance(value, int) else format(Decimal(value), "f")


def memory_row(agent: int, sequence: int, record: MemoryRecord, words: Words) -> list[Any]:
    """Return the values of `MEMORY`."""
    values = {
        "agent": agent,
        "place": sequence,
        "id": record.id,
        "type": record.memory_type.value,
        "content": record.content,
        "importance": float(record.importance),
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "occurred_at": record.occurred_at,
        "expires_at": record.expires_at,
        "key": record.key,
        "source": record.source,
        "session": record.session,
        "status": record.status.value,
        "pinned": record.pinned,
        "metadata": canonical_json(record.metadata),
        "facts": facts(record.metadata),
        "content_hash": content_hash(record),
        "embedded_hash": embedding_hash(embedded_text(record)),
        "revision": record.revision,
        **{name: getattr(record, name) for name in LATER_FIELDS},
        "length": words.length,
        "lexemes": tsvector(agent, words.stems),
    }
    return [values[name] for name in MEMORY]


def own_row(agent: int, sequence: int, record: MemoryRecord) -> list[Any]:
    """Return the values of a type's own columns."""
    row: list[Any] = [agent, sequence]
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        if own.kind == "json":
            value = None if value is None or value == () else canonical_json(value)
        elif own.kind == "real" and value is not None:
            value = float(value)
        row.append(value)
    return row


def records(fetched: Iterable[Sequence[Any]], agent_id: str, damaged: Damaged) -> list[MemoryRecord]:
    """Make records of rows that a query by `select` read, in their order; what cannot be read goes to `damaged`."""
    return list(by_place(fetched, agent_id, damaged).values())


def by_place(fetched: Iterable[Sequence[Any]], agent_id: str, damaged: Damaged) -> dict[int, MemoryRecord]:
    """Do what `records` does, and keep the sequence number beside each."""
    result: dict[int, MemoryRecord] = {}
    for row in fetched:
        values: Mapping[str, Any] = dict(zip(_READ, row, strict=True))
        try:
            result[values["place"]] = _record(values, agent_id)
        except (TypeError, ValueError, KeyError) as error:
            why = f"its row in {values['type']} is missing" if values["own"] is None else str(error)
            damaged.meet(f"memory {values['id']}", why)
    return result


def _metadata(text: str) -> dict[str, Any]:
    try:
        loaded = json.loads(text)
    except ValueError as error:
        raise ValueError("its metadata is no JSON") from error
    if not isinstance(loaded, dict):
        raise TypeError("its metadata is no JSON object")
    return loaded


def _record(values: Mapping[str, Any], agent_id: str) -> MemoryRecord:
    memory_type = MemoryType(values["type"])
    own = {
        field.name: _own_value(field, value)
        for field in OWN_FIELDS[memory_type]
        if (value := values["own"][field.name]) is not None
    }
    return RECORD_CLASSES[memory_type](
        id=values["id"],
        content=values["content"],
        importance=values["importance"],
        created_at=values["created_at"],
        updated_at=values["updated_at"],
        occurred_at=values["occurred_at"],
        expires_at=values["expires_at"],
        key=values["key"],
        source=values["source"],
        session=values["session"],
        status=Status(values["status"]),
        pinned=values["pinned"],
        metadata=_metadata(values["metadata"]),
        revision=values["revision"],
        tags=tuple(values["tags"]),
        accessed_at=values["accessed_at"],
        access_count=values["access_count"] or 0,
        **{name: values[name] for name in LATER_FIELDS},
        agent_id=agent_id,
        **own,
    )


def _own_value(field: OwnField, value: Any) -> Any:
    if field.kind == "json":
        loaded = json.loads(value)
        return tuple(loaded) if field.is_tuple else loaded
    return float(value) if field.kind == "real" else value
