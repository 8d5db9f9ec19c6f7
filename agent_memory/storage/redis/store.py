"""The Redis store: documents as hashes, found by sets of ids, and by the search module where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from redis import exceptions
from redis.asyncio import Redis

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import BackendError, ConfigurationError, StoreFullError, StoreReadOnlyError
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.redaction import redacted
from agent_memory.storage import backend_options
from agent_memory.storage.base import (
    Capabilities,
    EmbeddingSpace,
    JournalStore,
    KeywordStore,
    StoreDescription,
    unique,
)
from agent_memory.storage.closed import ClosedClient
from agent_memory.storage.documents import (
    Document,
    Manifest,
    Nearest,
    Query,
    WriteBatch,
    WriteConflict,
    begin,
)
from agent_memory.storage.redis import connection, fields, journal, listing, narrowing, vectors, words
from agent_memory.storage.redis.connection import Mode, translated
from agent_memory.storage.redis.gathering import Gathering
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.patience import Outage
from agent_memory.storage.redis.reading import Reading
from agent_memory.storage.redis.routing import Route
from agent_memory.storage.redis.search import SearchModule
from agent_memory.storage.redis.searching import Searching
from agent_memory.storage.redis.upkeep import Upkeep
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_FIELDS = ("json", "accessed_at", "access_count")
_COUNT_ACCESS = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'accessed_at', ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'access_count', 1)
end
"""
_PAUSE = 0.1
"""Seconds after which a write is tried again that a server has not taken."""
FEW = 2000
"""A filter that leaves no more memories than this is answered by comparing their vectors one by one."""


