"""Memories in the order in which they were stored, and what finds them without looking at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agent_memory.records import ConversationRecord, MemoryRecord, MemoryType, Status, copied
from agent_memory.storage.planning import Key
from agent_memory.text.templates import ContentHash, TextHash, content_hash, embedded_text, embedding_hash


@dataclass(frozen=True, slots=True)
class Row:
    """A memory and what follows from it."""

    sequence: int
    """Its number in the order in which memories were stored, from 1."""
    record: MemoryRecord
    content_hash: ContentHash
    embedding_hash: TextHash


def row_of(sequence: int, record: MemoryRecord) -> Row:
    """Make the row of a memory."""
    return Row(sequence, copied(record), content_hash(record), embedding_hash(embedded_text(record)))


@dataclass(slots=True)
class Indexes:
    """Ids by what a write has to know. Sets are dicts without values, to keep the order of storing."""

    by_hash: dict[ContentHash, dict[str, None]] = field(default_factory=dict)
    by_key: dict[str, dict[str, None]] = field(default_factory=dict)
    positions: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of messages, by conversation and id."""

    def add(self, row: Row) -> None:
        """Index a memory that is not there yet."""
        record = row.record
        self.by_hash.setdefault(row.content_hash, {})[record.id] = None
        if record.key is not None:
            self.by_key.setdefault(record.key, {})[record.id] = None
        if isinstance(record, ConversationRecord) and record.position is not None:
            self.positions.setdefault(record.conversation_id, {})[record.id] = record.position

    def remove(self, row: Row) -> None:
        """Take a memory out."""
        record = row.record
        del self.by_hash[row.content_hash][record.id]
        if record.key is not None:
            del self.by_key[record.key][record.id]
        if isinstance(record, ConversationRecord) and record.position is not None:
            del self.positions[record.conversation_id][record.id]

    def integrity_errors(self, rows: dict[str, Row]) -> Iterator[str]:
        """Compare with the memories; one line per fault."""
        afresh, holders = Indexes(), dict[Key, str]()
        for memory_id, row in rows.items():
            afresh.add(row)
            record = row.record
            if memory_id != record.id or row_of(row.sequence, record) != row:
                yield f"memory {memory_id}: it is not kept under its own id and hashes"
            if record.key is not None and record.status is Status.ACTIVE:
                other = holders.setdefault((MemoryType(record.memory_type), record.key), memory_id)
                if other != memory_id:
                    yield f"memory {memory_id}: {other} has the key '{record.key}' too"
        for mine, right in (
            (self.by_hash, afresh.by_hash),
            (self.by_key, afresh.by_key),
            (self.positions, afresh.positions),
        ):
            if {item: ids for item, ids in mine.items() if ids} != right:
                yield "the indexes of keys, duplicates and conversations contradict the memories"
        sequences = [row.sequence for row in rows.values()]
        if sequences != sorted(set(sequences)):
            yield "the memories are not in the order in which they were stored"
