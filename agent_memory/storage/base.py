"""The contract between the library and a store: a store retrieves candidates, the core scores.

A backend fills the hooks, whose names begin with an underscore; the public methods check, normalise and
supply what a backend lacks. What a backend cannot do it says in `capabilities`; asking for it raises an error
that names it. Nothing is silently ignored.

Rules that every backend keeps, and that the suite in `agent_memory.testing.store` checks:

* What `commit` returned for is stored, and found by the next read of anybody.
* A commit is all or nothing where `transactions` is declared; elsewhere a failed one says what it left.
* A read sees only its own agent's memories, and never waits for a writer.
* An expired memory is never returned unless `Where.expired` asks for it.
* No retrieval returns fewer memories because of a filter: what cannot be pushed down is filtered after
  fetching until `limit` are found or nothing is left.

Export, import and migration need no hook of their own for writing: what is taken over from another store comes
as `Take` and `Bury` through `commit`, and the plan tells what to write. Beyond every other write it has:

* `Plan.usage`: the accesses of inserted memories, for a backend that counts them;
* `JournalEntry.at`: for a backend with a journal, the time that `Version.at` gives for this entry instead of its
  operation's `started_at`.

For reading, a backend with a journal fills `_gone`, and `_histories` where it can read many at once.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, NamedTuple, cast, get_args

from agent_memory import clock
from agent_memory.errors import (
    AmbiguousIdError,
    BackendError,
    CapabilityError,
    ClosedError,
    ConfigurationError,
    IntegrityError,
    MemoryNotFoundError,
    PolicyError,
    StoreBusyError,
    ValidationError,
)
from agent_memory.network import is_elsewhere
from agent_memory.records import MemoryRecord, MemoryType, OperationRecord, Status, Version
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.changes import SHORTEST_PREFIX, Change, Erase, Operation, Remove, Written
from agent_memory.storage.where import Where
from agent_memory.text.analysis import is_code
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.names import normal_name
from agent_memory.text.porter import unstemmed

if TYPE_CHECKING:
    from agent_memory.storage.retrieval import (
        CandidateRequest,
        Candidates,
        ContextRequest,
        SearchContext,
        VectorCandidates,
        VectorRequest,
    )

OrderBy = Literal["created", "updated", "occurred", "used", "importance", "position"]
GroupBy = Literal[
    "type",
    "status",
    "tag",
    "session",
    "source",
    "conversation_id",
    "event_type",
    "category",
    "document_id",
    "role",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do by itself."""

    persistent: bool = False
    """Memories outlive the process."""
    shared: bool = False
    """Several processes may use one store at once."""
    full_text: bool = False
    vectors: bool = False
    transactions: bool = False
    journal: bool = False
    """History, undo and the log of operations."""
    usage: bool = False
    """Counts accesses."""
    ttl: bool = False
    """The server itself drops short-term memories some time after they expire; they are hidden at once everywhere."""
    filters: bool = False
    """Every filter is applied by the backend itself; else what it cannot filter is left out after fetching."""
    ordering: bool = False
    """Lists are ordered by the backend itself; else they are fetched and ordered in memory."""
    counts: bool = False
    """Counts without fetching what it counts; the number is exact everywhere."""
    largest: int | None = None
    """Bytes that a memory may take as JSON; None: as many as it has."""

    def named(self) -> dict[str, bool]:
        """Return every ability by name, for tables."""
        return {
            field_.name: getattr(self, field_.name) for field_ in fields(self) if field_.name != "largest"
        }


class Order(NamedTuple):
    """By what memories are listed; ties by the order in which they were stored.

    `occurred` is `happened_at`. What was never used, and what has no position, comes before all that has one.
    Descending is the whole list the other way round.
    """

    by: OrderBy = "created"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class EmbeddingSpace:
    """A set of vectors that may be compared with each other."""

    id: int
    provider: str
    model: str
    revision: str
    dimension: int
    pooling: str
    query_prefix: str
    document_prefix: str
    template_version: int
    """Number of the template that made the embedded texts."""
    fingerprint: str
    """Of the embedder's identity; the same fingerprint and template version are the same space."""
    created_at: datetime
    current: bool
    """Whether searches use it. At most one space is current."""

    def __str__(self) -> str:
        return f"{self.provider} ({self.model}, {self.dimension} dimensions)"

    def same_as(self, other: EmbeddingSpace) -> bool:
        """Return whether vectors of both may be compared: embedder and template version are the same."""
        return (self.fingerprint, self.template_version) == (other.fingerprint, other.template_version)