class RedisStore(Searching, Reading, Upkeep, KeywordStore, JournalStore):
    """Keeps agents' memories in a Redis or Valkey server.

    What finds them is asked of the server: `search` (the search module retrieves by keyword and by vector),
    `vector-sets` (Redis 8 retrieves by vector), else `plain` (words in sorted sets, vectors compared in this
    process). The results are the same; without the module, what cannot be narrowed down by an index is read and
    compared here, up to `most_scanned` memories, and refused by name beyond.

    Options:
        url: `redis://[user:password@]host:6379/0`, `rediss://` for TLS, `unix://path`; a cluster as
            `redis+cluster://host:6379,host:6379` or by any of its nodes, Sentinels as
            `redis+sentinel://host:26379,host/service`.
        password, password_file, username, db: beside the URL.
        prefix: what all keys begin with, `agentmem` by default.
        mode: `search`, `vector-sets` or `plain`, to use less than the server can.
        most_scanned: 100,000 by default.
        connect_timeout, timeout: seconds; 5 (in a cluster at most 2) and 30 by default.
    """

    name: ClassVar[str] = "redis"
    capabilities: ClassVar[Capabilities] = Capabilities(
        persistent=True,
        shared=True,
        full_text=True,
        vectors=True,
        transactions=True,
        journal=True,
        usage=True,
        ttl=True,
    )
    options: ClassVar[frozenset[str]] = frozenset(
        {"url", "password", "password_file", "username", "db", "prefix", "mode", "most_scanned"}
        | {"connect_timeout", "timeout"}
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self._url = str(options.get("url") or "redis://127.0.0.1:6379/0")
        wanted = options.get("mode")
        if wanted is not None and wanted not in connection.MODES:
            raise ConfigurationError.unknown("mode of redis", wanted, connection.MODES)
        self._wanted: Mode | None = wanted
        self._most = backend_options.whole(options, "most_scanned", 100_000)
        self._keys = Keys.of(str(options.get("prefix", "agentmem")), str(self.requested_agent))
        self._client: Any = None
        self._route: Route | None = None
        self._outage = Outage()
        self._module: SearchModule | None = None
        self._mode: Mode = "plain"
        self._copies = {}
        self._all_renewed = False
        self._manifest_read = Manifest("")

    # --- life ----------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        await self._close()
        client, self._route = await connection.connect(self._url, self.settings, self._keys.root)
        try:
            with translated(self._url):
                self._mode = await self._chosen(client)
                self._client, self._copies, self._all_renewed = client, {}, False
                text = await self._load_meta("head")
                self._manifest_read = Manifest("") if text is None else Manifest.from_json(text)
                await self._settle(self._manifest_read)
                if self._route is not None and self._module is not None:
                    self._route.prepare = self._prepare_server
        except BaseException:
            self._client = None
            await client.aclose()
            raise

    async def _chosen(self, client: Redis) -> Mode:
        able = await connection.detect(client)
        if self._wanted is None:
            return able
        if connection.MODES.index(self._wanted) < connection.MODES.index(able):
            raise ConfigurationError(
                f"{redacted(self._url)} cannot do the mode '{self._wanted}'", hint=f"it can do '{able}'"
            )
        return self._wanted

    async def _close(self) -> None:
        client, self._client, self._module = self._client, ClosedClient(self.name), None
        if client is not None and not isinstance(client, ClosedClient):
            await client.aclose()

    async def _list_agents(self) -> set[str]:
        return await listing.agents(self._url, self.settings, str(self.settings.get("prefix", "agentmem")))

    async def _drop(self) -> None:
        with translated(self._url):
            if self._module is not None:
                await self._module.drop((await self._manifest()).spaces)
            await self._delete_matching(self._keys.root)

    def _location(self) -> str:
        return redacted(self._url)

    async def _describe(self) -> StoreDescription:
        with translated(self._url):
            told = await self._client.info("server")
        server = "valkey" if "valkey_version" in told else "redis"
        details = {"mode": self._mode, "server": f"{server} {told.get(f'{server}_version', '')}".strip()}
        return StoreDescription(
            backend=self.name,
            location=self._location(),
            agent_id=self.agent_id,
            details=details if self._route is None else details | self._route.describe(),
        )

    # --- documents -----------------------------------------------------------------------------------------

    async def _load_meta(self, name: str) -> str | None:
        with translated(self._url):
            text = await self._client.get(self._keys(name))
        return None if text is None else text.decode()

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        with translated(self._url):
            names = [self._keys.document(memory_id) for memory_id in ids]
            answers = await fields.of_hashes(self._client, names, *_FIELDS)
        return self._documents(dict(zip(ids, answers, strict=True)))

    def _documents(self, answers: Mapping[str, Sequence[Any]]) -> dict[str, Document]:
        read = self._documents_of(
            {item: answer[0] for item, answer in answers.items() if answer[0] is not None}
        )
        return {item: _used(document, *answers[item][1:3]) for item, document in read.items()}

    async def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        renewed = narrowing.asks_for_system_messages(query.where) and not await self._outdated_count()
        with translated(self._url):
            ids = await narrowing.candidates(self._client, self._keys, query, renewed=renewed)
        if len(ids) > self._most:
            raise BackendError(
                f"{len(ids)} memories would have to be read for this, and most_scanned is {self._most}",
                hint="narrow it down by a tag, a type or a session, or set backend_config.most_scanned",
            )
        for part in batched(ids, 500):
            yield list((await self._read(part)).values())

    async def _write(self, write_batch: WriteBatch) -> None:
        plan = write_batch.plan
        cut = [] if plan is None else [*plan.keep_one_version, *plan.erase_history]
        with translated(self._url):
            try:
                old = await journal.earlier(self._client, self._keys, unique(cut))
                silent = (
                    await journal.silenced(self._client, self._keys, plan, old) if plan is not None else {}
                )
                present = [item for item, (before, _) in write_batch.changed.items() if before is not None]
                indexed = await self._indexed([*present, *write_batch.removed])
                await self._sweep()
                async with self._client.pipeline(transaction=True) as pipe:
                    await pipe.watch(self._keys("head"))
                    text = await pipe.get(self._keys("head"))
                    version = 0 if text is None else Manifest.from_json(text.decode()).version
                    if version != write_batch.before.version:
                        raise WriteConflict
                    pipe.multi()
                    gathering = Gathering(pipe)
                    batch = self._gathered(gathering, indexed).at(write_batch.manifest.version)
                    batch.write(write_batch)
                    if plan is not None and not plan.empty:
                        journal.append(gathering, self._keys, plan, old, silent)
                    gathering.flush()
                    await pipe.execute()
            except exceptions.WatchError as error:
                # Overtaken, or the connection broke: then nobody has said whether it was stored.
                if not await self._stored(write_batch):
                    await self._wait_for_server(error)
                    raise WriteConflict from None
            except (exceptions.ConnectionError, exceptions.TimeoutError):
                if not await self._stored(write_batch):
                    raise
        for space in write_batch.manifest.spaces:
            if self._module is not None and space not in write_batch.before.spaces:
                await self._module.prepare([space])

    async def _wait_for_server(self, error: exceptions.WatchError) -> None:
        """Where a transaction ended since its connection broke, wait a moment; raise if that goes on for too long."""
        if isinstance(error.__context__, exceptions.ConnectionError):
            if self._outage.lasts():
                raise error
            await asyncio.sleep(_PAUSE)

    async def _stored(self, write_batch: WriteBatch) -> bool:
        plan = write_batch.plan
        if plan is None or plan.empty:
            return False
        return bool(await self._client.hexists(self._keys("operation"), plan.operation.id))

    async def _touch(self, ids: Sequence[str]) -> None:
        moment = clock.to_text(clock.now())
        pipe = self._client.pipeline(transaction=False)
        for memory_id in ids:
            pipe.eval(_COUNT_ACCESS, 1, self._keys.document(memory_id), moment)
        try:
            with translated(self._url):
                await pipe.execute()
        except BackendError as error:
            # A replica, a server without room, a user who may only read: what was found is found all the same.
            harmless = (StoreReadOnlyError, StoreFullError)
            if not isinstance(error, harmless) and not isinstance(
                error.__cause__, exceptions.NoPermissionError
            ):
                raise

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        with translated(self._url):
            if self._module is not None:
                return await self._module.statistics(terms)
            return await words.statistics(self._client, self._keys, terms)

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        known = await self._word_statistics(terms)
        with translated(self._url):
            if self._module is not None:
                return await self._module.word_scores(terms, ids, known)
            frequencies = await words.among(self._client, self._keys, terms, ids)
            return await words.scores(self._client, self._keys, frequencies, known)

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        with translated(self._url):
            return await words.beginning(self._client, self._keys, prefix, limit)

    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        known = await self._word_statistics(terms)
        query = Query(where=where, now=clock.now())
        if self._module is None:
            with translated(self._url):
                frequencies = await words.holding(self._client, self._keys, terms)
                scores = await words.scores(self._client, self._keys, frequencies, known)
            return await self._best(query, sorted(scores.items(), key=lambda pair: -pair[1]), limit)
        wanted = max(4 * limit, 50)
        while True:
            with translated(self._url):
                ranked, complete = await self._module.by_keyword(terms, query, wanted, known)
            admitted = await self._best(query, ranked, limit)
            if len(admitted) >= limit or complete:
                return admitted
            wanted *= 4

    async def _best(
        self, query: Query, ranked: Sequence[tuple[str, float]], limit: int
    ) -> list[tuple[str, float]]:
        """Return the first that a query admits."""
        if self._module is not None and query.plain:
            return list(ranked[:limit])  # the module has filtered them
        admitted: list[tuple[str, float]] = []
        size = max(100, 2 * limit)
        for part in batched(ranked, size):
            ids = [memory_id for memory_id, _ in part]
            with translated(self._url):
                known = await narrowing.admitted(self._client, self._keys, query, ids)
            if known is None:
                known = [item.id for item in (await self._read(ids)).values() if query.admits(item)]
            good = set(known)
            admitted += [pair for pair in part if pair[0] in good]
            if len(admitted) >= limit:
                break
        return admitted[:limit]

    async def _outdated_count(self) -> int:
        if self._all_renewed:
            return 0
        manifest = await self._manifest()
        with translated(self._url):
            left = int(
                await self._client.zcount(
                    self._keys("places"), f"({manifest.renewed_up_to}", manifest.outdated_up_to
                )
            )
        self._all_renewed = not left
        return left

    async def _renew_some(self, limit: int) -> None:
        async def prepare() -> tuple[WriteBatch, None]:
            write_batch = begin(await self._manifest())
            manifest = write_batch.before
            with translated(self._url):
                ids = await self._client.zrange(
                    self._keys("places"),
                    f"({manifest.renewed_up_to}",
                    manifest.outdated_up_to,
                    byscore=True,
                    offset=0,
                    num=limit,
                )
            for document in (await self._read([result.decode() for result in ids])).values():
                write_batch.change(document, document)
            last = max((after.sequence for _, after in write_batch.changed.values()), default=0)
            done = last if len(ids) == limit and last else manifest.outdated_up_to
            write_batch.manifest = replace(write_batch.manifest, renewed_up_to=done)
            return write_batch, None

        await self._written(prepare, Verb.RENEW)

    async def _nearest(self, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> Nearest:
        with translated(self._url):
            if self._module is not None:
                return await self._module.nearest(space, vector, query, count)
            if query.where != Where():
                ids = await narrowing.candidates(self._client, self._keys, query)
                if len(ids) <= FEW:
                    known = await narrowing.admitted(self._client, self._keys, query, ids)
                    segments = await vectors.read_all(
                        self._client, self._keys, space.id, ids if known is None else known
                    )
                    nearest = vectors.Copy(segments=segments).nearest(
                        space, vector, len(ids) + sum(map(len, segments.values()))
                    )
                    return nearest._replace(exact=known is not None)
            if self._mode == "vector-sets":
                statuses = [status.value for status in query.where.statuses]
                return await vectors.by_set(self._client, self._keys, space, vector, statuses, count)
            self._check_number(await self._client.scard(self._keys("embedded", space.id)))
            copy = self._copies.setdefault(space.id, vectors.Copy())
            moved = await copy.ask_moved(self._client, self._keys, space)
            await copy.refresh(self._client, self._keys, space, self._read, moved)
            return copy.nearest(space, vector, count)

    async def _read_vectors(
        self, space_id: int, documents: Sequence[Document]
    ) -> Mapping[str, Sequence[Vector]]:
        counts = {document.id: document.embedded[space_id] for document in documents}
        with translated(self._url):
            return await vectors.read(self._client, self._keys, space_id, counts)

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[Vector]]:
        manifest = await self._manifest()
        if space is None and manifest.current() is None:
            return {}
        chosen = manifest.known(space)
        with translated(self._url):
            return await vectors.read_all(self._client, self._keys, chosen.id, ids)

    # --- history -------------------------------------------------------------------------------------------

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        with translated(self._url):
            if memory_id is None:
                return await journal.of_operation(self._client, self._keys, self.agent_id, operation_id or "")
            return await journal.of_memory(self._client, self._keys, self.agent_id, memory_id, self.damaged)

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        with translated(self._url):
            return await journal.histories(self._client, self._keys, self.agent_id, ids, self.damaged)

    async def _tombstoned(self) -> list[str]:
        with translated(self._url):
            return await journal.tombstoned(self._client, self._keys)

    async def _purged(self) -> list[MemoryRecord]:
        with translated(self._url):
            return await journal.purged(self._client, self._keys, self.agent_id, self.damaged)

    async def _operations(self, limit: int) -> list[OperationRecord]:
        with translated(self._url):
            return await journal.operations(self._client, self._keys, limit, self.damaged)

    async def _journal_end(self) -> int:
        with translated(self._url):
            return int(await self._client.llen(self._keys("operations")))

    async def _changed_since(self, position: int) -> tuple[list[str], int]:
        with translated(self._url):
            return await journal.changed_since(self._client, self._keys, position)


def _used(document: Document, accessed: bytes | None, count: bytes | None) -> Document:
    """Return a document with its accesses; what is damaged there is not worth leaving a memory out."""
    if accessed is None:
        return document
    try:
        moment, number = clock.from_text(accessed.decode()), int(count or 0)
    except ValueError:
        return document
    return replace(document, record=replace(document.record, accessed_at=moment, access_count=number))
