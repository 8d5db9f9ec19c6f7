"""Memories that were read in one version of the file, until somebody writes to it.

What a search reads of its candidates it reads again in the next search, mostly of the same ones: an agent asks about
what it is working on. None of it outlives a write, but that of counting accesses: what that one writes is noted here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from agent_memory.records import MemoryRecord
from agent_memory.storage.sqlite import reading
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.spaces import Space
from agent_memory.text.porter import stem

T = TypeVar("T")
MEMORIES: Final = 2_000
CHARACTERS: Final = 1_000_000
"""How many memories are kept of one store at most, and how long they are together: some eight megabytes."""
OWNERS: Final = 20_000
"""Of how many vectors it is kept which memories have them."""


class KeptMemories:
    """Memories of one version of a file, the places of their vectors and the stems of their words."""

    def __init__(self) -> None:
        self._records: dict[str, MemoryRecord] = {}
        """By id, the one that was asked for longest ago first."""
        self._characters = 0
        self._segments: dict[str, tuple[int, ...]] = {}
        self._space: Space | None = None
        self._stems: dict[str, tuple[str, ...]] = {}

    def records(
        self, connection: Connection, context: ReadContext, ids: Sequence[str]
    ) -> dict[str, MemoryRecord]:
        """Return memories by id; whoever hands them on to somebody else copies what is mutable in them."""
        missing = [memory_id for memory_id in ids if memory_id not in self._records]
        read = reading.get(connection, context, missing)
        result = {}
        for memory_id in ids:
            record = self._records.pop(memory_id, None) or read.get(memory_id)
            if record is not None:
                result[memory_id] = self._records[memory_id] = record
        self._characters += sum(len(record.content) for record in read.values())
        self._make_room()
        return result

    def _make_room(self) -> None:
        for memory_id in list(self._records):
            if len(self._records) <= MEMORIES and self._characters <= CHARACTERS:
                return
            self.forget([memory_id])

    def forget(self, ids: Iterable[str]) -> None:
        """Forget memories."""
        for memory_id in ids:
            record = self._records.pop(memory_id, None)
            if record is not None:
                self._characters -= len(record.content)
                self._segments.pop(memory_id, None)
                self._stems.pop(memory_id, None)

    def count_accesses(self, moment: datetime, counts: Mapping[str, int]) -> None:
        """Note the time and the number of accesses that were just written for memories."""
        for memory_id, count in counts.items():
            record = self._records.get(memory_id)
            if record is not None:
                self._records[memory_id] = replace(record, accessed_at=moment, access_count=count)

    def segments(
        self, connection: Connection, ids: Sequence[str], space: Space
    ) -> dict[str, tuple[int, ...]]:
        """Return the keys of the vectors of memories in a space, in the order of the segments."""
        if self._space != space:
            self._space, self._segments = space, {}
        return self._looked_up(self._segments, ids, lambda missing: _segments(connection, missing, space))

    def stems(self, connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the stems of the words that memories were indexed with."""
        return self._looked_up(self._stems, ids, lambda missing: _stems(connection, missing))

    def _looked_up(
        self,
        kept: dict[str, tuple[T, ...]],
        ids: Sequence[str],
        read: Callable[[Sequence[str]], Mapping[str, tuple[T, ...]]],
    ) -> dict[str, tuple[T, ...]]:
        missing = [memory_id for memory_id in ids if memory_id not in kept]
        fresh = read(missing) if missing else {}
        for memory_id in missing:
            if memory_id in self._records:
                kept[memory_id] = fresh.get(memory_id, ())
        return {
            memory_id: values
            for memory_id in ids
            if (values := kept[memory_id] if memory_id in kept else fresh.get(memory_id, ()))
        }


def _segments(connection: Connection, ids: Sequence[str], space: Space) -> dict[str, tuple[int, ...]]:
    result: dict[str, list[int]] = {}
    rows = connection.execute(
        "select memory.id, embedding.id from memory cross join embedding"
        " on embedding.space = ? and embedding.text_hash = memory.embedded_hash"
        " where memory.id in (select value from json_each(?)) order by memory.id, embedding.piece",
        (space.id, json.dumps(list(ids))),
    )
    for memory_id, key in rows:
        result.setdefault(memory_id, []).append(key)
    return {memory_id: tuple(keys) for memory_id, keys in result.items()}


def _stems(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    rows = connection.execute(
        "select memory.id, cast(memory_fts.words as text) from memory"
        " cross join memory_fts on memory_fts.rowid = memory.pk where memory.id in (select value from json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {memory_id: tuple(map(stem, words.split())) for memory_id, words in rows}


class KeptOwners:
    """Which active memories have a vector, in one version of a file."""

    def __init__(self) -> None:
        self._owners: dict[int, list[tuple[int, str, object]]] = {}

    def of(self, connection: Connection, keys: Sequence[int], now: str) -> list[tuple[int, int, str]]:
        """Return the active memories of vectors, not expired: key of the vector, key and id of the memory."""
        missing = [key for key in keys if key not in self._owners]
        if missing:
            self._read(connection, missing)
        return [
            (key, place, memory_id)
            for key in keys
            for place, memory_id, expires in self._owners[key]
            if expires is None or _is_later(expires, now)
        ]

    def _read(self, connection: Connection, keys: Sequence[int]) -> None:
        self._owners.update((key, []) for key in keys)
        rows = connection.execute(
            "select embedding.id, memory.pk, memory.id, memory.expires_at from json_each(?) as wanted"
            " cross join embedding on embedding.id = wanted.value"
            " cross join memory on memory.embedded_hash = embedding.text_hash where memory.status = 'active'",
            (json.dumps(list(keys)),),
        )
        for key, *memory in rows:
            self._owners[key].append(tuple(memory))

    def make_room(self) -> None:
        """Forget all where it is too many."""
        if len(self._owners) > OWNERS:
            self._owners.clear()


def _is_later(expires: object, now: str) -> bool:
    """Compare as SQLite does, to which a number is before every text, and a BLOB after."""
    return expires > now if isinstance(expires, str) else isinstance(expires, bytes)
