"""The PostgreSQL store: many agents in one database, with the tables that the SQLite file has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import psycopg

from agent_memory import paths
from agent_memory.errors import BackendError, StoreReadOnlyError
from agent_memory.network import is_elsewhere, postgres_host
from agent_memory.records import MemoryRecord
from agent_memory.redaction import redacted
from agent_memory.storage import backend_options, moved
from agent_memory.storage.base import (
    Capabilities,
    Durability,
    EmbeddingSpace,
    StoreDescription,
    paged,
)
from agent_memory.storage.changes import Change, Operation, Written
from agent_memory.storage.conditions import Sql
from agent_memory.storage.postgres import (
    adding,
    attempts,
    deciding,
    durability,
    history,
    hnsw,
    nearest,
    pending,
    promoting,
    reading,
    renewing,
    searching,
    setting,
    upkeep,
    vectors,
    words,
    writing,
)
from agent_memory.storage.postgres.binding import ServerStore, reads, reads_whole, writes
from agent_memory.storage.postgres.connection import Server, Unit
from agent_memory.storage.postgres.deciding import Frame, Request
from agent_memory.storage.postgres.hnsw import IndexKind, SearchedSpace
from agent_memory.storage.postgres.migrate import POLICED
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.retrieval import CandidateRequest, Candidates, VectorCandidates, VectorRequest
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

T = TypeVar("T")
GRAPH_FROM = 50_000
"""Vectors of an agent from which a bulk write leaves an HNSW index over them, unless `graph_from` says otherwise."""
MOST_HNSW_INDEXES = 10_000
"""Agents with an HNSW index in one schema at most. Each is a table, and the server's catalogue has to bear them."""
_BULK = 1000
_SEVERAL = 20
_NOTICED = 100
_SMALL_AGENT = 20_000
_HARMLESS: Final = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.ForeignKeyViolation,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.InsufficientPrivilege,
)
"""Why an access may not be counted: somebody else writes, the memory is gone, or nothing can be written."""


