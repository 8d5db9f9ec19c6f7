"""One write as one transaction: documents, the sets that find them, their words, their vectors, and the journal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from agent_memory import clock
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.storage.documents import Document, WriteBatch
from agent_memory.storage.documents.values import instant, values_of
from agent_memory.storage.redis.gathering import Gathering
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.words import held_codes
from agent_memory.text.analysis import analyse
from agent_memory.text.porter import stem
from agent_memory.text.templates import indexed_text

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

GRACE: Final = timedelta(days=1)
"""How long an expired short-term memory can still be looked at before the server drops it."""

_PLAIN: Final = ("type", "status", "importance", "created", "updated", "happened", "expires")


def stems_of(record: MemoryRecord) -> list[str]:
    """Return the stems of a memory's words, in their order."""
    return list(map(stem, analyse(indexed_text(record))))


def encoded(value: str) -> str:
    """Write a value so that no character of it means anything to the search module."""
    return value.encode("utf-8", "surrogatepass").hex() or "0"


def filterable(document: Document) -> dict[str, str | int | float]:
    """Return what the search module filters by."""
    values = values_of(document)
    fields: dict[str, str | int | float] = {name: values[name] for name in _PLAIN}
    fields["pinned"] = int(document.record.pinned)
    fields["tags"] = ",".join(map(encoded, document.record.tags))
    for name in ("key", "source", "session"):
        fields[name] = encoded(str(values[name])) if name in values else ""
    return fields


