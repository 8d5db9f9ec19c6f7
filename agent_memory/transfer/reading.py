"""A store as a stream: read in batches, each memory with its history and vectors as of one moment, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from agent_memory.errors import BackendError, IntegrityError
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import EmbeddingSpace, Store
from agent_memory.storage.where import Where
from agent_memory.transfer.gone import ends, gone
from agent_memory.transfer.stream import SETTINGS, Entry, Head, Item, Parts

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

        Raises:
            CapabilityError: it lacks what was asked for.
            BackendError: it gives fewer memories than it counts.
        """
        if parts.history:
            await store.histories([""])
        if parts.vectors:
            await store.vectors([""])
        settings = {name: value for name in SETTINGS if (value := await store.setting(name)) is not None}
        space = await store.current_space()
        head = Head(agent_id=store.agent_id, parts=parts, space=space, settings=settings)
        entries = await _memories(store, where)
        if where == EVERYTHING:
            entries += await _gone(store)
        return cls(store, head, entries)

    async def read(self, entries: Sequence[Entry]) -> list[Item]:
        """Read some of it, in the order given.

        Raises:
            BackendError: something is no longer there, or others keep changing it.
        """
        items = await self._present([each for each in entries if not each.gone])
        items |= await self._ends([each.id for each in entries if each.gone])
        if missing := next((each.id for each in entries if each.id not in items), None):
            raise BackendError(
                f"memory {missing} was taken away while it was being read", hint="run the command again"
            )
        return [items[each.id] for each in entries]

    async def _present(self, entries: Sequence[Entry]) -> dict[str, Item]:
        parts, ids = self._head.parts, [each.id for each in entries]
        for _ in range(_ATTEMPTS):
            records = await self._store.get(ids)
            histories = await self._store.histories(ids) if parts.history else {}
            if not any(_overtaken(each, histories) for each in records.values()) or not parts.history:
                break
        else:
            raise _contradiction(next(each for each in records.values() if _overtaken(each, histories)))
        vectors = await self._vectors(ids, self._head.space)
        return {
            each.id: Item(
                id=each.id,
                revision=records[each.id].revision,
                place=each.place,
                record=records[each.id],
                vectors=vectors.get(each.id, ()),
                history=histories.get(each.id, ()),
            )
            for each in entries
            if each.id in records
        }

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        if not self._head.parts.vectors or space is None:
            return {}
        return await self._store.vectors(ids, space)

    async def _ends(self, ids: Sequence[str]) -> dict[str, Item]:
        if not ids:
            return {}
        known = await ends(self._store, ids)
        return {
            each: Item(
                id=each,
                revision=known[each][-1].revision,
                end=known[each][-1],
                history=known[each] if self._head.parts.history else (),
            )
            for each in ids
            if each in known
        }


async def _memories(store: Store, where: Where) -> list[Entry]:
    for _ in range(_ATTEMPTS):
        found = [_entry(each) async for page in store.scan(where) for each in page]
        counted = await store.count(where)
        if len(found) <= counted <= len(found) + store.unreadable:
            return [each._replace(place=place) for place, each in enumerate(found, 1)]
    raise BackendError(
        f"the {store.name} store counts {counted} memories and gives {len(found)}",
        hint="run it again once nobody writes; nothing was written",
    )


def _entry(record: MemoryRecord) -> Entry:
    keyed = record.key is not None and record.status is Status.ACTIVE
    key = (record.memory_type, record.key) if keyed and record.key is not None else None
    return Entry(record.id, record.revision, 0, key)


async def _gone(store: Store) -> list[Entry]:
    known = await ends(store, await gone(store))
    return [Entry(each, versions[-1].revision, 0, None, True) for each, versions in sorted(known.items())]


def _overtaken(record: MemoryRecord, histories: dict[str, list[Version]]) -> bool:
    return (
        histories.get(record.id, [None])[-1] is None or histories[record.id][-1].revision != record.revision
    )


def _contradiction(record: MemoryRecord) -> IntegrityError:
    return IntegrityError(
        f"the history of memory {record.id} does not end in its present version",
        hint="run it again; if that does not help, export without --history",
    )
