"""A store as a stream: read in batches, each memory with its history and vectors as of one moment, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from agent_memory.errors import BackendError, IntegrityError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import EmbeddingSpace, Store, VectorStore, journal_store, vector_store
from agent_memory.storage.where import Where
from agent_memory.transfer.stream import SETTINGS, Entry, Head, Item, Parts
from agent_memory.transfer.tombstones import ends, tombstoned

EVERYTHING = Where(statuses=(), expired=None)
_ATTEMPTS = 5
"""How often something is read anew that others keep changing."""


class StoreStream:
    """What is in a store."""

    def __init__(self, store: Store, head: Head, entries: Sequence[Entry]) -> None:
        self._store = store
        self._head = head
        self._entries = entries

    @property
    def head(self) -> Head:
        """What is said of the whole."""
        return self._head

    @property
    def entries(self) -> Sequence[Entry]:
        """All there is: memories in the order of storing, then what is gone."""
        return self._entries

    @classmethod
    async def of(cls, store: Store, parts: Parts, where: Where = EVERYTHING) -> Self:
        """Look through an open store; a filter leaves out other memories, and what is gone.

        Returns:
            The stream, of which nothing is read yet but ids.

        Raises:
            CapabilityError: it lacks what was asked for.
            BackendError: it gives fewer memories than it counts.
        """
        if parts.history:
            journal_store(store)
        if parts.vectors:
            vector_store(store)
        settings = {name: value for name in SETTINGS if (value := await store.setting(name)) is not None}
        space = await store.current_space() if isinstance(store, VectorStore) else None
        head = Head(agent_id=store.agent_id, parts=parts, space=space, settings=settings)
        entries = await _memories(store, where)
        if where == EVERYTHING:
            entries += await _tombstoned(store)
        return cls(store, head, entries)

    async def read(self, entries: Sequence[Entry]) -> list[Item]:
        """Read some of it, in the order given.

        Returns:
            The items, in that order.

        Raises:
            BackendError: something is no longer there, or others keep changing it.
        """
        items = await self._present([entry for entry in entries if not entry.tombstoned])
        items |= await self._ends([entry.id for entry in entries if entry.tombstoned])
        if missing := next((entry.id for entry in entries if entry.id not in items), None):
            raise BackendError(
                f"memory {missing} was taken away while it was being read", hint="run the command again"
            )
        return [items[entry.id] for entry in entries]

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
            raise _contradiction(
                next(record for record in records.values() if _write_conflict(record, histories))
            )
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

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
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


async def _memories(store: Store, where: Where) -> list[Entry]:
    for _ in range(_ATTEMPTS):
        entries = [_entry(item) async for page in store.scan(where) for item in page]
        counted = await store.count(where)
        if len(entries) <= counted <= len(entries) + store.unreadable:
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
    return [Entry(item, versions[-1].revision, 0, None, True) for item, versions in sorted(known.items())]


def _write_conflict(record: MemoryRecord, histories: dict[str, list[Version]]) -> bool:
    return (
        histories.get(record.id, [None])[-1] is None or histories[record.id][-1].revision != record.revision
    )


def _contradiction(record: MemoryRecord) -> IntegrityError:
    return IntegrityError(
        f"the history of memory {record.id} does not end in its present version",
        hint=Hint("run it again; if that does not help, export without {EXPORT_HISTORY}"),
    )
