"""The SQLite store: one file per agent, one thread that owns the connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from agent_memory import paths
from agent_memory.errors import BackendError, ConfigurationError, ValidationError
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.base import (
    Capabilities,
    EmbeddingSpace,
    Group,
    GroupBy,
    Order,
    Store,
    StoreDescription,
    check_order,
)
from agent_memory.storage.changes import Change, Operation, Written
from agent_memory.storage.interim import (
    connection as opening,
)
from agent_memory.storage.interim import (
    driver,
    history,
    integrity,
    reading,
    rows,
    vectors,
    words,
    writing,
)
from agent_memory.storage.interim.driver import Connection
from agent_memory.storage.interim.worker import Worker
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics

T = TypeVar("T")
_AGENT = "agent_id"


class SqliteStore(Store):
    """Keeps one agent's memories in one SQLite file.

    Options:
        path: the file; by default one named after the agent in the user's data folder.
        busy_timeout: seconds to wait for another process's write, 10 by default.
        synchronous: `full` (default: what was acknowledged survives a power cut) or `normal` (it survives a
            killed process; a power cut may take the last moments).
    """

    name: ClassVar[str] = "sqlite"
    capabilities: ClassVar[Capabilities] = Capabilities(
        persistent=True,
        shared=True,
        full_text=True,
        vectors=True,
        transactions=True,
        journal=True,
        usage=True,
    )
    options: ClassVar[frozenset[str]] = frozenset({"path", "busy_timeout", "synchronous"})

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        path = options.get("path")
        self._busy_timeout = options.get("busy_timeout", opening.BUSY_TIMEOUT)
        self._synchronous = options.get("synchronous", "full")
        opening.check_settings(path, self._busy_timeout, self._synchronous)
        if agent_id is not None:
            agent_id = self.requested_agent = paths.check_agent_id(agent_id)
        self.path = Path(path).expanduser() if path is not None else paths.database(agent_id or "default")
        """The file."""
        self._worker: Worker | None = None
        self._connection: Connection | None = None
        self._extension: bool | None = None
        self._sample: vectors.Sample | None = None
        self._writable = True

    # --- life ----------------------------------------------------------------------------------------------

    async def _open(self) -> str:
        worker = Worker(f"agentmem {self.path.name}")
        try:
            self._connection, self._writable = await worker.run(
                lambda: opening.open_file(
                    str(self.path), busy_timeout=self._busy_timeout, synchronous=self._synchronous
                )
            )
            self._worker = worker
            return await self._run(self._learn_agent)
        except BaseException:
            await self._stop(worker)
            raise

    def _learn_agent(self, connection: Connection) -> str:
        query = "select value from setting where name = ?"
        known = connection.execute(query, (_AGENT,)).fetchone()
        if known is None and self._writable:
            with writing.writing(connection):
                connection.execute(
                    "insert or ignore into setting (name, value) values (?, ?)",
                    (_AGENT, self.requested_agent or "default"),
                )
            known = connection.execute(query, (_AGENT,)).fetchone()
        agent = str(known[0]) if known else self.requested_agent or "default"
        if self.requested_agent is not None and agent != self.requested_agent:
            raise ConfigurationError(
                f"{self.path} belongs to the agent '{agent}', not to '{self.requested_agent}'",
                hint=f"use the agent '{agent}', or another --db PATH",
            )
        return agent

    async def close(self) -> None:
        worker, self._worker, self._agent_id = self._worker, None, None
        if worker is not None:
            await self._stop(worker)

    async def _stop(self, worker: Worker) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await worker.run(connection.close)
        worker.stop()

    async def _run(self, function: Callable[[Connection], T]) -> T:
        worker, connection = self._worker, self._connection
        if worker is None or connection is None:
            raise BackendError("the sqlite store is not open", hint="use `async with AgentMemory(...)`")

        def unit() -> T:
            with opening.translated(str(self.path)):
                return function(connection)

        return await worker.run(unit)

    async def _write(self, function: Callable[[Connection], T]) -> T:
        self.check_usable()
        if not self._writable:
            raise BackendError(
                f"{self.path} is read-only", hint="check the permissions of the file and its folder"
            )

        def unit(connection: Connection) -> T:
            with writing.writing(connection):
                return function(connection)

        return await self._run(unit)

    async def _read(self, function: Callable[[Connection], T]) -> T:
        self.check_usable()
        return await self._run(function)

    def _with_extension(self, connection: Connection) -> None:
        """Load sqlite-vec when it is first needed: a command that compares no vectors does without."""
        if self._extension is None:
            self._extension = driver.load_vector_extension(connection)
            if self._extension and self._writable and vectors.needs_index(connection):
                with writing.writing(connection):
                    vectors.rebuild_index(connection)

    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self, operation: Operation, changes: Sequence[Change], given: Mapping[bytes, Sequence[bytes]]
    ) -> list[Written]:
        def unit(connection: Connection) -> list[Written]:
            if given or vectors.current_space(connection) is not None:
                self._with_extension(connection)
            return writing.commit(connection, operation, changes, given, self.agent_id)

        self.check_usable()
        if not self._writable:
            raise BackendError(
                f"{self.path} is read-only", hint="check the permissions of the file and its folder"
            )
        return await self._run(unit)

    async def touch(self, ids: Sequence[str]) -> None:
        self.check_usable()
        if not ids or not self._writable:
            return

        def unit(connection: Connection) -> None:
            connection.execute("pragma busy_timeout = 0")
            try:
                with writing.writing(connection):
                    reading.touch(connection, ids)
            except driver.Error:
                pass  # a count of accesses is not worth a wait
            finally:
                connection.execute(f"pragma busy_timeout = {int(self._busy_timeout * 1000)}")

        await self._run(unit)

    async def set_setting(self, name: str, value: str | None) -> None:
        if name == _AGENT:
            raise ValidationError("the agent of a store is not a setting")

        def unit(connection: Connection) -> None:
            connection.execute("delete from setting where name = ?", (name,))
            if value is not None:
                connection.execute("insert into setting (name, value) values (?, ?)", (name, value))

        await self._write(unit)

    async def setting(self, name: str) -> str | None:
        def unit(connection: Connection) -> str | None:
            found = connection.execute("select value from setting where name = ?", (name,)).fetchone()
            return str(found[0]) if found else None

        return await self._read(unit)

    # --- reading -------------------------------------------------------------------------------------------

    async def get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        return await self._read(lambda connection: reading.get(connection, ids, self.agent_id)) if ids else {}

    async def select(
        self, where: Where, order: Order | None = None, limit: int | None = None, offset: int = 0
    ) -> list[MemoryRecord]:
        chosen = check_order(order)
        if (limit is not None and limit < 0) or offset < 0:
            raise ValidationError("limit and offset cannot be negative", hint="give 0 or more")
        return await self._read(
            lambda connection: reading.select(connection, where, chosen, limit, offset, self.agent_id)
        )

    async def count(self, where: Where) -> int:
        return await self._read(lambda connection: reading.count(connection, where))

    async def groups(self, where: Where, by: GroupBy) -> list[Group]:
        return await self._read(lambda connection: reading.groups(connection, where, by))

    async def _scan(self, where: Where, after: int, limit: int) -> tuple[list[MemoryRecord], int]:
        return await self._read(
            lambda connection: reading.scan(connection, where, after, limit, self.agent_id)
        )

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return await self._read(lambda connection: reading.by_prefix(connection, prefix, limit))

    async def neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        return await self._read(
            lambda connection: reading.neighbours(connection, message_id, before, after, self.agent_id)
        )

    async def version(self) -> int:
        # The journal's last place moves with changes, data_version with other connections' bookkeeping.
        return await self._read(
            lambda connection: int(
                connection.execute("select coalesce(max(seq), 0) from journal").fetchone()[0]
                + (connection.execute("pragma data_version").fetchone()[0] << 40)
            )
        )

    # --- nominating ----------------------------------------------------------------------------------------

    async def _by_words(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        return await self._read(
            lambda connection: words.best(
                connection, terms, reading.condition(where), where == Where(), limit
            )
        )

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        return await self._read(lambda connection: words.scores(connection, terms, ids))

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        return await self._read(lambda connection: words.statistics(connection, terms))

    async def _by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        def unit(connection: Connection) -> list[tuple[str, float]]:
            self._with_extension(connection)
            return vectors.nearest(connection, vector, reading.condition(where), where == Where(), limit)

        return await self._read(unit)

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        def unit(connection: Connection) -> dict[str, list[bytes]]:
            chosen = space or vectors.current_space(connection)
            return {} if chosen is None else vectors.pieces_of(connection, ids, chosen.id)

        return await self._read(unit)

    async def _sample_vectors(self, limit: int) -> list[bytes]:
        def unit(connection: Connection) -> list[bytes]:
            self._sample = vectors.sample(connection, limit, self._sample)
            return [] if self._sample is None else self._sample.vectors

        return await self._read(unit)

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def spaces(self) -> list[EmbeddingSpace]:
        return await self._read(vectors.spaces)

    async def add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        for known in await self.spaces():
            if (known.fingerprint, known.recipe) == (space.fingerprint, space.recipe):
                return known
        return await self._with_index(lambda connection: vectors.add_space(connection, space))

    async def switch_space(self, space: EmbeddingSpace) -> None:
        await self._with_index(lambda connection: vectors.switch_space(connection, space.id))

    async def _with_index(self, function: Callable[[Connection], T]) -> T:
        await self._read(self._with_extension)
        return await self._write(function)

    async def owed(self, limit: int, space: EmbeddingSpace | None = None) -> list[MemoryRecord]:
        def unit(connection: Connection) -> list[MemoryRecord]:
            sql, values = vectors.owed_condition(connection, None if space is None else space.id)
            query = f"{rows.SELECT} where {sql} order by memory.pk desc limit ?"
            return rows.records(
                connection, connection.execute(query, (*values, limit)).fetchall(), self.agent_id
            )

        return await self._read(unit)

    async def owed_count(self, space: EmbeddingSpace | None = None) -> int:
        def unit(connection: Connection) -> int:
            sql, values = vectors.owed_condition(connection, None if space is None else space.id)
            return int(connection.execute(f"select count(*) from memory where {sql}", values).fetchone()[0])

        return await self._read(unit)

    async def put_vectors(self, space: EmbeddingSpace, given: Mapping[bytes, Sequence[bytes]]) -> None:
        await self._with_index(lambda connection: vectors.put(connection, space.id, given))

    # --- history -------------------------------------------------------------------------------------------

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        column, value = ("memory_id", memory_id) if memory_id is not None else ("operation_id", operation_id)
        return await self._read(
            lambda connection: history.versions(connection, column, value or "", self.agent_id)
        )

    async def _operations(self, limit: int) -> list[OperationRecord]:
        return await self._read(lambda connection: history.operations(connection, limit))

    # --- upkeep --------------------------------------------------------------------------------------------

    async def describe(self) -> StoreDescription:
        def unit(connection: Connection) -> StoreDescription:
            self._with_extension(connection)
            pages, size = (
                connection.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "page_size")
            )
            level = "full" if self._extension else "exact-scan"
            return StoreDescription(
                backend=self.name,
                location=str(self.path),
                agent_id=self.agent_id,
                bytes=pages * size,
                schema_version=connection.execute("pragma user_version").fetchone()[0],
                level=level if self._writable else "read-only",
                details={"driver": driver.name(), "vector_index": vectors.usable_index(connection)},
            )

        return await self._read(unit)

    async def check(self) -> list[str]:
        def unit(connection: Connection) -> list[str]:
            self._with_extension(connection)
            return integrity.check(connection, self.agent_id)

        return await self._read(unit)

    async def rebuild(self) -> None:
        await self._with_index(lambda connection: integrity.rebuild(connection, self.agent_id))

    async def scrub(self) -> None:
        await self._read(self._with_extension)
        await self._read(integrity.scrub)