class PostgresStore(ServerStore):
    """Keeps agents' memories in a PostgreSQL database with pgvector 0.6 or newer.

    Options:
        url: `postgresql://user@host/database`; what it leaves out comes from PGHOST, PGPASSWORD, ~/.pgpass and so on.
            Of several hosts (`host1,host2`), the one that takes writes.
        read_url: a replica, or several, that answers reads once it has what was written here; else the primary does.
            Also as `?read_url=` in the URL.
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
        {
            "url",
            "read_url",
            "password_file",
            "schema",
            "pool_size",
            "connect_timeout",
            "row_level_security",
            "graph_from",
        }
    )

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.requested_agent = paths.check_agent_id(agent_id or "default")
        self._server = Server(str(options.get("url") or "postgresql://"), options, self.damaged)
        self._hnsw_from = backend_options.whole(options, "graph_from", GRAPH_FROM)
        self._most_hnsw_indexes = MOST_HNSW_INDEXES
        self._sample: vectors.Sample | None = None
        self._all_renewed = False
        self._written = 0
        """Vectors that were stored several at once since it was last looked whether they need an index."""

    @property
    def uses_network(self) -> bool:
        url = self._server.url
        return any(
            "service=" in place or is_elsewhere(place, postgres_host())
            for place in (url, self._server.read_url or url)
        )

    # --- life ----------------------------------------------------------------------------------------------

    async def _open(self) -> str:
        self._sample = None
        agent = str(self.requested_agent)
        await self._server.open(agent)
        return agent

    async def _bring_up_to_date(self) -> None:
        scope = self._scope
        known = not self._server.read_only and self._server.agent != reading.NOBODY
        if known and not await self._server.on_primary(lambda it: renewing.current(it, scope)):
            await self._server.write(lambda it: renewing.bring_up_to_date(it, scope))
        self._all_renewed = not await self._server.on_primary(lambda it: renewing.outdated(it, scope))

    def _check_writable(self) -> None:
        if self._server.takes_no_writes():
            raise StoreReadOnlyError.server(self._server.url, "a replica, or set to read only")

    async def _close(self) -> None:
        await self._server.close()

    async def _list_agents(self) -> list[str]:
        return await self._server.agents()

    async def _drop(self) -> None:
        scope = self._scope

        spaces = await self._server.on_primary(lambda it: vectors.spaces(it, scope))
        await promoting.drop_partial(self._server, scope, spaces)

        async def work(connection: Connection) -> None:
            agent = await deciding.lock(connection, scope)
            await promoting.drop_table(connection, scope, agent.hnsw)
            for table in ("agent", "agent_name"):
                await connection.execute(f"delete from {table} where number = {scope.number}")

        await self._server.write(work)

    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        new_vectors: Mapping[TextHash, Sequence[Vector]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        scope = self._scope
        request = Request.of(changes, new_vectors, space)
        written: list[Written] = []

        async def work(connection: Connection, frame: Frame) -> list[Written]:
            return await writing.commit(connection, scope, operation, request, frame, written)

        async def stored() -> list[Written] | None:
            """Look whether the transaction was committed though nobody could say so."""

            async def look(connection: Connection) -> list[Written] | None:
                query = f"select 1 from operation where agent = {scope.number} and id = %s"
                is_there = await reading.fetch(connection, query, [operation.id])
                return await adding.placed(connection, scope, written) if is_there else None

            return await self._server.on_primary(look) if written else None

        result = await self._server.write_at_once(work, stored)
        await self._tell_planner(len(changes))
        await self._keep_index_fitting(max(len(changes), len(new_vectors)))
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
            statements: list[Sql] = [
                ("select reltuples from pg_class where oid = to_regclass('memory')", []),
                (f"select documents from agent where number = {scope.number}", []),
            ]
            all_rows, documents = await reading.fetch_all(connection, statements)
            return all_rows[0][0], documents[0][0]

        all_rows, documents = await self._server.on_primary(known)
        if 10 * written >= min(all_rows, max(documents, _SMALL_AGENT)):
            await self._server.outside(f"analyze {', '.join(map(self._server.table, POLICED))}")

    async def _keep_index_fitting(self, written: int) -> None:
        """Make the HNSW index over the current space's vectors where there are many; drop it where there are few.

        It takes a while, so only who writes many at once waits for it.
        """
        if written < min(_SEVERAL, self._hnsw_from):
            return
        self._written += written
        if self._written < min(_BULK, self._hnsw_from):
            return
        self._written = 0
        await promoting.keep_fitting(self._server, self._scope, self._hnsw_from, self._most_hnsw_indexes)

    async def _touch(self, ids: Sequence[str]) -> None:
        scope = self._scope
        known = [memory_id for memory_id in ids if "\0" not in memory_id]

        if not known or self._server.takes_no_writes():
            return
        try:
            await self._server.on_primary(lambda it: reading.touch(it, scope, known))
        except BackendError as error:
            if not isinstance(error.__cause__, _HARMLESS):
                raise

    _set_setting = writes(setting.put)

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        scope = self._scope

        async def work(connection: Connection) -> bool:
            await deciding.lock(connection, scope)
            # The connection may have broken as this was committed before.
            if await setting.get(connection, scope, moved.SETTING) not in (before, after):
                return False
            await setting.put(connection, scope, moved.SETTING, after)
            return True

        return await self._server.write(work)

    _setting = reads(setting.get)

    # --- reading -------------------------------------------------------------------------------------------

    _get = reads(reading.get)
    _damage = reads(reading.damage_behind)
    _select = reads(reading.select)
    _select_each = reads(reading.select_each)
    _count = reads(reading.count)
    _groups = reads(reading.groups)
    _page = reads(reading.scan)
    _by_prefix = reads(reading.by_prefix)
    _neighbours = reads_whole(reading.neighbours)
    _adjacent = reads(reading.adjacent)
    _version = reads(reading.version)

    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        return paged(lambda after: self._page(where, after, batch))

    # --- retrieving ----------------------------------------------------------------------------------------

    _by_keyword = reads(words.best)
    _word_scores = reads(words.scores)
    _word_statistics = reads(words.statistics)
    _terms_beginning = reads(words.beginning)
    _vectors = reads(vectors.by_ids)
    _search_context = reads(searching.search_context)

    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        scope = self._scope
        answer = await self._read_by_index(
            lambda it: nearest.nearest(it, self._server, scope, vector, where, limit)
        )
        return answer.memories

    async def _read_by_index(self, unit: Unit[T]) -> T:
        """Run a unit that may use the agent's HNSW index; again if that is dropped in between."""
        try:
            return await self._server.read(unit)
        except BackendError as error:
            if not isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                raise
        self._scope.searched = None
        return await self._server.read(unit)

    async def _sample_vectors(self, limit: int) -> list[Vector]:
        scope = self._scope
        self._sample = await self._server.read(lambda it: vectors.sample(it, scope, limit, self._sample))
        return [] if self._sample is None else self._sample.vectors

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        scope = self._scope
        outdated = 0 if self._all_renewed else await self._outdated_count()

        async def work(connection: Connection) -> Candidates:
            known = await searching.facts(connection, scope, request)
            if known.space is not None:
                scope.searched = SearchedSpace(known.space.id, known.space.dimension, known.kind)
            return await searching.candidates(connection, scope, request, known, outdated)

        return await self._server.read(work)

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        scope = self._scope

        async def work(connection: Connection) -> VectorCandidates:
            answer, self._sample = await searching.vector_candidates(
                connection,
                self._server,
                scope,
                request,
                self._sample,
            )
            return answer

        return await self._read_by_index(work)

    async def _outdated_count(self) -> int:
        scope = self._scope
        return 0 if self._all_renewed else await self._server.read(lambda it: renewing.left(it, scope))

    async def _renew_some(self, limit: int) -> None:
        scope = self._scope
        await self._server.write(lambda it: renewing.renew(it, scope, limit))

    # --- embedding spaces ----------------------------------------------------------------------------------

    _spaces = reads(vectors.spaces)
    _add_space = writes(upkeep.add_space)
    _pending = reads(pending.pending)
    _pending_count = reads(pending.pending_count)
    _attempts = reads(pending.of_texts)
    _kept_segments = reads_whole(attempts.segments)
    _keep_attempts = writes(pending.remember)
    _switch = writes(vectors.switch)
    _store_vectors = writes(vectors.put)

    async def _switch_space(self, space: EmbeddingSpace) -> None:
        await self._switch(space)
        await self._keep_index_fitting(_BULK)

    async def _put_vectors(
        self, space: EmbeddingSpace, vectors_: Mapping[TextHash, Sequence[Vector]]
    ) -> None:
        await self._store_vectors(space, vectors_)
        await self._tell_planner(len(vectors_))
        await self._keep_index_fitting(len(vectors_))

    # --- history -------------------------------------------------------------------------------------------

    _versions = reads(history.of_one)
    _histories = reads(history.histories)
    _tombstoned = reads(history.tombstoned)
    _purged = reads(history.purged)
    _operations = reads(history.operations)
    _journal_end = reads(history.end)
    _changed_since = reads(history.changed_since)

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _describe(self) -> StoreDescription:
        scope = self._scope

        async def work(connection: Connection) -> StoreDescription:
            space = await vectors.current(connection, scope)
            kind = hnsw.kind_of(await reading.fetch(connection, *hnsw.kind_query(scope)))
            missing = await hnsw.missing(
                connection, scope, space, self._server.pgvector, self._hnsw_from, self._most_hnsw_indexes
            )
            version = (await reading.fetch(connection, "show server_version"))[0][0]
            return StoreDescription(
                backend=self.name,
                location=redacted(self._server.url),
                agent_id=self.agent_id,
                schema_version=self._server.version,
                level="read-only" if self._server.read_only else "full",
                details={
                    "server": f"PostgreSQL {version}, pgvector {'.'.join(map(str, self._server.pgvector))}",
                    "schema": self._server.schema,
                    "vector_index": kind is not IndexKind.NONE,
                    "vector_index_refused": missing.refused,
                    "vector_index_missing": missing.not_yet,
                    "reads_from": redacted(self._server.read_url) or None,
                    "accesses_counted": not self._server.read_only,
                },
            )

        return await self._server.on_primary(work)

    async def _durability(self) -> Durability:
        return await self._server.on_primary(durability.read)

    _check = reads_whole(upkeep.check)
    _derive = writes(upkeep.rebuild)

    async def _rebuild(self) -> None:
        """Make words, hashes and totals anew; and the index over the vectors, if there are many."""
        await self._derive()
        await promoting.repair(self._server, self._scope)
        await self._keep_index_fitting(_BULK)

    async def _secure_vacuum(self) -> None:
        """Let the server take out what was deleted; its log and its backups keep that as long as they do."""
        scope = self._scope
        own = await self._server.on_primary(lambda it: hnsw.tables(it, scope))
        for table in ("agent_name", "agent", *POLICED, *own):
            await self._server.outside(f"vacuum {self._server.table(table)}")
