"""Keeping what is derived in step: after expiry, after a change of what the server can do, and when asked to."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from redis.exceptions import WatchError

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.records import ConversationRecord
from agent_memory.storage.base import Durability
from agent_memory.storage.documents import Document, Manifest, VectorDocuments
from agent_memory.storage.documents.values import instant
from agent_memory.storage.redis import durability, fields, journal, words
from agent_memory.storage.redis.connection import Mode, translated
from agent_memory.storage.redis.gathering import Gathering
from agent_memory.storage.redis.keys import Keys, literal
from agent_memory.storage.redis.routing import Route, Run, SingleConnection
from agent_memory.storage.redis.search import SearchModule
from agent_memory.storage.redis.vectors import Copy, read
from agent_memory.storage.redis.writing import GRACE, Batch, stems_of

_SWEPT: Final = 100
_BATCH: Final = 500


class Upkeep(VectorDocuments):
    """The part of `RedisStore` that keeps indexes in step."""

    _url: str
    _keys: Keys
    _client: Any
    _module: SearchModule | None
    _mode: Mode
    _copies: dict[int, Copy]
    _route: Route | None

    async def _settle(self, manifest: Manifest) -> None:
        """Make the indexes of the present mode, anew if the server could do something else before."""
        self._module = SearchModule(self._client, self._keys) if self._mode == "search" else None
        if self._module is not None:
            await self._module.prepare(manifest.spaces)
        before = await self._client.get(self._keys("mode"))
        if before is not None and before.decode() != self._mode:
            await self._derive(manifest)
        if before is None or before.decode() != self._mode:
            await self._client.set(self._keys("mode"), self._mode)

    async def _prepare_server(self, run: Run) -> None:
        """Make the indexes of the search module on a server that the agent has moved to: they do not move along."""
        text = await run("GET", self._keys("head"))
        if text is not None:
            module = SearchModule(SingleConnection(run), self._keys)
            await module.prepare(Manifest.from_json(text.decode()).spaces)

    async def _rebuild(self) -> None:
        """Make words and vector indexes anew."""
        await super()._rebuild()
        with translated(self._url):
            manifest = await self._manifest()
            if self._module is not None:
                await self._module.renew(manifest.spaces)
            await self._derive(manifest)

    async def _derive(self, manifest: Manifest) -> None:
        """Write the sorted sets of words and the vector sets anew, where the mode has any."""
        await self._delete_matching(self._keys("word"))
        await self._client.delete(self._keys("lengths"), self._keys("codes"))
        for space in manifest.spaces:
            await self._client.delete(self._keys("near", space.id))
        self._copies.clear()
        ids = [member.decode() for member in await self._client.zrange(self._keys("places"), 0, -1)]
        documents = total = 0
        for batch in batched(ids, _BATCH):
            texts = await self._raw(batch)
            # Swept later, they would be taken off totals in which they are not counted.
            await self._sweep_expired([memory_id for memory_id in batch if memory_id not in texts])
            part = list(self._documents_of(texts).values())
            documents += len(part)
            total += await self._derive_some(manifest, part)
        await self._client.hset(self._keys("totals"), mapping={"documents": documents, "words": total})

    async def _delete_matching(self, beginning: str) -> None:
        """Delete all keys that begin so and go on with a colon."""
        names = [item async for item in self._client.scan_iter(match=f"{literal(beginning)}:*", count=1000)]
        await self._client.exists(self._keys.absent())
        for batch in batched(names, _BATCH):
            await self._client.delete(*batch)

    async def _raw(self, ids: Sequence[str]) -> dict[str, bytes]:
        names = [self._keys.document(memory_id) for memory_id in ids]
        texts = await fields.of_hashes(self._client, names, "json")
        return {item: text for item, (text,) in zip(ids, texts, strict=True) if text is not None}

    def _gathered(self, gathering: Gathering, indexed: Mapping[str, Sequence[str]] | None = None) -> Batch:
        sets, words_in_sets = self._mode == "vector-sets", self._module is None
        return Batch(gathering, self._keys, words=words_in_sets, vector_sets=sets, indexed=indexed)

    async def _derive_some(self, manifest: Manifest, documents: Sequence[Document]) -> int:
        pipe = self._client.pipeline(transaction=False)
        gathering = Gathering(pipe)
        batch = self._gathered(gathering)
        total = 0
        indexed = await self._indexed([document.id for document in documents])
        for document in documents:
            stems = indexed.get(document.id, ())
            total += len(stems)
            batch.keep_words(document.record, stems)
            batch.keep_codes(document.id, stems)
        for space in manifest.spaces if self._mode == "vector-sets" else ():
            counts = {item.id: item.embedded[space.id] for item in documents if space.id in item.embedded}
            segments = await read(self._client, self._keys, space.id, counts)
            for document in documents:
                for segment, vector in enumerate(segments.get(document.id, ())):
                    batch.add_to_set(space.id, document, segment, vector)
        gathering.flush()
        await pipe.execute()
        return total

    async def _sweep(self) -> None:
        """Take out of the sets what the server has dropped, its time being long over."""
        over = instant(clock.now() - GRACE)
        name = self._keys("expires")
        for memory_id in await self._client.zrangebyscore(name, "-inf", over, start=0, num=_SWEPT):
            expired_id = memory_id.decode()
            if await self._client.exists(self._keys.document(expired_id)):
                continue
            await self._sweep_one(expired_id, self._keys("trace", expired_id))

    async def _sweep_expired(self, gone: Sequence[str]) -> None:
        """Take expired memories, whose documents the server has dropped, out of the sets; nothing else."""
        now = instant(clock.now())
        for memory_id in gone:
            expires = await self._client.zscore(self._keys("expires"), memory_id)
            if expires is not None and expires <= now:
                await self._sweep_one(memory_id, self._keys("trace", memory_id))

    async def _sweep_one(self, expired_id: str, trace_key: str) -> None:
        async with self._client.pipeline(transaction=True) as pipe:
            # Another process may be sweeping too, or the answer be lost: the totals are to be lowered once.
            await pipe.watch(trace_key)
            trace = await pipe.get(trace_key)
            pipe.multi()
            gathering = Gathering(pipe)
            if trace is not None:
                self._forget(gathering, expired_id, *json.loads(trace))
            for other in ("created", "places", "ids", "expires"):
                gathering.zrem(self._keys(other), expired_id)
            gathering.flush()
            pipe.delete(trace_key)
            with suppress(WatchError):
                await pipe.execute()

    def _forget(
        self,
        gathering: Gathering,
        memory_id: str,
        sets: Sequence[str],
        stems: dict[str, int],
        embedded: dict[str, int],
    ) -> None:
        for name in sets:
            gathering.srem(name, memory_id)
        batch = self._gathered(gathering)
        batch.forget_stems(memory_id, stems)
        for space_id, count in embedded.items():
            batch.drop_vectors(int(space_id), memory_id, count)
        batch.total()

    async def _durability(self) -> Durability:
        with translated(self._url):
            told = await durability.read(self._client)
        return durability.concluded(
            told | ({} if self._route is None else {"topology": self._route.topology})
        )

    async def _integrity_errors(self, manifest: Manifest, documents: Sequence[Document]) -> list[str]:
        errors = [*await super()._integrity_errors(manifest, documents), *await self._check_words()]
        with translated(self._url):
            return [*errors, *await journal.check(self._client, self._keys, self.agent_id)]

    async def _indexed(self, ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the stems that memories are indexed by: those of an older analyser, perhaps."""
        names = [self._keys.document(memory_id) for memory_id in ids]
        return {
            item: text.decode().split()
            for item, (text,) in zip(ids, await fields.of_hashes(self._client, names, "words"), strict=True)
            if text is not None
        }

    async def _check_words(self) -> list[str]:
        manifest = await self._manifest()
        outdated = range(manifest.renewed_up_to + 1, manifest.outdated_up_to + 1)
        with translated(self._url):
            ids = [member.decode() for member in await self._client.zrange(self._keys("places"), 0, -1)]
            documents = list(self._documents_of(await self._raw(ids)).values())
            indexed = await self._indexed([item.id for item in documents])
            known = await words.statistics(self._client, self._keys, [])
            listed = {member.decode() for member in await self._client.zrange(self._keys("codes"), 0, -1)}
        errors = []
        gone = len(ids) - len(documents)
        mean = sum(map(len, indexed.values())) / len(documents) if documents else 0.0
        if not gone and (known.documents != len(documents) or abs(known.mean_length - mean) > 1e-6):
            errors.append("the totals of the word index contradict the memories")
        for document in documents:
            with translated(self._url):
                pipe = self._client.pipeline(transaction=False)
                names = self._keys.sets(document)
                for name in names:
                    pipe.sismember(name, document.id)
                members = await pipe.execute()
            missing = {name for name, there in zip(names, members, strict=True) if not there}
            if document.sequence in outdated and isinstance(document.record, ConversationRecord):
                missing.discard(self._keys.system_messages(document.record.conversation_id))
            if missing:
                errors.append(f"memory {document.id}: it is not in all sets that it belongs to")
            if document.sequence not in outdated and indexed.get(document.id) != stems_of(document.record):
                errors.append(f"memory {document.id}: other words are indexed than it holds")
            codes = set(words.held_codes(document.id, indexed.get(document.id, ())))
            if document.sequence not in outdated and not codes <= listed:
                errors.append(f"memory {document.id}: it is not found by the beginning of its codes")
            listed -= codes
        if listed and not gone:
            errors.append("codes are listed that no memory holds")
        return errors
