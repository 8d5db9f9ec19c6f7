"""The SQLite store: one file per agent, one thread that owns the connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, OperationRecord, Version
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import (
    Capabilities,
    EmbeddingSpace,
    Group,
    GroupBy,
    Order,
    StoreDescription,
    paged,
)
from agent_memory.storage.changes import Add, Change, Operation, Written
from agent_memory.storage.sqlite import (
    attempts,
    driver,
    history,
    index,
    integrity,
    ownership,
    reading,
    rebuilding,
    renewing,
    rows,
    setting,
    spaces,
    vectors,
    words,
    writing,
)
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.searching import SearchingStore
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics


class SqliteStore(SearchingStore):
    """Keeps one agent's memories in one SQLite file.

    Options:
        path: the file; by default one named after the agent in the user's data folder.
        busy_timeout: seconds to wait for another process's write, 10 by default.
        synchronous: `full` (default: what was acknowledged survives a power cut) or `normal` (it survives a
            killed process; a power cut may take the last moments).
        create: whether to make the file if it is not there; else that is a MemoryNotFoundError.
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
        filters=True,
        ordering=True,
        counts=True,
    )
    # --- writing -------------------------------------------------------------------------------------------

    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        given: Mapping[bytes, Sequence[bytes]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        agent_id = self.agent_id

        def work(connection: Connection) -> list[Written]:
            return writing.commit(connection, operation, changes, given, space, agent_id)

        # New memories whose embedding is pending touch no vectors, so the everyday `add` does without sqlite-vec.
        touches = bool(given) or any(not isinstance(change, Add) for change in changes)
        return await self._write(work, vectors=touches)

    async def _touch(self, ids: Sequence[str]) -> None:
        if self._unwritable is None:
            await self._run(
                lambda connection: self._at_once(connection, lambda open_: reading.touch(open_, ids))
            )

    async def _set_setting(self, name: str, value: str | None) -> None:
        if name in ownership.SETTINGS:
            raise ValidationError(
                "the agent of a store is not a setting", hint=Hint("{RENAME_AGENT} renames it")
            )

        await self._write(lambda connection: setting.put(connection, name, value))

    async def _setting(self, name: str) -> str | None:
        return await self._read(lambda connection: setting.get(connection, name, self.damaged))

    # --- reading -------------------------------------------------------------------------------------------

    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        return await self._read(lambda connection: reading.get(connection, ids, self.agent_id, self.damaged))

    async def _select(self, where: Where, order: Order, limit: int | None, offset: int) -> list[MemoryRecord]:
        return await self._read(
            lambda connection: reading.select(
                connection, where, order, limit, offset, self.agent_id, self.damaged
            )
        )

    async def _count(self, where: Where) -> int:
        return await self._read(lambda connection: reading.count(connection, where))

    async def _groups(self, where: Where, by: GroupBy) -> list[Group]:
        return await self._read(
            lambda connection: reading.groups(connection, where, by, self.agent_id, self.damaged)
        )

    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        return paged(
            lambda after: self._read(
                lambda connection: reading.scan(connection, where, after, batch, self.agent_id, self.damaged)
            )
        )

    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        return await self._read(lambda connection: reading.by_prefix(connection, prefix, limit))

    async def _damage(self, reference: str) -> tuple[str, str] | None:
        return await self._read(lambda connection: reading.damage_behind(connection, reference))

    async def _neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        return await self._read(
            lambda connection: reading.neighbours(
                connection, message_id, before, after, self.agent_id, self.damaged
            )
        )

    async def _adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        return await self._read(lambda connection: reading.adjacent(connection, message_ids, step))

    async def _version(self) -> int:
        # Others' commits move data_version, our own the count of changed rows.
        return await self._run(
            lambda connection: (
                int(connection.execute("pragma data_version").fetchone()[0] << 40) + connection.total_changes
            )
        )

    # --- retrieving ----------------------------------------------------------------------------------------

    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        def work(connection: Connection) -> list[tuple[str, float]]:
            best, self._selection = words.best(
                connection, terms, where, reading.condition(where), limit, self._selection
            )
            return best

        return await self._ask_words(work)

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        return await self._ask_words(lambda connection: words.scores(connection, terms, ids))

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        return await self._ask_words(lambda connection: words.statistics(connection, terms))

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        return await self._ask_words(lambda connection: words.beginning(connection, prefix, limit))

    async def _by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        from agent_memory.storage.retrieval import VectorRequest

        answer = await self._vector_candidates(VectorRequest(vector, where, limit))
        return list(answer.nearest.items())

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        def work(connection: Connection) -> dict[str, list[bytes]]:
            chosen = spaces.current_space(connection)
            if space is not None:
                chosen = spaces.Space(space.id, space.dimension)
            return {} if chosen is None else vectors.segments_of(connection, ids, chosen)

        return await self._read(work)

    async def _sample_vectors(self, limit: int) -> list[bytes]:
        def work(connection: Connection) -> list[bytes]:
            space = spaces.current_space(connection)
            if space is None or limit <= 0:
                return []
            self._sample = vectors.sample(connection, space, limit, self._sample)
            return self._sample.vectors

        return await self._read(work)

    async def _outdated_count(self) -> int:
        if self._all_renewed:
            return 0
        left = await self._read(renewing.left)
        self._all_renewed = not left
        return left

    async def _renew_some(self, limit: int) -> None:
        await self._write(lambda connection: renewing.renew(connection, self.agent_id, limit))

    async def _renew_at_once(self, limit: int) -> None:
        if self._unwritable is None:
            await self._run(
                lambda connection: self._at_once(
                    connection, lambda open_: renewing.renew(open_, self.agent_id, limit)
                )
            )

    # --- embedding spaces ----------------------------------------------------------------------------------

    async def _spaces(self) -> list[EmbeddingSpace]:
        return await self._read(spaces.spaces)

    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        def work(connection: Connection) -> EmbeddingSpace:
            others = spaces.spaces(connection)
            space_id, new = spaces.insert_space(connection, space)
            if new and any(other.template_version != space.template_version for other in others):
                rebuilding.rehash(connection, self.agent_id)  # the texts to embed are others now
            if new and not any(other.current for other in others):
                spaces.make_current(connection, spaces.Space(space_id, space.dimension))
                index.rebuild(connection)
            return next(item for item in spaces.spaces(connection) if item.id == space_id)

        return await self._write(work, vectors=True)

    async def _switch_space(self, space: EmbeddingSpace) -> None:
        def work(connection: Connection) -> None:
            spaces.make_current(connection, spaces.known_space(connection, space))
            index.rebuild(connection)

        await self._write(work, vectors=True)

    async def _pending(
        self, limit: int, space: EmbeddingSpace | None, failed: bool | None
    ) -> list[MemoryRecord]:
        def work(connection: Connection) -> list[MemoryRecord]:
            sql, values = attempts.pending_condition(
                connection, spaces.current_space(connection), None if space is None else space.id, failed
            )
            query = f"{rows.SELECT} where {sql} order by {reading.NEWEST_FIRST} limit ?"
            found = connection.execute(query, (*values, limit)).fetchall()
            return rows.records(connection, found, self.agent_id, self.damaged)

        return await self._read(work)

    async def _pending_count(self, space: EmbeddingSpace | None, failed: bool | None) -> int:
        def work(connection: Connection) -> int:
            sql, values = attempts.pending_condition(
                connection, spaces.current_space(connection), None if space is None else space.id, failed
            )
            return int(connection.execute(f"select count(*) from memory where {sql}", values).fetchone()[0])

        return await self._read(work)

    async def _put_vectors(self, space: EmbeddingSpace, vectors: Mapping[bytes, Sequence[bytes]]) -> None:
        await self._write(
            lambda connection: writing.put(connection, spaces.known_space(connection, space), vectors),
            vectors=True,
        )

    async def _attempts(self, space: EmbeddingSpace, digests: Collection[bytes]) -> dict[bytes, Attempt]:
        return await self._read(lambda connection: attempts.read(connection, space.id, digests))

    async def _kept_segments(self, space: EmbeddingSpace, digest: bytes) -> list[bytes]:
        return await self._read(
            lambda connection: attempts.segments(connection, spaces.known_space(connection, space), digest)
        )

    async def _keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts_: Mapping[bytes, Attempt],
        vectors: Mapping[bytes, Sequence[bytes]],
    ) -> None:
        await self._write(
            lambda connection: attempts.keep(
                connection, spaces.known_space(connection, space), attempts_, vectors
            )
        )

    # --- history -------------------------------------------------------------------------------------------

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        return await self._read(
            lambda connection: history.versions(
                connection, memory_id, operation_id, self.agent_id, self.damaged
            )
        )

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        return await self._read(
            lambda connection: history.histories(connection, ids, self.agent_id, self.damaged)
        )

    async def _tombstoned(self) -> list[str]:
        return await self._read(history.tombstoned)

    async def _purged(self) -> list[MemoryRecord]:
        return await self._read(lambda connection: history.purged(connection, self.agent_id, self.damaged))

    async def _operations(self, limit: int) -> list[OperationRecord]:
        return await self._read(lambda connection: history.operations(connection, limit, self.damaged))

    # --- upkeep --------------------------------------------------------------------------------------------

    async def _describe(self) -> StoreDescription:
        def work(connection: Connection) -> StoreDescription:
            def one(pragma: str) -> Any:
                return connection.execute(f"pragma {pragma}").fetchone()[0]

            self._load_extension(connection)
            space = spaces.current_space(connection)
            return StoreDescription(
                backend=self.name,
                location=str(self.path),
                agent_id=self.agent_id,
                bytes=one("page_count") * one("page_size"),
                schema_version=one("user_version"),
                level=self._level(),
                details={
                    "driver": driver.name(),
                    "journal_mode": one("journal_mode"),
                    "synchronous": self._synchronous,
                    "vector_index": space is not None and index.in_step(connection, space),
                },
            )

        return await self._run(work)

    def _level(self) -> str:
        if self._unwritable is not None:
            return "read-only"
        if find_spec("numpy") is None:
            return "keyword"
        return "full" if self._extension else "exact-scan"

    async def _check(self) -> list[str]:
        def work(connection: Connection) -> list[str]:
            self._load_extension(connection)
            return integrity.check(connection, self.agent_id)

        return await self._run(work)

    async def _rebuild(self) -> None:
        await self._write(lambda connection: rebuilding.rebuild(connection, self.agent_id), vectors=True)

    async def _secure_vacuum(self) -> None:
        def work(connection: Connection) -> None:
            self._load_extension(connection)
            rebuilding.secure_vacuum(connection, str(self.path))

        await self._run(work)