@dataclass(frozen=True, slots=True)
class Group:
    """Memories that share a value: how many, and when they happened."""

    value: str
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDescription:
    """What `status` and `stats` tell of a store; cheap to make."""

    backend: str
    location: str
    agent_id: str
    bytes: int | None = None
    schema_version: int | None = None
    level: str = "full"
    """`full`; `exact-scan` without a vector index; `keyword` without vectors; `read-only`. (`status` says `meaning`
    where there is no full text, and `nothing` where there is no embedder either.)"""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What only this backend has to tell, by name."""


RENEWED_TOGETHER: Final = 1000
"""Memories whose words are renewed in one transaction where somebody waits for all of them."""


class Repair(list[str]):
    """What is wrong still after everything derived was made anew, a line for each fault; `mended` stands beside it.

    What is damaged itself stays as it is.
    """

    def __init__(self, left: Iterable[str] = (), *, mended: Iterable[str] = ()) -> None:
        super().__init__(left)
        self.mended = tuple(mended)
        """What was wrong before, and is no longer."""


class Store(ABC):
    """Where one agent's memories are kept."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]
    options: ClassVar[frozenset[str]] = frozenset()
    """The keys of `backend_config` that this backend knows."""

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        """Keep the settings; nothing is opened yet.

        `agent_id` None takes the agent that is in the store, else `default`.
        """
        unknown = sorted(options.keys() - self.options)
        if unknown:
            raise ConfigurationError.unknown(
                f"backend_config key for {self.name}", unknown[0], sorted(self.options) or ["(none)"]
            )
        self.requested_agent = agent_id
        self.settings: Mapping[str, Any] = options
        self._agent_id: str | None = None
        self._was_open = False
        self._pid = os.getpid()
        self.damaged: dict[str, str] = {}
        """What reads left out since it cannot be read: by a name such as `memory 7f3k2m9q`, why."""

        self.wrote = False
        """Whether anything was committed through this object."""

    @property
    def unreadable(self) -> int:
        """How many memories reads have left out so far; they are counted all the same."""
        return sum(name.startswith(("memory ", "the memory ")) for name in self.damaged)

    # --- life ----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, create what is not there yet, and learn whose memories these are.

        Raises:
            BackendError: the store cannot be reached or is not one of ours.
            ConfigurationError: it belongs to another agent than the one asked for.
        """
        self._pid = os.getpid()
        self._agent_id = await self._open()
        self._was_open = True

    @property
    def agent_id(self) -> str:
        """Whose memories these are."""
        if self._agent_id is None:
            if self._was_open:
                raise ClosedError(f"the {self.name} store")
            raise BackendError(
                f"the {self.name} store is not open", hint="use `async with`, or `await memory.open()`"
            )
        return self._agent_id

    @abstractmethod
    async def close(self) -> None:
        """Close every connection. Idempotent."""

    @abstractmethod
    async def _open(self) -> str:
        """Connect and return the agent id of the store."""

    def owned(self) -> bool:
        """Return whether this process opened the store, rather than one that it was forked from."""
        return self._pid == os.getpid()

    def check_usable(self) -> None:
        """Raise if the store is closed, or was opened before this process was forked."""
        if not self.owned():
            raise BackendError.forked(f"this {self.name} store")
        _ = self.agent_id

    @property
    def uses_network(self) -> bool:
        """Whether memories leave this machine, or may: then the setting `offline` forbids this store."""
        url = self.settings.get("url")
        return url is not None and is_elsewhere(str(url))

    def check_allowed(self, *, offline: bool) -> None:
        """Raise PolicyError if it uses the network and may not; before it is opened."""
        if offline and self.uses_network:
            raise PolicyError.offline(f"the backend {self.name}")

    def check_writable(self) -> None:  # noqa: B027 - most stores find out as they write
        """Raise if it is known already that nothing can be written, such as StoreReadOnlyError."""

    def sibling(self, agent_id: str) -> Store:
        """Return an unopened store of another agent on the same backend, with the same options."""
        return type(self)(agent_id, **self.settings)

    async def drop(self) -> None:
        """Take out everything that this agent keeps, its history included, and close. It cannot be undone."""
        everything = Where(statuses=(), expired=None)
        async for page in self.scan(everything):
            current = (await self.get([record.id for record in page])).values()
            await self.commit(Operation(verb="drop"), [Remove(record, erase=True) for record in current])
        if self.capabilities.journal and (tombstoned := await self.purged()):
            await self.commit(Operation(verb="drop"), [Erase(record) for record in tombstoned])
        await self.secure_vacuum()
        await self.close()

    # --- writing -------------------------------------------------------------------------------------------

    async def commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[bytes, Sequence[bytes]] | None = None,
        space: EmbeddingSpace | None = None,
    ) -> list[Written]:
        """Write changes as one operation, all or nothing.

        `vectors` holds, by hash of the embedded text (`text.templates.embedding_hash`), the unit vectors of its
        segments in `space` (None: the current one), kept also where the memory itself is known already; texts
        without one in the current space are pending.

        Raises:
            StoreBusyError: somebody else is writing and all retries are used up; nothing was written.
            ConflictError: a memory was changed since it was read, or the id of one to add is taken; nothing was
                written.
            ValidationError: a memory would take the key of another; nothing was written.
        """
        self.check_usable()
        if not changes:
            return []
        written = await self._commit(operation, changes, vectors or {}, space)
        self.wrote = True
        return written

    @abstractmethod
    async def _commit(
        self,
        operation: Operation,
        changes: Sequence[Change],
        vectors: Mapping[bytes, Sequence[bytes]],
        space: EmbeddingSpace | None,
    ) -> list[Written]:
        """Load `planning.needs`, make the `planning.plan`, and write it, in one transaction."""

    @abstractmethod
    async def touch(self, ids: Sequence[str]) -> None:
        """Count one access of each. Gives up at once, without an error, where it would have to wait."""

    @abstractmethod
    async def set_setting(self, name: str, value: str | None) -> None:
        """Remember a value in the store, such as its default conversation; None forgets it."""

    @abstractmethod
    async def setting(self, name: str) -> str | None:
        """Return what `set_setting` remembered."""

    # --- reading -------------------------------------------------------------------------------------------

    @abstractmethod
    async def get(self, ids: Sequence[str]) -> dict[str, MemoryRecord]:
        """Fetch memories by whole ids, whatever their status, expired ones included; absent ids are left out."""

    @abstractmethod
    async def select(
        self, where: Where, order: Order | None = None, limit: int | None = None, offset: int = 0
    ) -> list[MemoryRecord]:
        """List memories, newest first unless another order is asked for."""

    @abstractmethod
    async def count(self, where: Where) -> int:
        """Count memories, exactly."""

    @abstractmethod
    async def groups(self, where: Where, by: GroupBy) -> list[Group]:
        """Count memories per value of one field; the most first, memories without the field left out."""

    async def scan(self, where: Where, batch: int = 1000) -> AsyncIterator[list[MemoryRecord]]:
        """Iterate over all memories in the order they were stored, in batches, for export and rebuilding."""
        after = 0
        while True:
            page, after = await self._scan(where, after, batch)
            if page:
                yield page
            if not after:
                return

    @abstractmethod
    async def _scan(self, where: Where, after: int, limit: int) -> tuple[list[MemoryRecord], int]:
        """Return the next memories behind a place, and the place to go on from; 0 when that was all."""

    async def resolve(
        self,
        reference: str,
        *,
        what: str = "memory",
        statuses: Sequence[Status] = (),
        types: Sequence[MemoryType] = (),
        expired: bool = False,
    ) -> MemoryRecord:
        """Find the one memory that an id, a key or a unique prefix of an id means, in that order.

        With `statuses` or `types`, only memories of these are meant; with `expired`, also those whose time is over.

        Raises:
            MemoryNotFoundError: there is none, or it has expired.
            AmbiguousIdError: several begin so.
            IntegrityError: it is damaged.
        """
        self.check_usable()
        if not isinstance(reference, str) or not reference.strip():
            raise ValidationError(
                "the id is empty", hint="give an id, a key, or the first characters of an id"
            )
        reference = normal_name(reference)
        moment = clock.now()

        def meant(record: MemoryRecord) -> bool:
            return (
                (not statuses or record.status in statuses)
                and (not types or record.memory_type in types)
                and (expired or not record.expired(moment))
            )

        exact = (await self.get([reference])).get(reference)
        if exact is not None and meant(exact):
            return exact
        keyed = await self.select(
            Where(
                keys=(reference,),
                types=tuple(types),
                statuses=tuple(statuses),
                expired=None if expired else False,
            )
        )
        active = [record for record in keyed if record.status is Status.ACTIVE] or keyed
        if len(active) == 1:
            return active[0]
        if active:
            raise AmbiguousIdError(reference, [record.id for record in active])
        found = await self._by_prefix(reference.lower(), 50) if len(reference) >= SHORTEST_PREFIX else []
        live = [record for record in (await self.get(found)).values() if meant(record)]
        if len(live) > 1:
            raise AmbiguousIdError(reference, sorted(record.id for record in live))
        if not live:
            if (damage := await self._damage(reference)) is not None:
                raise IntegrityError.damaged(*damage)
            raise MemoryNotFoundError(reference, what=what)
        return live[0]

    async def _damage(self, reference: str) -> tuple[str, str] | None:
        """Return the name of a damaged memory that a reference means, and what is wrong with it."""
        return None

    @abstractmethod
    async def _by_prefix(self, prefix: str, limit: int) -> list[str]:
        """List ids that begin so, whatever their status."""

    @abstractmethod
    async def neighbours(self, message_id: str, before: int, after: int) -> list[MemoryRecord]:
        """Return the active messages around one in its conversation, itself included, oldest first."""

    @abstractmethod
    async def adjacent(self, message_ids: Sequence[str], step: Literal[-1, 1]) -> dict[str, str]:
        """Return, for each of these messages, the id of the active one before (-1) or after (1) it.

        Left out are those without one, and what is no message of a conversation.
        """

    @abstractmethod
    async def version(self) -> int:
        """Return a number that moves with every write of anybody, for caches."""

    # --- retrieving ----------------------------------------------------------------------------------------

    async def by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        """Return the ids of the best memories holding any of the terms, with their BM25 scores, best first.

        `terms` come from `text.analysis.query_terms`; the score is FTS5's formula, positive.
        """
        self._require("full_text", "full-text search")
        return await self._by_keyword(terms, where, limit) if terms and limit > 0 else []

    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        raise CapabilityError(self.name, "full-text search")

    async def word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        """Return the BM25 scores of given memories; those without any of the terms are left out."""
        self._require("full_text", "full-text search")
        return await self._word_scores(terms, ids) if terms and ids else {}

    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        raise CapabilityError(self.name, "full-text search")

    async def word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        """Return how many memories there are, their mean length in words, and how many hold each stemmed term."""
        self._require("full_text", "full-text search")
        return await self._word_statistics(terms)

    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        raise CapabilityError(self.name, "full-text search")

    async def outdated_count(self) -> int:
        """Count the memories whose words an older analyser indexed. They are found as they were before."""
        return 0

    async def renew(self, limit: int | None = None) -> int:
        """Index words anew that an older analyser indexed, in the order of storing; return how many memories wait.

        With a limit it sees to so many at most, and gives up without an error where it would have to wait.
        """
        left = await self.outdated_count()
        if limit is not None:
            if left:
                await self._renew_at_once(limit)
            return max(0, left - limit)
        while left:
            await self._renew_some(RENEWED_TOGETHER)
            before, left = left, await self.outdated_count()
            if left >= before:
                break  # memories that cannot be read cannot be indexed either
        return left

    async def _renew_some(self, limit: int) -> None:
        """Index the words of so many more memories anew; for backends that count outdated ones."""
        raise CapabilityError(self.name, "full-text search")

    async def _renew_at_once(self, limit: int) -> None:
        """Do the same if nobody stands in the way."""
        with suppress(StoreBusyError):
            await self._renew_some(limit)

    async def terms_beginning(self, prefix: str, limit: int) -> list[str]:
        """Return words of the index that begin with a word of a query, in order, for the other searches as terms.

        Asked for a word that is no code (`text.analysis.is_code`), none: a store lists codes alone.
        """
        self._require("full_text", "full-text search")
        roots = await self._terms_beginning(prefix, limit) if is_code(prefix) and limit > 0 else []
        return [unstemmed(root) for root in roots]

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        """Return the first stems that begin so, ordered by code points; a backend without any finds whole words."""
        return []

    async def by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        """Return the ids of the nearest memories in the current space with their cosines, nearest first.

        Of a memory in several segments the nearest segment counts.
        """
        self._require("vectors", "vectors")
        return await self._by_vector(vector, where, limit) if limit > 0 else []

    async def _by_vector(self, vector: bytes, where: Where, limit: int) -> list[tuple[str, float]]:
        raise CapabilityError(self.name, "vectors")

    async def vectors(
        self, ids: Sequence[str], space: EmbeddingSpace | None = None
    ) -> dict[str, list[bytes]]:
        """Return the vectors of given memories' segments, float32, in the current space or another.

        A store may round their numbers to half precision; a cosine is off by less than .0005 then. A memory whose
        embedding is pending is left out.
        """
        self._require("vectors", "vectors")
        return await self._vectors(ids, space) if ids else {}

    async def _vectors(self, ids: Sequence[str], space: EmbeddingSpace | None) -> dict[str, list[bytes]]:
        raise CapabilityError(self.name, "vectors")

    async def sample_vectors(self, limit: int = 500) -> list[bytes]:
        """Return a fixed sample of the current space's vectors, the same until their number doubles."""
        self._require("vectors", "vectors")
        return await self._sample_vectors(limit)

    async def _sample_vectors(self, limit: int) -> list[bytes]:
        raise CapabilityError(self.name, "vectors")

    # --- what one search asks ------------------------------------------------------------------------------

    async def candidates(self, request: CandidateRequest) -> Candidates:
        """Return candidates by keyword and by key, and what a search has to know about the store."""
        self.check_usable()
        return await self._candidates(request)

    async def _candidates(self, request: CandidateRequest) -> Candidates:
        """Answer it by the hooks above; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.candidates(self, request)

    async def vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        """Return candidates by vector, and a sample of the current space's vectors."""
        self._require("vectors", "vectors")
        return await self._vector_candidates(request)

    async def _vector_candidates(self, request: VectorRequest) -> VectorCandidates:
        """Answer it by the hooks above; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.vector_candidates(self, request)

    async def search_context(self, request: ContextRequest) -> SearchContext:
        """Return candidates as records, with all that scores them."""
        self.check_usable()
        return await self._search_context(request)

    async def _search_context(self, request: ContextRequest) -> SearchContext:
        """Answer it by the hooks above; a backend behind a network does so in one round trip."""
        from agent_memory.storage import retrieval

        return await retrieval.search_context(self, request)

    # --- embedding spaces ----------------------------------------------------------------------------------

    @abstractmethod
    async def spaces(self) -> list[EmbeddingSpace]:
        """List the embedding spaces that the store knows, the current one first."""

    async def current_space(self) -> EmbeddingSpace | None:
        """Return the space that searches use, if vectors were ever asked for."""
        return next((space for space in await self.spaces() if space.current), None)

    @abstractmethod
    async def add_space(self, space: EmbeddingSpace) -> EmbeddingSpace:
        """Make a space known and return it with its id; current if it is the first.

        One with the same fingerprint and template version is returned as it is.
        """

    @abstractmethod
    async def switch_space(self, space: EmbeddingSpace) -> None:
        """Make a space the current one and rebuild what is derived from it, at once or not at all."""

    @abstractmethod
    async def pending(
        self, limit: int, space: EmbeddingSpace | None = None, *, failed: bool | None = None
    ) -> list[MemoryRecord]:
        """List active, unexpired memories without vectors in the current space or another, newest first.

        Before there is any space, all of them. With `failed`, only those whose text could not be embedded (an
        `Attempt` of it has a reason), or with False only the others.
        """

    @abstractmethod
    async def pending_count(self, space: EmbeddingSpace | None = None, *, failed: bool | None = None) -> int:
        """Count what `pending` would list."""

    @abstractmethod
    async def put_vectors(self, space: EmbeddingSpace, vectors: Mapping[bytes, Sequence[bytes]]) -> None:
        """Store the vectors of embedded texts by their hash; those that are there already stay as they are.

        What was kept of attempts at these texts goes.
        """

    @abstractmethod
    async def attempts(self, space: EmbeddingSpace, digests: Collection[bytes]) -> dict[bytes, Attempt]:
        """Return what is remembered of texts that are not embedded whole, by hash; the others are left out."""

    @abstractmethod
    async def kept_segments(self, space: EmbeddingSpace, digest: bytes) -> list[bytes]:
        """Return the vectors kept of a text that is not embedded whole, in order; none if any cannot be read."""

    @abstractmethod
    async def keep_attempts(
        self,
        space: EmbeddingSpace,
        attempts: Mapping[bytes, Attempt],
        vectors: Mapping[bytes, Sequence[bytes]] | None = None,
    ) -> None:
        """Remember how far texts have come, with the vectors that are new since the attempt before.

        What does not follow upon what is kept (`Attempt.follows`) is left out: somebody else was faster. An attempt
        goes with the last memory that has its text.
        """

    # --- history -------------------------------------------------------------------------------------------

    async def history(self, memory_id: str) -> list[Version]:
        """List a memory's versions, oldest first; `memory_id` is a whole id, and the memory may be gone."""
        self._require("journal", "history")
        return await self._versions(memory_id=memory_id)

    async def changes_of(self, operation_id: str) -> list[Version]:
        """List what one operation changed, in order."""
        self._require("journal", "history")
        return await self._versions(operation_id=operation_id)

    async def _versions(
        self, *, memory_id: str | None = None, operation_id: str | None = None
    ) -> list[Version]:
        raise CapabilityError(self.name, "history")

    async def histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        """List the versions of many memories, each as `history` does; those without any are left out."""
        self._require("journal", "history")
        return await self._histories(unique(ids)) if ids else {}

    async def _histories(self, ids: Sequence[str]) -> dict[str, list[Version]]:
        """Read them one by one, where the backend has no better way."""
        found = {memory_id: await self._versions(memory_id=memory_id) for memory_id in ids}
        return {memory_id: versions for memory_id, versions in found.items() if versions}

    async def tombstoned(self) -> list[str]:
        """List the ids of memories that the journal knows and that are not there, shredded ones included, sorted."""
        self._require("journal", "history")
        return sorted(await self._tombstoned())

    async def _tombstoned(self) -> list[str]:
        """Return the ids in the journal that no memory has, in any order; also where only the text is erased."""
        raise CapabilityError(self.name, "history")

    async def purged(self) -> list[MemoryRecord]:
        """List the last versions of memories that were taken out and whose text is still in the journal."""
        self._require("journal", "history")
        return await self._purged()

    async def _purged(self) -> list[MemoryRecord]:
        raise CapabilityError(self.name, "history")

    async def operations(self, limit: int = 20) -> list[OperationRecord]:
        """List operations that changed something, newest first."""
        self._require("journal", "history")
        return await self._operations(limit)

    async def _operations(self, limit: int) -> list[OperationRecord]:
        raise CapabilityError(self.name, "history")

    # --- upkeep --------------------------------------------------------------------------------------------

    @abstractmethod
    async def describe(self) -> StoreDescription:
        """Describe what and where the store is, without reading much of it."""

    @abstractmethod
    async def check(self) -> list[str]:
        """Compare everything that must agree (rows, words, vectors, checksums); one line per fault."""

    @abstractmethod
    async def rebuild(self) -> None:
        """Make everything derived (words and vector index) anew from the rows and the stored vectors."""

    async def repair(self) -> Repair:
        """Do what `rebuild` does, and say what was mended by it and what is left."""
        before = await self.check()
        await self.rebuild()
        left = await self.check()
        return Repair(
            left, mended=(integrity_error for integrity_error in before if integrity_error not in set(left))
        )

    @abstractmethod
    async def secure_vacuum(self) -> None:
        """Overwrite what was erased, so that no byte of it is left in the store's own files."""

    def _require(self, capability: str, ability: str) -> None:
        self.check_usable()
        if not getattr(self.capabilities, capability):
            raise CapabilityError(self.name, ability)


def check_order(order: Order | None) -> Order:
    """Return the order, or the default for None.

    Raises:
        ValidationError: it names something that memories cannot be ordered by.
    """
    order = order or Order()
    if order.by not in get_args(OrderBy):
        raise ValidationError(
            f"cannot sort by '{order.by}'", hint="use one of " + ", ".join(get_args(OrderBy))
        )
    return order


def check_group(by: str) -> GroupBy:
    """Return the name of what memories are grouped by.

    Raises:
        ValidationError: memories cannot be grouped by it.
    """
    if by not in get_args(GroupBy):
        raise ValidationError(f"cannot group by '{by}'", hint="use one of " + ", ".join(get_args(GroupBy)))
    return cast(GroupBy, by)


def unique(ids: Iterable[str]) -> list[str]:
    """Return ids in order, each once."""
    return list(dict.fromkeys(ids))
