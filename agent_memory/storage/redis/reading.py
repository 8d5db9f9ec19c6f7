"""Listing and counting by the sets and sorted sets, where these know it without a look at the documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from agent_memory import clock
from agent_memory.records import MemoryRecord
from agent_memory.storage import listing
from agent_memory.storage.base import (
    EmbeddingSpace,
    Order,
    unique,
)
from agent_memory.storage.documents import Document, Query, VectorDocuments, is_message
from agent_memory.storage.documents.values import instant
from agent_memory.storage.redis import narrowing
from agent_memory.storage.redis.connection import translated
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.where import Where

_BESIDE: Final = 2
"""Messages looked at for the one beside another: most often the first is active."""


class Reading(VectorDocuments):
    """The part of `RedisStore` that lists and counts."""

    _url: str
    _keys: Keys
    _client: Any
    _most: int

    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        by, descending = order
        if limit is None or where.ids is not None:
            return await super()._select(where, order, limit, offset)
        query = Query(where=where, now=clock.now())
        wanted = limit + offset
        conversation = narrowing.conversation_of(where)
        if by == "position" and conversation is not None:
            documents = await self._walk_conversation(conversation, query, descending, wanted)
            return [result.record for result in documents[offset : offset + limit]]
        if by != "created" or conversation is not None:
            return await super()._select(where, order, limit, offset)
        with translated(self._url):
            size = await narrowing.at_most(self._client, self._keys, query)
        few = size <= min(self._most, max(500, 5 * wanted))
        if few:
            return await super()._select(where, order, limit, offset)
        documents = await self._walk(query, descending, wanted)
        return [result.record for result in documents[offset : offset + limit]]

    async def _walk(self, query: Query, descending: bool, wanted: int) -> list[Document]:
        """Iterate over the memories by time of creation until enough are admitted."""
        documents: list[Document] = []
        start, size = 0, max(50, wanted)
        while wanted:
            with translated(self._url):
                ids = await self._client.zrange(
                    self._keys("created"), start, start + size - 1, desc=descending
                )
            page = await self._read([memory_id.decode() for memory_id in ids])
            documents += [item for item in page.values() if query.admits(item)]
            start += len(ids)
            # Of several made in one moment, those stored last may come later in this walk.
            last = max(documents, key=lambda item: item.sequence).record.created_at if documents else None
            settled = (
                len(documents) > wanted
                and documents[wanted - 1].record.created_at != documents[-1].record.created_at
            )
            if len(ids) < size or (settled and last is not None):
                break
            size = min(2 * size, 5000)
        documents.sort(key=lambda item: (item.record.created_at, item.sequence), reverse=descending)
        return documents[:wanted]

    async def _walk_conversation(
        self, conversation_id: str, query: Query, descending: bool, wanted: int
    ) -> list[Document]:
        """Iterate over a conversation by position until enough of it is admitted."""
        documents: list[Document] = []
        start, size = 0, max(50, wanted)
        while len(documents) < wanted:
            with translated(self._url):
                ids = await self._client.zrange(
                    self._keys("conversation", conversation_id), start, start + size - 1, desc=descending
                )
            page = await self._read([memory_id.decode() for memory_id in ids])
            documents += [item for item in page.values() if query.admits(item)]
            start += len(ids)
            if len(ids) < size:
                break
            size = min(2 * size, 5000)
        return documents

    async def _last_position(self, conversation_id: str) -> int | None:
        with translated(self._url):
            last = await self._client.zrange(
                self._keys("conversation", conversation_id), 0, 0, desc=True, withscores=True
            )
        return int(last[0][1]) if last and last[0][1] >= 0 else None

    async def _count(self, where: Where) -> int:
        with translated(self._url):
            known = await narrowing.counted(self._client, self._keys, Query(where=where, now=clock.now()))
        return await super()._count(where) if known is None else known

    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        now = clock.now()
        positions = {
            item.id: sequence
            for item in (await self._get(message_ids)).values()
            if is_message(item) and (sequence := listing.placed(item)) is not None
        }
        with translated(self._url):
            pipe = self._client.pipeline(transaction=False)
            for conversation_id, here in positions.values():
                name = self._keys("conversation", conversation_id)
                ends = (f"({here}", "+inf") if step > 0 else (f"({here}", "0")
                pipe.zrange(name, *ends, byscore=True, desc=step < 0, offset=0, num=_BESIDE)
            beside = (
                [[item.decode() for item in neighbours] for neighbours in await pipe.execute()]
                if positions
                else []
            )
        records = await self._get(unique(item for neighbours in beside for item in neighbours))
        result: dict[str, str] = {}
        for memory_id, neighbours in zip(positions, beside, strict=True):
            live = [
                item
                for item in neighbours
                if item in records and is_message(records[item]) and listing.live(records[item], now)
            ]
            if live:
                result[memory_id] = live[0]
            elif len(neighbours) == _BESIDE:  # many were put away
                result.update(await super()._adjacent([memory_id], step))
        return result

    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        ids = await self._owing_ids(space, failed)
        if ids is None:
            return await super()._pending(limit, space, failed)
        with translated(self._url):
            times = await self._client.zmscore(self._keys("created"), ids) if ids else []
        newest = sorted(zip(times, ids, strict=True), key=lambda pair: pair[0] or 0, reverse=True)
        if len(newest) > limit > 0:
            newest = [pair for pair in newest if (pair[0] or 0) >= (newest[limit - 1][0] or 0)]
        query = Query(where=Where(), now=clock.now())
        documents = (await self._read([item.decode() for _, item in newest])).values()
        admitted = [entry for entry in documents if query.admits(entry)]
        admitted.sort(key=lambda item: (item.record.created_at, item.sequence), reverse=True)
        return [result.record for result in admitted[:limit]]

    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        ids = await self._owing_ids(space, failed)
        return await super()._pending_count(space, failed) if ids is None else len(ids)

    async def _owing_ids(self, space: EmbeddingSpace | None, failed: bool | None) -> list[bytes] | None:
        """Return the ids of live memories without vectors in a space; None where there is no space at all."""
        manifest = await self._manifest()
        chosen = space or manifest.current()
        if chosen is None:
            return None
        kept = (await self._attempts_in(manifest, chosen.id)).kept if failed is not None else {}
        if failed and not kept:
            return []
        texts = [self._keys("text", digest.hex()) for digest, item in kept.items() if item.failed]
        with translated(self._url):
            active = self._keys("status", "active")
            ids = list(await self._client.sdiff([active, self._keys("embedded", chosen.id)]))
            if failed is not None:
                refused = set(await self._client.sunion(texts)) if texts else set()
                ids = [memory_id for memory_id in ids if (memory_id in refused) == failed]
            ends = await self._client.zmscore(self._keys("expires"), ids) if ids else []
        now = instant(clock.now())
        return [item for item, end in zip(ids, ends, strict=True) if end is None or end > now]

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        with translated(self._url):
            ids = await self._client.zrange(
                self._keys("ids"), f"[{prefix}", f"[{prefix}\uffff", bylex=True, offset=0, num=limit
            )
        return [memory_id.decode() for memory_id in ids]
