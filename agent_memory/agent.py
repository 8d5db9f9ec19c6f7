"""One agent's memory: six kinds of it, searched together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.registry import NO_EMBEDDER, check_embedder_name
from agent_memory.errors import ValidationError
from agent_memory.memories.arguments import shown
from agent_memory.memories.base import Listing, TypeMemory, store_items
from agent_memory.memories.calling import Called, checked
from agent_memory.memories.core import Core
from agent_memory.memories.filters import build_where
from agent_memory.memories.given import NOT_GIVEN, Omitted
from agent_memory.memories.operations import forgetting, single, status, undoing
from agent_memory.memories.operations.statistics import breakdown
from agent_memory.recall.pending import Progress
from agent_memory.recall.semantic_index import ReembeddingCost, SemanticIndex
from agent_memory.records import MemoryRecord, MemoryType, OperationRecord, Status, Version
from agent_memory.settings import Settings
from agent_memory.storage.base import EmbeddingSpace, Order, OrderBy, Repair, Store
from agent_memory.storage.changes import Written
from agent_memory.storage.registry import create_store, names_a_file

if TYPE_CHECKING:
    from os import PathLike

    from agent_memory.config import MemoryConfig
    from agent_memory.memories.conversation import ConversationMemory
    from agent_memory.memories.episodic import EpisodicMemory
    from agent_memory.memories.long_term import LongTermMemory
    from agent_memory.memories.procedural import ProceduralMemory
    from agent_memory.memories.semantic import SemanticMemory
    from agent_memory.memories.shape import Added
    from agent_memory.memories.short_term import ShortTermMemory
    from agent_memory.recall.formats import Format
    from agent_memory.recall.found import Found
    from agent_memory.recall.recall import Recall
    from agent_memory.recall.search import Mode
    from agent_memory.transfer.files import FileStream
    from agent_memory.transfer.importing import OnConflict
    from agent_memory.transfer.moving import Exported, Moved

logger = logging.getLogger("agent_memory")
Types = str | MemoryType | Iterable[str | MemoryType] | None
Words = str | Iterable[str] | None


class AgentMemory(Called):
    """The memory of one agent.

    It opens itself with the first call. Use it as an async context manager, or call `close` when done. With no
    settings it is one SQLite file in the user's data folder, searched by words and by meaning, with nothing to
    install, download or start.

    Args:
        agent_id: whose memory; one file per agent. None: whoever the store at hand belongs to.
        config: a `MemoryConfig`, or None for the defaults.
        backend: an open or unopened store to use instead of the configured one; it is closed with the memory.
        embedding_provider: an embedder, or the name of one, to use instead of the configured one.

    Raises:
        ConfigurationError: a setting, or a combination of them, is unknown.
        PolicyError: the backend or the embedder uses the network, and the setting `offline` forbids that.
    """

    @checked
    def __init__(
        self,
        agent_id: str | None = "default",
        config: MemoryConfig | Settings | None = None,
        *,
        backend: Store | None = None,
        embedding_provider: Embedder | str | None = None,
    ) -> None:
        settings = (
            Settings() if config is None else config if isinstance(config, Settings) else config.settings()
        )
        if isinstance(embedding_provider, str):
            name = check_embedder_name(embedding_provider)
            settings = replace(settings, embedding_provider=name, embedder_named=True)
            embedding_provider = None
        # "default" is also what nobody chose, so a file that was named keeps its own agent then.
        asked = (
            None
            if agent_id == "default" and names_a_file(settings.backend, settings.backend_config)
            else agent_id
        )
        store = backend or create_store(settings.backend, asked, settings.backend_config)
        store.check_allowed(offline=settings.offline)
        index = SemanticIndex(
            store,
            provider=settings.embedding_provider,
            options=settings.embedding_config,
            named=settings.embedder_named,
            embedder=embedding_provider,
            offline=settings.offline,
        )
        self._core = Core(store, index, settings)
        self._backend = store
        self._entered = 0
        self._closes = False

    # --- life ----------------------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Open the store and choose the embedder; does nothing the second time. The first call does it by itself.

        Raises:
            BackendError: the store cannot be opened.
            ConfigurationError: it belongs to another agent.
            ClosedError: this memory was closed.
        """
        await self._core.open()
        return self

    async def close(self) -> None:
        """Release the store and the embedder, for good: every later call raises ClosedError. Idempotent."""
        await self._core.close()

    async def __aenter__(self) -> Self:
        opened = await self._core.open()
        if not self._entered:
            self._closes = opened
        self._entered += 1
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if not self._entered and self._closes:  # else somebody who opened it before goes on with it
            await self.close()

    # --- the six types, each imported when it is first used ------------------------------------------------

    @cached_property
    def short_term(self) -> ShortTermMemory:
        """The context of the task at hand."""
        from agent_memory.memories.short_term import ShortTermMemory

        return ShortTermMemory(self._core)

    @cached_property
    def long_term(self) -> LongTermMemory:
        """Facts and preferences."""
        from agent_memory.memories.long_term import LongTermMemory

        return LongTermMemory(self._core)

    @cached_property
    def conversation(self) -> ConversationMemory:
        """Who said what."""
        from agent_memory.memories.conversation import ConversationMemory

        return ConversationMemory(self._core)

    @cached_property
    def episodic(self) -> EpisodicMemory:
        """What happened."""
        from agent_memory.memories.episodic import EpisodicMemory

        return EpisodicMemory(self._core)

    @cached_property
    def semantic(self) -> SemanticMemory:
        """Knowledge and documents."""
        from agent_memory.memories.semantic import SemanticMemory

        return SemanticMemory(self._core)

    @cached_property
    def procedural(self) -> ProceduralMemory:
        """Skills and workflows."""
        from agent_memory.memories.procedural import ProceduralMemory

        return ProceduralMemory(self._core)

    # --- what it consists of -------------------------------------------------------------------------------

    @property
    def agent_id(self) -> str:
        """Whose memory this is."""
        return self._core.store.agent_id

    @property
    def backend(self) -> Store:
        """The store that keeps it."""
        return self._backend

    @property
    def embedding_provider(self) -> Embedder | None:
        """The embedder in use; None where memories are found by words only."""
        return self._core.index.embedder

    @property
    def has_semantic(self) -> bool:
        """Whether memories can be found by meaning; before it is opened, whether the settings say so."""
        if not self._core.opened:
            return self._core.index.provider != NO_EMBEDDER and self._backend.capabilities.vectors
        return self._core.index.available

    @checked
    def of(self, memory_type: str | MemoryType) -> TypeMemory[Any]:
        """Return the memory of one type by its name or alias: note, fact, chat, event, doc, skill.

        Raises:
            ConfigurationError: there is no such type.
        """
        found: TypeMemory[Any] = getattr(self, MemoryType.parse(memory_type).value)
        return found

    # --- adding --------------------------------------------------------------------------------------------

    async def add_many(
        self, items: Iterable[Mapping[str, Any]], *, progress: Progress | None = None
    ) -> Listing[str]:
        """Store memories of several types in one transaction and return one id per item, in order.

        Args:
            items: mappings with the arguments of a type's `add` by name, and the type's name or alias as `type`.
            progress: called with (done, total) as the texts are embedded.

        Raises:
            ValidationError: an item cannot be stored; the message says which, and nothing was stored.
        """
        return [written.id for written in await self.add_many_detailed(items, progress=progress)]

    async def add_many_detailed(
        self, items: Iterable[Mapping[str, Any]], *, progress: Progress | None = None
    ) -> Listing[Written]:
        """Store memories as `add_many` does, and say for each what came of it."""
        typed = (self._typed(item, number) for number, item in enumerate(items, 1))
        return await store_items(self._core, typed, progress)

    def _typed(self, item: Any, number: int) -> tuple[TypeMemory[Any], Mapping[str, Any]]:
        if not isinstance(item, Mapping):
            raise ValidationError(
                f"item {number} is {shown(item)}",
                hint='give a dict such as {"type": "fact", "content": "..."}',
            )
        return self.of(item.get("type", "fact")), {k: v for k, v in item.items() if k != "type"}

    async def add_objects(
        self,
        objects: Iterable[Mapping[str, Any]],
        defaults: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str] | None = None,
        progress: Progress | None = None,
    ) -> Added:
        """Store memories in the shape in which they are printed, as `records.to_dict` gives it, in one transaction.

        Times, pins and all fields of the types are taken over; each is a new memory of this store, with an id of its
        own. `import_from` takes memories over with their ids and their history.

        Args:
            objects: with the names of `to_dict`; the shell's names (`text`, `tag`, `meta`, `at`) are read as
                well. None is not given. What a store says of a memory itself (`id`, `updated_at`, accesses) is left
                out.
            defaults: arguments of `add` for all of them, `type` among them; an object's own values win.
            names: what to call each in an error, such as `line 3`.
            progress: called with (done, total) as the texts are embedded.

        Raises:
            ValidationError: one has a name that no memory has, is archived, has ended, or cannot be stored; the
                message says which, and nothing was stored.
        """
        from agent_memory.memories.shape import Added, read_shapes, storing_order

        shaped = read_shapes(objects, defaults, names)
        order = storing_order([item.item for item in shaped])
        typed = [
            (self.of(item.item.get("type", "fact")), {k: v for k, v in item.item.items() if k != "type"})
            for item in shaped
        ]
        called = names or [f"item {number}" for number in range(1, len(shaped) + 1)]
        stored = await store_items(
            self._core,
            [typed[position] for position in order],
            progress,
            [called[position] for position in order],
        )
        written = dict(zip(order, stored, strict=True))
        dropped = frozenset[str]().union(*(item.dropped for item in shaped))
        return Added([written[position] for position in range(len(shaped))], dropped)

    # --- finding -------------------------------------------------------------------------------------------

    async def search(
        self,
        query: str,
        limit: int = 10,
        types: Types = None,
        tags: Words = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_importance: float = 0.0,
        mode: Mode = "hybrid",
        explain: bool = False,
        *,
        min_score: float | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Words = None,
        source: Words = None,
        pinned: bool | None = None,
        count_access: bool = True,
        rerank: bool = False,
    ) -> Found:
        """Find memories by words and meaning together, best first.

        Args:
            query: what to look for, in words or as a question; a memory's key finds that memory.
            limit: how many to return at most.
            types: only these types, by name or alias.
            tags: only memories with any of these tags.
            since: only what happened at this moment or later.
            until: only what happened before this moment.
            min_importance: only memories at least this important, in [0, 1].
            mode: `hybrid`, `keyword` (words only; no model is loaded) or `vector` (meaning only).
            explain: give every part of each score in `explanation`.
            min_score: only memories whose `score` is at least this, in [0, 1].
            metadata: conditions on top-level metadata values, such as `{"lang": "en", "stars": {">=": 3}}`; several
                on one name, `{"env": [{"!=": "prod"}, {"!=": "test"}]}`, must all hold.
            session: only memories of these sessions (for messages: conversations).
            source: only memories from these sources.
            pinned: only pinned memories, or only unpinned ones.
            count_access: count the results as accessed.
            rerank: let a cross-encoder read the best 50 with the query and order them; `score` is its word then.
                It takes a model that has to be pulled once.

        Returns:
            A list of `ScoredMemory`. Its `notices` say, in a line each, what was left out of the search.

        Raises:
            ValidationError: the query is empty, or a filter cannot be read.
            EmbeddingMismatchError: an embedder was named that differs from the store's.
            ConfigurationError: `mode` is unknown, or `vector` without an embedder.
            ModelMissingError: `rerank` without its model on this machine.
        """
        where = build_where(
            types=types,
            tags=tags,
            since=since,
            until=until,
            min_importance=min_importance,
            metadata=metadata,
            session=session,
            source=source,
            pinned=pinned,
        )
        return await self._core.searcher.search(
            query,
            where,
            limit=limit,
            mode=mode,
            explain=explain,
            min_score=min_score,
            count_access=count_access,
            rerank=rerank,
        )

    async def recall(
        self,
        query: str | None = None,
        budget: int = 2000,
        format: Format = "markdown",
        *,
        types: Types = None,
        tags: Words = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_importance: float = 0.0,
        last: int = 0,
        mode: Mode = "hybrid",
        explain: bool = False,
        metadata: Mapping[str, Any] | None = None,
        session: Words = None,
        source: Words = None,
        rerank: bool = False,
    ) -> Recall:
        """Pack what matters into a prompt of a given size.

        With no query it is the brief for the start of a session: pinned memories, preferences, recent events
        and open working memory. What does not fit is shortened before it is dropped, and said.

        Args:
            query: what the prompt is about, or None for the brief.
            budget: tokens that the text may take, as `estimate_tokens` counts them.
            format: `markdown`, `text`, `xml`, `json` or `messages`.
            last: how many of the conversation's latest messages to put at the end; its system messages come on top.
            types, tags, since, until, min_importance, mode, explain, metadata, session, source, rerank: as in
                `search`.

        Raises:
            ValidationError: the budget is too small for anything, or a filter cannot be read.
        """
        where = build_where(
            types=types,
            tags=tags,
            since=since,
            until=until,
            min_importance=min_importance,
            metadata=metadata,
            session=session,
            source=source,
        )
        messages = await self.conversation.get_messages(limit=last) if last > 0 else []
        from agent_memory.recall.recall import Recaller

        return await Recaller(self._core.store, self._core.searcher).recall(
            query,
            where,
            budget=budget,
            format=format,
            mode=mode,
            explain=explain,
            last=messages,
            rerank=rerank,
        )

    # --- single memories -----------------------------------------------------------------------------------

    async def get(self, id: str, *, count_access: bool = True) -> MemoryRecord | None:
        """Return a memory by id, unique prefix of an id, or key; None if there is none or it is put away.

        Raises:
            AmbiguousIdError: several memories begin so.
        """
        return await single.get(self._core, id, count_access=count_access)

    async def update(
        self,
        /,
        id: str,
        content: str | Omitted = NOT_GIVEN,
        *,
        importance: float | Omitted = NOT_GIVEN,
        tags: str | Iterable[str] | Omitted = NOT_GIVEN,
        add_tags: str | Iterable[str] | Omitted = NOT_GIVEN,
        remove_tags: str | Iterable[str] | Omitted = NOT_GIVEN,
        metadata: Mapping[str, Any] | Omitted = NOT_GIVEN,
        key: str | Omitted | None = NOT_GIVEN,
        source: str | Omitted | None = NOT_GIVEN,
        session: str | Omitted = NOT_GIVEN,
        ttl: timedelta | float | str | Omitted | None = NOT_GIVEN,
        occurred_at: datetime | Omitted | None = NOT_GIVEN,
        **fields: Any,
    ) -> MemoryRecord:
        """Store a new version of a memory; what is not given stays as it is.

        None takes a `key`, a `source`, a `ttl` or an `occurred_at` away; for anything else it is an error.

        Args:
            metadata: keys to set; a value of None takes the key away.
            ttl: from now. A short-term memory that was stored without one lives for the default time again.
            fields: the type's own fields, such as `outcome="success"`.

        Raises:
            MemoryNotFoundError, AmbiguousIdError, ValidationError.
        """
        return await single.update(
            self._core,
            id,
            content=content,
            importance=importance,
            tags=tags,
            add_tags=add_tags,
            remove_tags=remove_tags,
            metadata=metadata,
            key=key,
            source=source,
            session=session,
            ttl=ttl,
            occurred_at=occurred_at,
            fields=fields,
        )

    async def forget(
        self, id: str | Sequence[str], *, purge: bool = False, shred: bool = False, dry_run: bool = False
    ) -> Listing[MemoryRecord]:
        """Put memories away: at once invisible to every read, and restorable.

        Args:
            id: one id, key or unique prefix, or several.
            purge: take the rows away; the last version stays in history, and `undo` brings it back.
            shred: leave nothing of them, in history either. Cannot be undone.
            dry_run: only say which they would be.

        Returns:
            The memories as they were.

        Raises:
            MemoryNotFoundError, AmbiguousIdError: nothing was forgotten then.
        """
        return await forgetting.forget(self._core, id, purge=purge, shred=shred, dry_run=dry_run)

    async def forget_where(
        self,
        *,
        types: Types = None,
        tags: Words = None,
        since: datetime | None = None,
        until: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Words = None,
        source: Words = None,
        min_importance: float = 0.0,
        expired: bool = False,
        purge: bool = False,
        shred: bool = False,
        dry_run: bool = False,
    ) -> Listing[MemoryRecord]:
        """Put away every memory that fits; pinned ones stay. Arguments as in `search` and `forget`.

        Args:
            expired: only what has expired, instead of what is live.
        """
        where = build_where(
            types=types,
            tags=tags,
            since=since,
            until=until,
            metadata=metadata,
            session=session,
            source=source,
            min_importance=min_importance,
            pinned=False,
            expired=expired,
        )
        return await forgetting.forget_where(self._core, where, purge=purge, shred=shred, dry_run=dry_run)

    async def restore(self, id: str) -> MemoryRecord:
        """Bring a forgotten memory back as it was.

        Raises:
            MemoryNotFoundError: nothing with this id was put away.
            ValidationError: another memory has its key by now.
        """
        return await forgetting.restore(self._core, id)

    async def history(self, id: str) -> Listing[Version]:
        """List a memory's versions, oldest first, also of one that was purged.

        Raises:
            MemoryNotFoundError: there never was one.
            CapabilityError: the backend keeps no history.
        """
        return await single.history(self._core, id)

    async def pin(self, id: str) -> MemoryRecord:
        """Mark a memory as one that always counts: part of every brief, and never decaying."""
        return await single.set_pinned(self._core, id, True)

    async def unpin(self, id: str) -> MemoryRecord:
        """Take the mark off again."""
        return await single.set_pinned(self._core, id, False)

    # --- all of them ---------------------------------------------------------------------------------------

    async def list(
        self,
        limit: int | None = 100,
        *,
        types: Types = None,
        tags: Words = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_importance: float = 0.0,
        metadata: Mapping[str, Any] | None = None,
        key: Words = None,
        session: Words = None,
        source: Words = None,
        pinned: bool | None = None,
        status: str | Status | Iterable[str | Status] | None = "active",
        sort: OrderBy = "created",
        descending: bool = True,
        offset: int = 0,
    ) -> Listing[MemoryRecord]:
        """List memories, newest first; `limit` None lists all. Filters as in `search`.

        Args:
            status: `active`, `archived`, `superseded`, several of these, or None for all of them.
            sort: `created`, `updated`, `occurred`, `used` or `importance`.
        """
        where = build_where(
            types=types,
            tags=tags,
            since=since,
            until=until,
            min_importance=min_importance,
            metadata=metadata,
            key=key,
            session=session,
            source=source,
            pinned=pinned,
            status=status,
        )
        return await self._core.store.select(where, Order(sort, descending), limit, offset)

    async def count(
        self,
        *,
        types: Types = None,
        tags: Words = None,
        since: datetime | None = None,
        until: datetime | None = None,
        min_importance: float = 0.0,
        metadata: Mapping[str, Any] | None = None,
        session: Words = None,
        source: Words = None,
        pinned: bool | None = None,
        status: str | Status | Iterable[str | Status] | None = "active",
    ) -> int:
        """Count memories, exactly. Filters as in `list`."""
        where = build_where(
            types=types,
            tags=tags,
            since=since,
            until=until,
            min_importance=min_importance,
            metadata=metadata,
            session=session,
            source=source,
            pinned=pinned,
            status=status,
        )
        return await self._core.store.count(where)

    async def get_stats(self, *, detailed: bool = False) -> dict[str, Any]:
        """Count what there is: `agent_id`, `total`, a count per type, and more about the store.

        Args:
            detailed: add sizes, ages and tags, for which all memories are gone through once
                (`memories.operations.statistics.breakdown`).
        """
        counts = await status.statistics(self._core)
        return counts | await breakdown(self._core.store) if detailed else counts

    async def get_status(self) -> dict[str, Any]:
        """Return how things stand: where the store is, which level is in force, what is pending. Loads no model.

        `owed_embeddings` counts the memories that are not embedded yet, `failed_embeddings` those among them whose
        text an embedder failed on, and `failures` has `id`, `reason` and `at` of the newest twenty of these.
        """
        return await status.status(self._core)

    async def clear_all(self, *, purge: bool = False, shred: bool = False) -> dict[str, int]:
        """Put away everything, pinned memories too, and return how many per type."""
        return await forgetting.clear_all(self._core, purge=purge, shred=shred)

    # --- moving --------------------------------------------------------------------------------------------

    async def export_to(
        self,
        file: str | PathLike[str] | BinaryIO,
        *,
        history: bool = False,
        usage: bool = False,
        with_vectors: bool = False,
        types: Types = None,
        tags: Words = None,
        progress: Progress | None = None,
    ) -> Exported:
        """Write all memories to a file, archived and expired ones too: a line of JSON each, ordered by id.

        The same memories give the same bytes, whatever backend keeps them. What was taken out is noted by its id.

        Args:
            file: a path, whose file is replaced once the new one is whole, or a file open in binary mode.
            history: all versions too, also of what was purged.
            usage: when and how often each was accessed, too.
            with_vectors: their vectors too, in half precision.
            types, tags: only these, as in `search`; what was taken out is not noted then.
            progress: called with (done, total).

        Raises:
            CapabilityError: the backend keeps no history, or no vectors.
            BackendError: the store did not give all that it counts; no file was written.
        """
        from agent_memory.transfer import moving
        from agent_memory.transfer.stream import Parts

        where = build_where(types=types, tags=tags, status=None, expired=None)
        parts = Parts(history=history, usage=usage, vectors=with_vectors)
        return await moving.export(self._core.store, file, parts, where, progress)

    async def import_from(
        self,
        file: str | PathLike[str] | BinaryIO | FileStream,
        *,
        on_conflict: OnConflict = "refuse",
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Moved:
        """Take over what `export_to` wrote: ids, versions, times, tags, and whatever else is in the file.

        What is here already stays as it is, so a second run changes nothing, and a stopped one is run again.
        Nothing is ever deleted. The embedder of the file is used from then on where there was none.

        Args:
            file: a path, a file open in binary mode, or a `FileStream` that was checked already.
            on_conflict: where a memory is here in another version, was taken out here, or has a key that another one
                has here: `refuse` writes nothing at all, `keep` leaves those memories out, `replace` takes them (the
                version here stays in history; the other holder of the key is archived).
            dry_run: only say what would be done.

        Raises:
            IntegrityError: the file is not whole, or of a version that is not known; nothing was written.
            ValidationError: there are conflicts; nothing was written.
        """
        from agent_memory.transfer import moving

        return await moving.import_(
            self._core.store, file, on_conflict=on_conflict, dry_run=dry_run, who=self._who, progress=progress
        )

    async def migrate_to(
        self,
        target: Store | str,
        backend_config: Mapping[str, Any] | None = None,
        *,
        on_conflict: OnConflict = "refuse",
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Moved:
        """Bring everything into another store, and compare both afterwards. This one is only read.

        With ids, times, tags, history, accesses, archived memories and vectors; what the other backend cannot keep is
        told in `notices`. A second run changes nothing, and a stopped one is run again.

        Args:
            target: a store, opened and closed here, or a backend's name or URL, for which it is made.
            backend_config: the options of that backend.
            on_conflict, dry_run: as in `import_from`.

        Raises:
            ValidationError: there are conflicts; nothing was written.
            IntegrityError: afterwards both do not hold the same.
        """
        from agent_memory.transfer import moving

        store = (
            target
            if isinstance(target, Store)
            else create_store(target, self.agent_id, dict(backend_config or {}))
        )
        store.check_allowed(offline=self._core.settings.offline)
        await store.open()
        try:
            return await moving.migrate(
                self._core.store,
                store,
                on_conflict=on_conflict,
                dry_run=dry_run,
                who=self._who,
                progress=progress,
            )
        finally:
            await store.close()

    @property
    def _who(self) -> Mapping[str, str | None]:
        return {"actor": self._core.settings.actor, "session": self._core.settings.session}

    # --- looking back, upkeep ------------------------------------------------------------------------------

    async def undo(self, count: int = 1, *, dry_run: bool = False) -> Listing[OperationRecord]:
        """Take back the latest operations that were not taken back yet, newest first.

        Raises:
            ConflictError: a memory was changed since by an operation that stays.
            CapabilityError: the backend keeps no history.
        """
        return await undoing.undo(self._core, count, dry_run=dry_run)

    async def log(self, limit: int = 20) -> Listing[OperationRecord]:
        """List the latest operations that changed something, newest first."""
        return await self._core.store.operations(limit)

    async def index(self, *, limit: int | None = None, progress: Progress | None = None) -> int:
        """Embed what is pending, and return how many texts that were; renew words that an older version indexed.

        What failed before is tried again. It may be stopped at any time, even within a long text: what was done stays
        done. A text that the embedder fails on does not hinder the others; `get_status` names it and the reason.

        Args:
            limit: at most so many texts.
            progress: called with (done, total) pieces; the total is an estimate.

        Raises:
            ModelMissingError, MissingDependencyError, EmbeddingMismatchError, ConfigurationError.
        """
        await self._core.store.renew()
        return await self._core.index.embed_pending(texts=limit, progress=progress)

    async def reembed(
        self,
        embedding_provider: str | None = None,
        embedding_config: Mapping[str, Any] | None = None,
        *,
        progress: Progress | None = None,
    ) -> EmbeddingSpace:
        """Embed everything with another embedder, then switch to it; a stopped run goes on where it was."""
        return await self._core.index.reembed(embedding_provider, embedding_config, progress)

    async def cost_of_reembedding(
        self, embedding_provider: str | None = None, embedding_config: Mapping[str, Any] | None = None
    ) -> ReembeddingCost:
        """Return how many texts `reembed` would embed and about how long that takes. Changes nothing."""
        return await self._core.index.cost_of_reembedding(embedding_provider, embedding_config)

    async def check_isolation(self) -> Listing[str]:
        """Plant a canary for a made-up agent on this backend, and ask for it as another in every way there is.

        Returns:
            One line per way in which the other agent saw or changed it; empty if agents are apart. Both made-up
            agents are taken out again.
        """
        from agent_memory.memories.isolation import check_isolation

        return await check_isolation(self._core.store)

    async def check(self) -> Listing[str]:
        """Compare everything in the store that must agree, and return one line per fault."""
        return await self._core.store.check()

    async def repair(self) -> Repair:
        """Make everything derived (words, hashes, indexes) anew, and return the faults that are left.

        Its `mended` says what was wrong before. What is damaged itself stays as it is: nothing is thrown away.
        """
        return await self._core.store.repair()

    @property
    def damaged(self) -> Mapping[str, str]:
        """What reads have left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""
        return self._core.store.damaged

    @property
    def wrote(self) -> bool:
        """Whether memories were stored, changed or put away through this object."""
        return self._core.store.wrote
