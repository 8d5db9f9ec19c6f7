"""A store as a stream: read in batches, each memory with its history and vectors as of one moment, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from agent_memory.batching import batched
from agent_memory.errors import BackendError, IntegrityError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import (
    EmbeddingSpace,
    JournalStore,
    Store,
    VectorStore,
    journal_store,
    vector_store,
)
from agent_memory.storage.where import Where
from agent_memory.transfer.stream import BATCH, SETTINGS, Entry, Head, Item, Parts
from agent_memory.transfer.tombstones import ends, tombstoned

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

EVERYTHING = Where(statuses=(), expired=None)
_ATTEMPTS = 5
"""How often something is read anew that others keep changing."""


class StoreStream:
    """What is in a store."""

    def __init__(self, store: Store, head: Head, entries: Sequence[Entry], *, live: bool = False) -> None:
        """Keep what is known; nothing is read yet.

        Args:
            store: an open store.
            head: what is said of the whole.
            entries: all there is.
            live: whether others go on writing: what was taken out since, or changes all the time, is left out by
                `read`.
        """
        self._store = store
        self._head = head
        self._entries = entries
        self._live = live

    @property
    def head(self) -> Head:
        """What is said of the whole."""
        return self._head

    @property
    def entries(self) -> Sequence[Entry]:
        """All there is: memories in the order of storing, then what is gone."""
        return self._entries

    @classmethod
    async def of(cls, store: Store, parts: Parts, where: Where = EVERYTHING, *, live: bool = False) -> Self:
        """Look through an open store; a filter leaves out other memories, and what is gone.

        With `live`, others may go on writing: what they change meanwhile may be missing.

        Returns:
            The stream, of which nothing is read yet but ids.

        Raises:
            CapabilityError: it lacks what was asked for.
            BackendError: it gives fewer memories than it counts.
        """
        head = await _head(store, parts)
        entries = await _memories(store, where, live=live)
        if where == EVERYTHING:
            present = {entry.id for entry in entries}
            entries += [entry for entry in await _tombstoned(store) if entry.id not in present]
        return cls(store, head, entries, live=live)

    @classmethod
    async def part(cls, store: Store, parts: Parts, ids: Sequence[str], *, live: bool = False) -> Self:
        """Return what an open store holds of some memories, or knows of them as gone."""
        head, entries = await _head(store, parts), list[Entry]()
        for batch in batched(ids, BATCH):
            present = await store.get(batch)
            absent = await ends(store, [memory_id for memory_id in batch if memory_id not in present])
            entries += [
                _entry(present[memory_id]) if memory_id in present else _end(memory_id, absent[memory_id])
                for memory_id in batch
                if memory_id in present or memory_id in absent
            ]
        return cls(store, head, entries, live=live)

    async def read(self, entries: Sequence[Entry]) -> list[Item]:
        """Read some of it, in the order given.

        Returns:
            The items, in that order.

        Raises:
            BackendError: something is no longer there, or others keep changing it.
        """
        items = await self._present([entry for entry in entries if not entry.tombstoned])
        items |= await self._ends([entry.id for entry in entries if entry.tombstoned])
        missing = next((entry.id for entry in entries if entry.id not in items), None)
        if missing is not None and not self._live:
            raise BackendError(
                f"memory {missing} was taken away while it was being read", hint="run the command again"
            )
        return [items[entry.id] for entry in entries if entry.id in items]

    async def _present(self, entries: Sequence[Entry]) -> dict[str, Item]:
        parts, ids = self._head.parts, [entry.id for entry in entries]
        for _ in range(_ATTEMPTS):
            records = await self._store.get(ids)
            histories = await journal_store(self._store).histories(ids) if parts.history else {}
            if (
                not any(_write_conflict(record, histories) for record in records.values())
                or not parts.history
            ):
                break
        else:
            changing = [record for record in records.values() if _write_conflict(record, histories)]
            if not self._live:
                raise _contradiction(changing[0])
            records = {item: record for item, record in records.items() if record not in changing}
        vectors = await self._vectors(ids, self._head.space)
        return {
            entry.id: Item(
                id=entry.id,
                revision=records[entry.id].revision,
                position=entry.position,
                record=records[entry.id],
                vectors=vectors.get(entry.id, ()),
                history=histories.get(entry.id, ()),
            )
            for entry in entries
            if entry.id in records
        }

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[Vector]]:
        if not self._head.parts.vectors or space is None:
            return {}
        return await vector_store(self._store).vectors(ids, space)

    async def _ends(self, ids: Sequence[str]) -> dict[str, Item]:
        if not ids:
            return {}
        known = await ends(self._store, ids)
        return {
            memory_id: Item(
                id=memory_id,
                revision=known[memory_id][-1].revision,
                end=known[memory_id][-1],
                history=known[memory_id] if self._head.parts.history else (),
            )
            for memory_id in ids
            if memory_id in known
        }


async def _head(store: Store, parts: Parts) -> Head:
    if parts.history:
        journal_store(store)
    if parts.vectors:
        vector_store(store)
    settings = {name: value for name in SETTINGS if (value := await store.setting(name)) is not None}
    space = await store.current_space() if isinstance(store, VectorStore) else None
    return Head(agent_id=store.agent_id, parts=parts, space=space, settings=settings)


async def _memories(store: Store, where: Where, *, live: bool) -> list[Entry]:
    for _ in range(_ATTEMPTS):
        journal = store if live and isinstance(store, JournalStore) else None
        position = 0 if journal is None else await journal.journal_end()
        entries = [_entry(item) async for page in store.scan(where) for item in page]
        counted = await store.count(where)
        # What others have written meanwhile may be in one of both only.
        changed = 0 if journal is None else len((await journal.changed_since(position))[0])
        if len(entries) <= counted + changed and counted <= len(entries) + changed + store.unreadable:
            return [result._replace(position=position) for position, result in enumerate(entries, 1)]
    raise BackendError(
        f"the {store.name} store counts {counted} memories and gives {len(entries)}",
        hint="run it again once nobody writes; nothing was written",
    )


def _entry(record: MemoryRecord) -> Entry:
    keyed = record.key is not None and record.status is Status.ACTIVE
    key = (record.memory_type, record.key) if keyed and record.key is not None else None
    return Entry(record.id, record.revision, 0, key)


async def _tombstoned(store: Store) -> list[Entry]:
    known = await ends(store, await tombstoned(store))
    return [_end(item, versions) for item, versions in sorted(known.items())]


def _end(memory_id: str, versions: Sequence[Version]) -> Entry:
    return Entry(memory_id, versions[-1].revision, 0, None, True)


def _write_conflict(record: MemoryRecord, histories: dict[str, list[Version]]) -> bool:
    return (
        histories.get(record.id, [None])[-1] is None or histories[record.id][-1].revision != record.revision
    )


def _contradiction(record: MemoryRecord) -> IntegrityError:
    return IntegrityError(
        f"the history of memory {record.id} does not end in its present version",
        hint=Hint("run it again; if that does not help, export without {EXPORT_HISTORY}"),
    )