class Batch:
    """A transaction in the making."""

    def __init__(
        self,
        pipe: Gathering,
        keys: Keys,
        *,
        words: bool,
        vector_sets: bool,
        indexed: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._indexed = indexed or {}
        """By memory, of those that are changed or removed: the stems that it is indexed by now."""
        self._pipe = pipe
        self._keys = keys
        self._words = words
        """Whether the words are kept in sorted sets, there being no search module."""
        self._vector_sets = vector_sets
        self._totals: Counter[str] = Counter()

    def write(self, write_batch: WriteBatch) -> None:
        """Add everything that a write changes."""
        for document in write_batch.removed.values():
            self.remove(document)
        for space_id, documents in write_batch.dropped.items():
            for document in documents:
                self.drop_vectors(space_id, document.id, document.embedded[space_id])
        for memory_id, (before, after) in write_batch.changed.items():
            segments_by_space = {
                space: write_batch.vectors.get(space, {}).get(memory_id) for space in after.embedded
            }
            self.change(
                before, after, {space: segments for space, segments in segments_by_space.items() if segments}
            )
        self.total()
        for name, text in {**write_batch.metas, "head": write_batch.manifest.to_json()}.items():
            if text is None:
                self._pipe.delete(self._keys(name))
            else:
                self._pipe.set(self._keys(name), text)

    def total(self) -> None:
        """Add up how many words and memories came and went."""
        for name, count in self._totals.items():
            if count:
                self._pipe.hincrby(self._keys("totals"), name, count)
        self._totals.clear()

    # --- documents -----------------------------------------------------------------------------------------

    def remove(self, document: Document) -> None:
        """Take a document out of everything but its vectors."""
        keys, pipe, memory_id = self._keys, self._pipe, document.id
        pipe.delete(keys.document(memory_id), keys("trace", memory_id))
        for name in keys.sets(document):
            pipe.srem(name, memory_id)
        for name in ("created", "places", "ids", "expires"):
            pipe.zrem(keys(name), memory_id)
        if isinstance(document.record, ConversationRecord):
            pipe.zrem(keys("conversation", document.record.conversation_id), memory_id)
        self._forget_words(document.record)

    def change(
        self, before: Document | None, after: Document, vectors: Mapping[int, Sequence[Vector]]
    ) -> None:
        """Store a document in place of what it was, with those of its vectors that are new."""
        keys, pipe, memory_id, record = self._keys, self._pipe, after.id, after.record
        old, new = set(keys.sets(before)) if before else set(), keys.sets(after)
        for name in old.difference(new):
            pipe.srem(name, memory_id)
        for name in new:  # also those that it should be in already, so that a rebuilding mends them
            pipe.sadd(name, memory_id)
        was = before.record if before else None
        stems = stems_of(record)
        fields = {"json": after.to_json(), "words": " ".join(stems), **filterable(after)}
        if was is None and record.accessed_at is not None:
            fields |= {"accessed_at": clock.to_text(record.accessed_at), "access_count": record.access_count}
        pipe.hset(keys.document(memory_id), mapping=fields)
        if was is None:
            pipe.zadd(keys("places"), {memory_id: after.sequence})
            pipe.zadd(keys("ids"), {memory_id: 0})
        if was is None or was.created_at != record.created_at:
            pipe.zadd(keys("created"), {memory_id: instant(record.created_at)})
        self._place(was, record)
        # An older analyser may have found other words in the same text.
        if was is None or self._stems(was) != stems:
            if was is not None:
                self._forget_words(was)
            self.keep_words(record, stems)
        self.keep_codes(record.id, stems)  # always: beside the words of an older analyser, none were listed
        self._expire(was, after)
        for space_id, count in after.embedded.items():
            self._keep_vectors(space_id, after, count, vectors.get(space_id))

    def _place(self, was: MemoryRecord | None, record: MemoryRecord) -> None:
        """Keep a message at its place in its conversation."""
        if isinstance(was, ConversationRecord):
            self._pipe.zrem(self._keys("conversation", was.conversation_id), was.id)
        if isinstance(record, ConversationRecord):
            position = -1 if record.position is None else record.position
            self._pipe.zadd(self._keys("conversation", record.conversation_id), {record.id: position})

    def _expire(self, was: MemoryRecord | None, after: Document) -> None:
        keys, pipe, record = self._keys, self._pipe, after.record
        if record.expires_at is None:
            if was is not None and was.expires_at is not None:
                pipe.zrem(keys("expires"), record.id)
                pipe.persist(keys.document(record.id))
                pipe.delete(keys("trace", record.id))
            return
        pipe.zadd(keys("expires"), {record.id: instant(record.expires_at)})
        if not record.descriptor.expires:
            return
        # The server drops it by itself; what then has to go from the sets is noted beside it.
        left = max(timedelta(0), record.expires_at - clock.now()) + GRACE
        pipe.pexpire(keys.document(record.id), left)
        stems = Counter(stems_of(record))
        pipe.set(keys("trace", record.id), json.dumps([keys.sets(after), stems, after.embedded]))

    # --- words ---------------------------------------------------------------------------------------------

    def keep_codes(self, memory_id: str, stems: Iterable[str]) -> None:
        """List the codes among a memory's words, to be found by their beginnings."""
        if entries := held_codes(memory_id, stems):
            self._pipe.zadd(self._keys("codes"), dict.fromkeys(entries, 0))

    def keep_words(self, record: MemoryRecord, stems: Sequence[str]) -> None:
        """Index a memory's words."""
        self._totals["words"] += len(stems)
        self._totals["documents"] += 1
        if self._words:
            for term, count in Counter(stems).items():
                self._pipe.zadd(self._keys("word", term), {record.id: count})
            self._pipe.put_field(self._keys("lengths"), record.id, len(stems))

    def _forget_words(self, record: MemoryRecord) -> None:
        self.forget_stems(record.id, Counter(self._stems(record)))

    def _stems(self, record: MemoryRecord) -> Sequence[str]:
        return self._indexed[record.id] if record.id in self._indexed else stems_of(record)

    def forget_stems(self, memory_id: str, stems: Mapping[str, int]) -> None:
        """Take a memory's words out."""
        self._totals["words"] -= sum(stems.values())
        self._totals["documents"] -= 1
        if entries := held_codes(memory_id, stems):
            self._pipe.zrem(self._keys("codes"), *entries)
        if self._words:
            for term in stems:
                self._pipe.zrem(self._keys("word", term), memory_id)
            self._pipe.drop_field(self._keys("lengths"), memory_id)

    # --- vectors -------------------------------------------------------------------------------------------

    def _keep_vectors(
        self, space_id: int, document: Document, count: int, segments: Sequence[Vector] | None
    ) -> None:
        """Store vectors, or only what they are filtered by where the vectors themselves stay."""
        fields = filterable(document)
        for segment in range(count):
            mapping: dict[str, Any] = dict(fields)
            if segments is not None:
                mapping["vector"] = segments[segment]
            self._pipe.hset(self._keys.vector(space_id, document.id, segment), mapping=mapping)
            if self._vector_sets:
                self.add_to_set(space_id, document, segment, None if segments is None else segments[segment])
        if segments is not None:
            self.note_vectors(space_id, [document.id])

    def add_to_set(self, space_id: int, document: Document, segment: int, vector: Vector | None) -> None:
        """Put a vector into the vector set of its space, or bring up to date what it is filtered by."""
        name, member = self._keys("near", space_id), f"{document.id}:{segment}"
        attributes = json.dumps(
            {"status": document.record.status.value, "type": document.record.memory_type.value}
        )
        if vector is None:
            self._pipe.execute_command("VSETATTR", name, member, attributes)
        else:
            # The default keeps eight bits of each number.
            self._pipe.execute_command("VADD", name, "FP32", vector, member, "NOQUANT", "SETATTR", attributes)

    def drop_vectors(self, space_id: int, memory_id: str, count: int) -> None:
        """Take a memory's vectors out of a space."""
        for segment in range(count):
            self._pipe.delete(self._keys.vector(space_id, memory_id, segment))
            if self._vector_sets:
                self._pipe.execute_command("VREM", self._keys("near", space_id), f"{memory_id}:{segment}")
        self.note_vectors(space_id, [memory_id])

    def note_vectors(self, space_id: int, ids: Iterable[str]) -> None:
        """Note that vectors changed, for those who keep a copy."""
        for memory_id in ids:
            self._pipe.zadd(self._keys("moved", space_id), {memory_id: self._now})

    _now = 0

    def at(self, version: int) -> Batch:
        """Return which version of the store this write makes."""
        self._now = version
        return self
