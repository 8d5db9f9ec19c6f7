"""The SQLite store: one file per agent, one thread that owns the connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from agent_memory.errors import ValidationError
from agent_memory.hints import Hint
from agent_memory.records import MemoryRecord, copied
from agent_memory.storage import moved
from agent_memory.storage.base import (
    Capabilities,
    Durability,
    EmbeddingSpace,
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
    setting,
    spaces,
    vectors,
    words,
    writing,
)
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.sqlite.driver import Connection
from agent_memory.storage.sqlite.handle import FEW_ROWS, reads, reads_records, reads_words, writes
from agent_memory.storage.sqlite.searching import SearchingStore
from agent_memory.storage.where import Where
from agent_memory.text.bm25 import WordStatistics
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

_MOST_KEPT: Final = 100
"""Memories fetched at once of which those that were read before are not read again."""


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
        new_vectors: Mapping[TextHash, Sequence[Vector]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        agent_id = self.agent_id

        def work(connection: Connection) -> list[Written]:
            written, deleted = writing.commit(connection, operation, changes, new_vectors, space, agent_id)
            if deleted:
                self._kept.forget_vectors()
            return written

        # New memories whose embedding is pending touch no vectors, so the everyday `add` does without sqlite-vec.
        touches = bool(new_vectors) or any(not isinstance(change, Add) for change in changes)
        return await self._write(work, vectors=touches, verb=operation.verb)

    async def _touch(self, ids: Sequence[str]) -> None:
        def work(connection: Connection) -> None:
            accesses = None
            try:
                accesses = self._at_once(
                    connection, lambda open_: reading.touch(open_, ids), few=len(ids) <= FEW_ROWS
                )
            finally:
                if accesses is None:
                    self._kept.memories.forget(ids)
                else:
                    self._kept.memories.count_accesses(*accesses)

        if self._unwritable is None:
            await self._run(work)

    async def _set_setting(self, name: str, value: str | None) -> None:
        if name in ownership.SETTINGS:
            raise ValidationError(
                "the agent of a store is not a setting", hint=Hint("{RENAME_AGENT} renames it")
            )

        await self._write(lambda connection: setting.put(connection, name, value))

    async def _set_moved(self, before: str | None, after: str | None) -> bool:
        def work(connection: Connection) -> bool:
            if setting.get(connection, moved.SETTING, self.damaged) != before:
                return False
            setting.put(connection, moved.SETTING, after)
            return True

        return await self._write(work, verb=Verb.RENEW)

    async def _setting(self, name: str) -> str | None:
        return await self._read(lambda connection: setting.get(connection, name, self.damaged))

    # --- reading -------------------------------------------------------------------------------------------

    async def _get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        context = ReadContext(self.agent_id, self.damaged)
        if len(ids) > _MOST_KEPT:  # they would push out what searches go on asking for
            return await self._read(lambda connection: reading.get(connection, context, ids))

        def work(connection: Connection) -> dict[str, MemoryRecord]:
            return self._kept_in(connection).memories.records(connection, context, ids)

        return {memory_id: copied(record) for memory_id, record in (await self._read(work)).items()}

    _select = reads_records(reading.select)
    _count = reads(reading.count)
    _groups = reads_records(reading.groups)
    _page = reads_records(reading.scan)
    _by_prefix = reads(reading.by_prefix)
    _damage = reads(reading.damage_behind)
    _neighbours = reads_records(reading.neighbours)
    _adjacent = reads(reading.adjacent)

    def _scan(self, where: Where, batch: int) -> AsyncIterator[list[MemoryRecord]]:
        return paged(lambda after: self._page(where, after, batch))

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
            best, self._kept.selection = words.best(
                connection, terms, where, reading.condition(where), limit, self._kept.selection
            )
            return best

        return await self._ask_words(work)

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        def work(connection: Connection) -> dict[str, float]:
            kept = self._kept_in(connection)
            stems = kept.memories.stems(connection, ids)
            return words.scores(terms, stems, kept.statistics.of(connection, terms))

        return await self._ask_words(work)

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        return await self._ask_words(
            lambda connection: self._kept_in(connection).statistics.of(connection, terms)
        )

    _terms_beginning = reads_words(words.beginning)

    async def _by_vector(self, vector: Vector, where: Where, limit: int) -> list[tuple[str, float]]:
        from agent_memory.storage.retrieval import VectorRequest

        answer = await self._vector_candidates(VectorRequest(vector, where, limit))
        return list(answer.nearest.items())

    _vectors = reads(vectors.by_ids)

    async def _sample_vectors(self, limit: int) -> list[Vector]:
        def work(connection: Connection) -> list[Vector]:
            space = spaces.current_space(connection)
            if space is None or limit <= 0:
                return []
            generation = index.generation(connection)
            self._kept.sample = vectors.sample(connection, space, limit, generation, self._kept.sample)
            return self._kept.sample.vectors

        return await self._read(work)

    async def _outdated_count(self) -> int:
        if self._all_renewed:
            return 0
        left = await self._read(renewing.left)
        self._all_renewed = not left
        return left

    async def _renew_some(self, limit: int) -> None:
        await self._write(
            lambda connection: renewing.renew(connection, self.agent_id, limit), verb=Verb.RENEW
        )

    async def _renew_at_once(self, limit: int) -> None:
        def work(connection: Connection) -> None:
            self._note_write()
            self._at_once(connection, lambda open_: renewing.renew(open_, self.agent_id, limit))

        if self._unwritable is None:
            await self._run(work)

    # --- embedding spaces ----------------------------------------------------------------------------------

    _spaces = reads(spaces.spaces)
    _switch_space = writes(rebuilding.switch_space, vectors=True)
    _pending = reads_records(attempts.pending)
    _pending_count = reads(attempts.pending_count)
    _put_vectors = writes(writing.put_vectors, vectors=True)
    _attempts = reads(attempts.of_texts)
    _kept_segments = reads(attempts.segments)
    _keep_attempts = writes(attempts.keep)

    async def _add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        return await self._write(
            lambda connection: rebuilding.add_space(connection, space, self.agent_id), vectors=True
        )

    # --- history -------------------------------------------------------------------------------------------

    _versions = reads_records(history.versions)
    _histories = reads_records(history.histories)
    _tombstoned = reads(history.tombstoned)
    _purged = reads_records(history.purged)
    _operations = reads_records(history.operations)
    _journal_end = reads(history.end)
    _changed_since = reads(history.changed_since)

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

    async def _durability(self) -> Durability:
        settings = {"synchronous": self._synchronous}
        if self._synchronous == "full":
            survives = "a crash of the program, of the system and a power cut; not the loss of the disk"
            return Durability(survives=survives, settings=settings)
        return Durability(
            survives="a crash of the program; not the loss of the disk",
            risks=("a power cut may take the last writes: backend_config.synchronous = full prevents that",),
            settings=settings,
        )

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
        await self._write(
            lambda connection: rebuilding.rebuild(connection, self.agent_id), vectors=True, verb=Verb.RENEW
        )

    async def _secure_vacuum(self) -> None:
        def work(connection: Connection) -> None:
            self._note_write()
            self._load_extension(connection)
            rebuilding.secure_vacuum(connection, str(self.path))

        await self._run(work)
