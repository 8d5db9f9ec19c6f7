"""The PostgreSQL store: many agents in one database, with the tables that the SQLite file has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal

import psycopg

from agent_memory import paths
from agent_memory.network import is_elsewhere, postgres_host
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.redaction import redacted
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import (
    Capabilities,
    EmbeddingSpace,
    FullStore,
    Group,
    GroupBy,
    Order,
    StoreDescription,
    paged,
)
from agent_memory.storage.changes import Change, Operation, Written
from agent_memory.storage.postgres import (
    attempts,
    history,
    nearest,
    reading,
    renewing,
    searching,
    upkeep,
    vectors,
    words,
    writing,
)
from agent_memory.storage.postgres.connection import Connection, Server
from agent_memory.storage.postgres.migrate import POLICED
from agent_memory.storage.postgres.reading import Scope
from agent_memory.storage.retrieval import (
    CandidateRequest,
    Candidates,
    ContextRequest,
    SearchContext,
    VectorCandidates,
    VectorRequest,
)
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics

GRAPH_FROM = 50_000
"""Vectors of an agent from which a bulk write leaves a graph (HNSW) over them, unless `graph_from` says otherwise."""
_BULK = 1000
_NOTICED = 100
_SMALL_AGENT = 20_000


class PostgresStore(FullStore):
    """Keeps agents' memories in a PostgreSQL database with pgvector 0.6 or newer.

    Options:
        url: `postgresql://user@host/database`; what it leaves out comes from PGHOST, PGPASSWORD, ~/.pgpass and so on.
        password_file: a file with the password.
        schema: where the tables are, `agentmem` by default; made if it is not there.
        pool_size: connections at most, 4 by default.
        connect_timeout: seconds, 5 by default.
        row_level_security: let the server refuse rows of other agents too; not for superusers, who see everything.
        graph_from: vectors of an agent from which they get an HNSW index, 50,000 by default. Below, all are compared.
    """

    name: ClassVar[str] = "postgres"
    capabilities: ClassVar[Capabilities] = Capabilities(
        persistent=True,
        shared=True,
        full_text=True,
        vectors=True,
        transactions=True,
        journal=True,
        usage=True,
        filters=True,
        ordering=True,
        counts=True,
    )
    options: ClassVar[frozenset[str]] = frozenset(
        {"url", "password_file", "schema", "pool_size", "connect_timeout", "row_level_security", "graph_from"}
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.requested_agent = paths.check_agent_id(agent_id or "default")
        self._server = Server(str(options.get("url") or "postgresql://"), options)
        self._hnsw_from = int(options.get("graph_from", GRAPH_FROM))
        self._sample: vectors.Sample | None = None
        self._all_renewed = False
        self._hnsw_index: tuple[int, bool] | None = None
        """The current space, and whether there was an HNSW index over its vectors, as the last search found it."""

    @property
    def _scope(self) -> Scope:
        return Scope(self._server.agent, self.agent_id)

    @property
    def uses_network(self) -> bool:
        url = self._server.url
        return "service=" in url or is_elsewhere(url, postgres_host())

    # --- life ----------------------------------------------------------------------------------------------

    async def _open(self) -> str:
        self._sample = None
        agent = str(self.requested_agent)
        await self._server.open(agent)
        return agent

    async def _bring_up_to_date(self) -> None:
        scope = self._scope
        if not await self._server.read(lambda it: renewing.current(it, scope)):
            await self._server.write(lambda it: renewing.bring_up_to_date(it, scope))
        self._all_renewed = not await self._server.read(lambda it: renewing.outdated(it, scope))

    async def _close(self) -> None:
        await self._server.close()

    async def _drop(self) -> None:
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            for space in await vectors.spaces(connection, scope):
                await connection.execute(f"drop index if exists {nearest.hnsw_index_name(scope, space)}")
            await connection.execute(f"delete from agent where number = {scope.number}")

        await self._server.write(work)

    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        given: Mapping[bytes, Sequence[bytes]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        scope = self._scope
        written: list[Written] = []

        async def work(connection: Connection) -> list[Written]:
            written[:] = await writing.commit(connection, scope, operation, changes, given, space)
            return list(written)

        async def stored() -> list[Written] | None:
            """Look whether the transaction was committed though nobody could say so."""

            async def look(connection: Connection) -> list[Any]:
                query = f"select 1 from operation where agent = {scope.number} and id = %s"
                return await reading.fetch(connection, query, [operation.id])

            return list(written) if written and await self._server.read(look) else None

        result = await self._server.write(work, stored)
        await self._tell_planner(len(changes))
        await self._grow_hnsw_index(len(given))
        return result

    async def _tell_planner(self, written: int) -> None:
        """Let the server look at tables that have grown by a tenth at once; by itself it does so a minute later.

        Until then it plans as if they were small, and compares every row with every other. Many small agents beside
        each other are alike to the planner: for one of them it need not look at all again.
        """
        scope = self._scope
        if written < _NOTICED:
            return

        async def known(connection: Connection) -> tuple[float, int]:
            query = (
                "select (select reltuples from pg_class where oid = to_regclass('memory')), documents"
                f" from agent where number = {scope.number}"
            )
            all_rows, documents = (await reading.fetch(connection, query))[0]
            return all_rows, documents

        all_rows, documents = await self._server.read(known)
        if 10 * written >= min(all_rows, max(documents, _SMALL_AGENT)):
            await self._server.outside(f"analyze {', '.join(POLICED)}")

    async def _grow_hnsw_index(self, written: int) -> None:
        """Make the graph over the current space's vectors, if there are many and it has none.

        It takes a while, so only who has written many at once waits for it.
        """
        if written < min(_BULK, self._hnsw_from):
            return
        scope = self._scope

        async def many(connection: Connection) -> EmbeddingSpace | None:
            space = await vectors.current(connection, scope)
            if space is None or await nearest.has_hnsw_index(connection, scope, space):
                return None
            query = f"select count(*) from embedding where agent = {scope.number} and space = {space.id}"
            return space if (await reading.fetch(connection, query))[0][0] >= self._hnsw_from else None

        space = await self._server.read(many)
        if space is not None:
            await nearest.create_hnsw_index(self._server, scope, space)

    async def _touch(self, ids: Sequence[str]) -> None:
        scope = self._scope
        known = [memory_id for memory_id in ids if "\0" not in memory_id]

        async def work(connection: Connection) -> None:
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation):
                await reading.touch(connection, scope, known)  # not counted, it harms nobody

        if known:
            await self._server.read(work)

    async def _set_setting(self, name: str, value: str | None) -> None:
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            await connection.execute(
                f"delete from setting where agent = {scope.number} and name = %s", (name,)
            )
            if value is not None:
                await connection.execute(
                    "insert into setting (agent, name, value) values (%s, %s, %s)",
                    (scope.number, name, value),
                )

        await self._server.write(work)

    async def _setting(self, name: str) -> str | None:
        scope = self._scope

        async def work(connection: Connection) -> str | None:
            query = f"select value from setting where agent = {scope.number} and name = %s"
            found = await reading.fetch(connection, query, [name])
            return str(found[0][0]) if found else None

        return await self._server.read(work)

    # --- reading -------------------------------------------------------------------------------------------

    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        scope = self._scope
        return await self._server.read(lambda it: reading.get(it, scope, ids))

    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        scope = self._scope
        return await self._server.read(lambda it: reading.select(it, scope, where, order, limit, offset))

    async def _count(self, where: Where) -> int:
        scope = self._scope
        return await self._server.read(lambda it: reading.count(it, scope, where))

    async def _groups(self, where: Where, by: GroupBy) -> list[Group]:
        scope = self._scope
        return await self._server.read(lambda it: reading.groups(it, scope, where, by))

    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        scope = self._scope
        return paged(lambda after: self._server.read(lambda it: reading.scan(it, scope, where, after, batch)))

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        scope = self._scope
        return await self._server.read(lambda it: reading.by_prefix(it, scope, prefix, limit))

    async def _neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        scope = self._scope
        return await self._server.read_whole(
            lambda it: reading.neighbours(it, scope, message_id, before, after)
        )

    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        scope = self._scope
        return await self._server.read(lambda it: reading.adjacent(it, scope, message_ids, step))

    async def _version(self) -> int:
        scope = self._scope

        async def work(connection: Connection) -> int:
            query = f"select version from agent where number = {scope.number}"
            return int((await reading.fetch(connection, query))[0][0])

        return await self._server.read(work)

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        scope = self._scope
        return await self._server.read(lambda it: words.best(it, scope, terms, scope.condition(where), limit))

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        scope = self._scope
        return await self._server.read(lambda it: words.scores(it, scope, terms, ids))

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        scope = self._scope
        return await self._server.read(lambda it: words.statistics(it, scope, terms))

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        scope = self._scope
        return await self._server.read(lambda it: words.beginning(it, scope, prefix, limit))

    async def _by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        scope = self._scope
        return await self._server.read(
            lambda it: nearest.nearest(it, self._server, scope, vector, where, limit)
        )

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        scope = self._scope

        async def work(connection: Connection) -> dict[str, list[bytes]]:
            chosen = space or await vectors.current(connection, scope)
            return {} if chosen is None else await vectors.segments_of(connection, scope, ids, chosen.id)

        return await self._server.read(work)

    async def _sample_vectors(self, limit: int) -> list[bytes]:
        scope = self._scope
        self._sample = await self._server.read(lambda it: vectors.sample(it, scope, limit, self._sample))
        return [] if self._sample is None else self._sample.vectors

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        scope = self._scope
        outdated = 0 if self._all_renewed else await self._outdated_count()

        async def work(connection: Connection) -> Candidates:
            known = await searching.facts(connection, scope, request)
            if known.space is not None:
                self._hnsw_index = (known.space.id, known.hnsw_index)
            return await searching.candidates(connection, scope, request, known, outdated)

        return await self._server.read(work)

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        scope = self._scope
        space_id, hnsw_index = self._hnsw_index or (None, None)

        async def work(connection: Connection) -> VectorCandidates:
            answer, self._sample = await searching.vector_candidates(
                connection,
                self._server,
                scope,
                request,
                hnsw_index=hnsw_index if request.space is not None and request.space.id == space_id else None,
                sample=self._sample,
            )
            return answer

        return await self._server.read(work)

    async def _search_context(self, request: ContextRequest) -> SearchContext:
        scope = self._scope
        return await self._server.read(lambda it: searching.search_context(it, scope, request))

    async def _outdated_count(self) -> int:
        scope = self._scope
        return 0 if self._all_renewed else await self._server.read(lambda it: renewing.left(it, scope))

    async def _renew_some(self, limit: int) -> None:
        scope = self._scope
        await self._server.write(lambda it: renewing.renew(it, scope, limit))

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def _spaces(self) -> list[EmbeddingSpace]:
        scope = self._scope
        return await self._server.read(lambda it: vectors.spaces(it, scope))

    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        scope = self._scope

        async def work(connection: Connection) -> EmbeddingSpace:
            await writing.lock(connection, scope)
            known = await vectors.spaces(connection, scope)
            added = await vectors.add_space(connection, scope, space)
            if any(entry.template_version != added.template_version for entry in known):
                await upkeep.rebuild(connection, scope)  # the texts to embed are others now
            return added

        return await self._server.write(work)

    async def _switch_space(self, space: EmbeddingSpace) -> None:
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            await vectors.switch(connection, scope, space)

        await self._server.write(work)
        await self._grow_hnsw_index(_BULK)

    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        scope = self._scope

        async def work(connection: Connection) -> list[MemoryRecord]:
            chosen = space or await vectors.current(connection, scope)
            sql, values = attempts.pending(scope, None if chosen is None else chosen.id, failed)
            newest = f"{sql} order by m.created_at desc, m.place desc limit {int(limit)}"
            return await reading.records(connection, scope, newest, values)

        return await self._server.read(work)

    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        scope = self._scope

        async def work(connection: Connection) -> int:
            chosen = space or await vectors.current(connection, scope)
            sql, values = attempts.pending(scope, None if chosen is None else chosen.id, failed)
            query = f"select count(*) from memory as m where {sql}"
            return int((await reading.fetch(connection, query, values))[0][0])

        return await self._server.read(work)

    async def _put_vectors(self, space: EmbeddingSpace, vectors_: Mapping[bytes, Sequence[bytes]]) -> None:
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            known = await vectors.known(connection, scope, space)
            await vectors.store(connection, scope, known, await vectors.wanted(connection, scope, vectors_))

        await self._server.write(work)
        await self._tell_planner(len(vectors_))
        await self._grow_hnsw_index(len(vectors_))

    async def _attempts(self, space: EmbeddingSpace, digests: Collection[bytes]) -> dict[bytes, Attempt]:
        scope = self._scope
        return await self._server.read(lambda it: attempts.read(it, scope, space.id, digests))

    async def _kept_segments(self, space: EmbeddingSpace, digest: bytes) -> list[bytes]:
        scope = self._scope
        return await self._server.read_whole(lambda it: attempts.segments(it, scope, space, digest))

    async def _keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts_: Mapping[bytes, Attempt],
        vectors_: Mapping[bytes, Sequence[bytes]],
    ) -> None:
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            known = await vectors.known(connection, scope, space)
            wanted = await vectors.wanted(connection, scope, attempts_)
            await attempts.keep(connection, scope, known, wanted, vectors_)

        await self._server.write(work)

    # --- history -------------------------------------------------------------------------------------------

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        scope, ids = self._scope, None if memory_id is None else [memory_id]
        return await self._server.read(lambda it: history.versions(it, scope, ids, operation_id))

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        scope = self._scope
        result: dict[str, list[Version]] = {}
        for version in await self._server.read(lambda it: history.versions(it, scope, ids, None)):
            result.setdefault(version.memory_id, []).append(version)
        return result

    async def _tombstoned(self) -> list[str]:
        scope = self._scope
        return await self._server.read(lambda it: history.tombstoned(it, scope))

    async def _purged(self) -> list[MemoryRecord]:
        scope = self._scope
        return await self._server.read(lambda it: history.purged(it, scope))

    async def _operations(self, limit: int) -> list[OperationRecord]:
        scope = self._scope
        return await self._server.read(lambda it: history.operations(it, scope, limit))

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _describe(self) -> StoreDescription:
        scope = self._scope

        async def work(connection: Connection) -> StoreDescription:
            space = await vectors.current(connection, scope)
            hnsw_index = space is not None and await nearest.has_hnsw_index(connection, scope, space)
            version = (await reading.fetch(connection, "show server_version"))[0][0]
            return StoreDescription(
                backend=self.name,
                location=redacted(self._server.url),
                agent_id=self.agent_id,
                schema_version=self._server.version,
                details={
                    "server": f"PostgreSQL {version}, pgvector {'.'.join(map(str, self._server.pgvector))}",
                    "schema": self._server.schema,
                    "vector_index": hnsw_index,
                },
            )

        return await self._server.read(work)

    async def _check(self) -> list[str]:
        scope = self._scope
        return await self._server.read_whole(lambda it: upkeep.check(it, scope))

    async def _rebuild(self) -> None:
        """Make words, hashes and totals anew; and the graph over the vectors, if there are many."""
        scope = self._scope

        async def work(connection: Connection) -> None:
            await writing.lock(connection, scope)
            await upkeep.rebuild(connection, scope)

        await self._server.write(work)
        await self._grow_hnsw_index(_BULK)

    async def _secure_vacuum(self) -> None:
        """Let the server take out what was deleted; its log and its backups keep that as long as they do."""
        for table in ("agent", *POLICED):
            await self._server.outside(f"vacuum {table}")
