"""Keeping the vectors of a store in step with its texts.

The file decides: when nobody names an embedder, the one that made the store's vectors is used. A store always
opens; only where vectors would be compared under an embedder that was named and differs is anything refused.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from agent_memory import clock
from agent_memory.embeddings.base import Embedder, EmbeddingIdentity
from agent_memory.embeddings.catalog import LOCAL_MODEL
from agent_memory.embeddings.fail_fast import fail_fast
from agent_memory.embeddings.registry import NO_EMBEDDER, create_embedder, options_for
from agent_memory.errors import (
    AgentMemoryError,
    BackendError,
    ConfigurationError,
    EmbeddingError,
    EmbeddingMismatchError,
    MissingDependencyError,
    PolicyError,
    StoreBusyError,
)
from agent_memory.hints import Hint
from agent_memory.recall import backlog
from agent_memory.recall.backlog import Failure, texts_of
from agent_memory.recall.pending import (
    SEGMENT_BYTES,
    Budget,
    EmbeddingJob,
    Progress,
    UnstoredEmbeddingJob,
    failed_attempts,
)
from agent_memory.recall.relevance import DEFAULT_BACKGROUND, UNRELATED, BackgroundDistribution, background_of
from agent_memory.records import MemoryRecord
from agent_memory.storage.base import EmbeddingSpace, Store, vector_store
from agent_memory.storage.waiting import by_the_way
from agent_memory.storage.where import Where
from agent_memory.text.templates import TEMPLATE_VERSION, TextHash, embedded_text

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

NOT_AT_HAND = (EmbeddingError, MissingDependencyError, ConfigurationError, PolicyError)
"""What keeps an embedder from embedding: no model, no package, no key, no answer, no network allowed, or another
store's vectors."""

OPENING = 4  # segments of a text that is not embedded yet and is to be compared with others at once
SAMPLE = 16  # texts of which some is embedded to tell how long all of them will take


class ReembeddingCost(NamedTuple):
    """What embedding everything anew would take."""

    space: EmbeddingSpace
    """Where the vectors would go."""
    texts: int
    """How many texts are not embedded there yet."""
    seconds: float | None
    """About how long that takes on this machine; None where a service elsewhere does it."""


class Embedded(NamedTuple):
    """Vectors by hash of the embedded text, and the space that they are in."""

    space: EmbeddingSpace
    vectors: Mapping[TextHash, Sequence[Vector]]
    failures: Mapping[TextHash, str] = {}
    """Why the others could not be embedded, by hash."""


class SemanticIndex:
    """One store's embedder and the space that its vectors live in."""

    def __init__(
        self,
        store: Store,
        *,
        provider: str,
        options: Mapping[str, Any],
        named: bool,
        embedder: Embedder | None = None,
        offline: bool = False,
    ) -> None:
        self._store = store
        self._provider = embedder.provider if embedder is not None else provider
        self._options = options
        self._named = named or embedder is not None
        self._explicit_embedder = embedder
        self._offline = offline
        self._embedder: Embedder | None = embedder
        self._prepared = False
        self._backgrounds: dict[str, BackgroundDistribution] = {}
        """What the store remembers, by the fingerprint of the embedder."""
        self._missing: AgentMemoryError | None = None
        """Why the store's own embedder could not be made."""

    async def open(self) -> None:
        """Choose the embedder: the one that was named, else the store's own, else the default."""
        if self._explicit_embedder is not None:
            self._explicit_embedder.check_allowed(offline=self._offline)
        if not self._store.capabilities.vectors:
            return
        space = await vector_store(self._store).current_space()
        if self._explicit_embedder is None and not self._named and space is not None:
            await self._open_stored(space)
        elif self._explicit_embedder is None:
            self._embedder = self._create(self._provider, self._options)

    def _create(self, provider: str, options: Mapping[str, Any]) -> Embedder | None:
        """Make an embedder that may be used here.

        Returns:
            The embedder; None where the provider is `none`.

        Raises:
            PolicyError: it uses the network, and the setting `offline` forbids that.
        """
        embedder = create_embedder(provider, options)
        if embedder is not None:
            embedder.check_allowed(offline=self._offline)
        return embedder

    async def _open_stored(self, space: EmbeddingSpace) -> None:
        """Use the embedder that made the store's vectors; if it is not at hand, the store opens all the same."""
        try:
            provider, options = options_for(space)
            # Addresses, folders and keys are not kept in the store; those of the same provider still apply.
            beside = self._options if self._provider == provider else {}
            self._embedder = self._create(provider, {**beside, **options})
            self._provider, self._options = provider, {**beside, **options}
        except (ConfigurationError, MissingDependencyError, PolicyError) as error:
            self._provider, self._missing = space.provider, error

    @property
    def provider(self) -> str:
        """The name of the embedder in use, `none` among them."""
        return self._provider

    @property
    def embedder(self) -> Embedder | None:
        """The embedder in use."""
        return self._embedder

    @property
    def available(self) -> bool:
        """Whether this memory can be searched by meaning at all."""
        return (self._embedder is not None or self._missing is not None) and self._store.capabilities.vectors

    def require(self) -> Embedder:
        """Return the embedder.

        Raises:
            ConfigurationError: there is none; the message names the setting.
        """
        if self._missing is not None:
            raise self._missing
        if self._embedder is None or not self.available:
            raise ConfigurationError(
                "searching by meaning needs an embedder, and embedding_provider is 'none'",
                hint=Hint("set it to {LOCAL_EMBEDDER}"),
            )
        return self._embedder

    def refuses(self, error: Exception) -> bool:
        """Return whether an error means that somebody named an embedder which the store's vectors are not from."""
        return self._named and isinstance(error, EmbeddingMismatchError)

    async def space(self) -> EmbeddingSpace:
        """Return the space in which this embedder's vectors may be compared, making it if the store has none.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            ModelMissingError, MissingDependencyError: the embedder is not at hand.
        """
        embedder = await self.prepare()
        current = await vector_store(self._store).current_space()
        if current is None:
            current = await vector_store(self._store).add_space(space_of(embedder.identity))
        self.check_space(current)
        return current

    async def check_comparable(self) -> None:
        """Raise as `space` does, and write nothing: a store without vectors has nothing to compare."""
        await self.prepare()
        self.check_space(await vector_store(self._store).current_space())

    async def prepare(self) -> Embedder:
        """Return the embedder, ready to embed.

        Raises:
            ConfigurationError: there is none.
            ModelMissingError, MissingDependencyError: it is not at hand.
        """
        embedder = self.require()
        if not self._prepared:
            await embedder.prepare()
            self._prepared = True
        return embedder

    def check_space(self, current: EmbeddingSpace | None) -> None:
        """Check that vectors of the prepared embedder may be compared with those of the store's current space.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
        """
        identity = self.require().identity
        if current is not None and not current.same_as(space_of(identity)):
            raise EmbeddingMismatchError(stored=str(current), asked=str(identity))

    async def vectors_of(
        self,
        records: Sequence[MemoryRecord],
        progress: Progress | None = None,
        *,
        known: Container[TextHash] = frozenset(),
    ) -> Embedded | None:
        """Embed what is about to be stored; None where that is not possible now, and the embedding stays pending.

        Texts whose hash is in `known` have a vector already.

        Returns:
            The vectors by hash of the text; None where there is nothing to embed, or it is not possible.
        """
        if not self.available:
            return None
        texts = {digest: text for digest, text in texts_of(records).items() if digest not in known}
        if not texts:
            return None
        try:
            space = await self.space()
            job = UnstoredEmbeddingJob(self._store, self.require(), space, progress)
            with suppress(EmbeddingError):  # what was embedded until then is worth keeping
                await job.run(texts)
            return Embedded(space, job.vectors, job.failures)
        except NOT_AT_HAND:
            return None

    async def note_failures(self, made: Embedded) -> None:
        """Remember which of the texts just stored could not be embedded, and why."""
        if made.failures:
            with suppress(BackendError, StoreBusyError):  # the next search will find out again
                await vector_store(self._store).keep_attempts(made.space, failed_attempts(made.failures))

    async def opening(self, record: MemoryRecord) -> list[Vector]:
        """Embed the beginning of a memory, to compare it with others before all of it is embedded.

        Returns:
            The vectors of its first segments.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            EmbeddingError, MissingDependencyError, ConfigurationError: the embedder is not at hand.
        """
        await self.check_comparable()
        embedder = self.require()
        (segments,) = await embedder.split_parts(embedder.parts(embedded_text(record))[:1])
        return await embedder.embed_segments(segments[:OPENING])

    async def embed(
        self,
        records: Sequence[MemoryRecord],
        progress: Progress | None = None,
        *,
        known: Container[TextHash] = frozenset(),
    ) -> None:
        """Embed memories that are stored, and store their vectors as they are made; not texts in `known`.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            EmbeddingError, MissingDependencyError, ConfigurationError: the embedder is not at hand, or one of them
                cannot be embedded.
        """  # noqa: DOC501
        job = EmbeddingJob(self._store, self.require(), await self.space(), progress=progress)
        await job.run({digest: text for digest, text in texts_of(records).items() if digest not in known})
        for reason in job.failures.values():
            raise EmbeddingError(reason, hint=Hint("{STATUS} says what could not be embedded"))

    async def split(self, text: str) -> list[str]:
        """Cut a text into segments that the embedder reads whole; about such segments where it is not at hand."""
        if not self.available:
            return [text]
        try:
            return await (await self.prepare()).split(text)
        except NOT_AT_HAND:
            from agent_memory.embeddings.segments import split_by_bytes

            return split_by_bytes(text, SEGMENT_BYTES)

    async def embed_query(self, query: str) -> Vector:
        """Embed a query; the caller checks that the vector may be compared.

        Returns:
            The vector: float32, little endian, of unit length.

        Raises:
            EmbeddingError, MissingDependencyError, ConfigurationError: the embedder is not at hand.
        """
        return await self.require().embed_query(query)

    async def background(self) -> BackgroundDistribution:
        """Return what the cosines of unrelated texts look like to this embedder, measuring it once for each store."""
        identity = self.require().identity
        if (identity.provider, identity.model) == ("local", LOCAL_MODEL):
            return DEFAULT_BACKGROUND
        if (known := self._backgrounds.get(identity.fingerprint)) is not None:
            return known
        name = f"background distribution of {identity.fingerprint}"
        stored = await self._store.setting(name)
        if stored is not None:
            self._backgrounds[identity.fingerprint] = BackgroundDistribution.parse(stored)
            return self._backgrounds[identity.fingerprint]
        try:
            with fail_fast():
                # Some embed a query and a document in different ways: e5 finds such a pair .05 less alike than two
                # documents.
                queries = await self.require().embed_queries(UNRELATED)
                segments = await self.require().embed_documents(UNRELATED)
        except NOT_AT_HAND:
            return DEFAULT_BACKGROUND  # a service that fails now must not cost the search its results
        measured = str(background_of(queries, [segment[0] for segment in segments]))
        background = BackgroundDistribution.parse(measured)  # rounded, as later searches read it
        with suppress(BackendError), by_the_way():  # it can be measured again
            await self._store.set_setting(name, measured)
            self._backgrounds[identity.fingerprint] = background
        return background

    def language_coverage(self, text: str) -> float:
        """Return how much of a text the embedder understands, in [0, 1]."""
        return self.require().language_coverage(text)

    async def embed_some_pending(self, *, segments: int, seconds: float) -> None:
        """Embed some of what is still pending, the newest in turn, while somebody waits for something else.

        What could not be embedded before is left alone.

        Raises:
            EmbeddingError, MissingDependencyError, ConfigurationError: the embedder is not at hand.
            BackendError: what was embedded could not be stored, or nothing can be.
        """
        self._store.check_writable()
        with by_the_way():
            space = await self.space()
            texts = texts_of(await vector_store(self._store).pending(segments, space, failed=False))
            job = EmbeddingJob(self._store, self.require(), space, fail_fast=True)
            await job.run(texts, Budget(segments=segments, seconds=seconds))

    async def embed_pending(self, *, texts: int | None = None, progress: Progress | None = None) -> int:
        """Embed what is still pending, newest first, at most so many texts; then try again what failed before.

        Returns:
            How many texts were embedded. What could not be is kept with its reason: see `failures`.

        Raises:
            EmbeddingMismatchError: the store's vectors are of another embedder.
            EmbeddingError, MissingDependencyError, ConfigurationError: the embedder is not at hand.
        """
        return await backlog.fill(self._store, self.require(), await self.space(), texts, progress)

    async def failures(self, limit: int) -> list[Failure]:
        """List memories whose text could not be embedded in the current space, newest first."""
        space = await vector_store(self._store).current_space() if self.available else None
        return [] if space is None else await backlog.failures(self._store, space, limit)

    async def reembed(
        self,
        provider: str | None = None,
        options: Mapping[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> EmbeddingSpace:
        """Embed everything anew with another embedder, or finish doing so, then switch to it at once.

        Until then searches use the old vectors; a run that was stopped goes on where it was. Single texts that cannot
        be embedded do not hinder it: they are found by words only, and `failures` lists them.

        Returns:
            The space that searches use now.

        Raises:
            ConfigurationError: the embedder is unknown or `none`.
            ModelMissingError, MissingDependencyError: it is not at hand.
            EmbeddingError: it embeds none of the texts.
        """
        embedder = self._chosen(provider, options)
        await embedder.prepare()
        space = await vector_store(self._store).add_space(space_of(embedder.identity))
        done = await backlog.fill(self._store, embedder, space, None, progress)
        failed = [] if done else await backlog.failures(self._store, space, 1)
        if failed and await vector_store(self._store).pending_count(space) == await self._store.count(
            Where()
        ):
            raise EmbeddingError(f"{space} embeds none of the texts: {failed[0].reason}")
        if not space.current:
            await vector_store(self._store).switch_space(space)
        before, self._embedder = self._embedder, embedder
        if before is not embedder:
            self._provider, self._options = embedder.provider, options or {}
            if before is not None:
                await before.close()
        self._prepared, self._missing = True, None
        return replace(space, current=True)

    def _chosen(self, provider: str | None, options: Mapping[str, Any] | None) -> Embedder:
        """Return the embedder to embed anew with: the one in use, unless another or other options are named.

        Raises:
            ConfigurationError: it is unknown, or there is none.
        """
        if provider is None and options and self._provider != NO_EMBEDDER:
            provider, options = self._provider, {**self._options, **options}
        embedder = self._embedder if provider is None else self._create(provider, options or {})
        if embedder is None:
            raise ConfigurationError("there is no embedder to embed with", hint="name one, such as 'local'")
        return embedder

    async def cost_of_reembedding(
        self, provider: str | None = None, options: Mapping[str, Any] | None = None
    ) -> ReembeddingCost:
        """Return how much `reembed` would do; changes nothing and sends nothing to anybody.

        Raises:
            ConfigurationError, ModelMissingError, MissingDependencyError: as for `reembed`.
        """
        embedder = self._chosen(provider, options)
        try:
            await embedder.prepare()
            wanted = space_of(embedder.identity)
            begun = [space for space in await vector_store(self._store).spaces() if space.same_as(wanted)]
            texts = await (
                vector_store(self._store).pending_count(begun[0]) if begun else self._store.count(Where())
            )
            seconds = None
            if (
                "base_url" not in embedder.options
            ):  # a service far away is asked for nothing before the user is
                sample = [embedded_text(record) for record in await self._store.select(Where(), limit=SAMPLE)]
                seconds = texts * await _seconds(embedder, sample)
            return ReembeddingCost(wanted, texts, seconds)
        finally:
            if embedder is not self._embedder:
                await embedder.close()

    async def unavailable_because(self) -> str | None:
        """Return in one line why meaning is left out of searches, or None where it is not."""
        if not self.available:
            return None
        try:
            await self.check_comparable()
        except NOT_AT_HAND as error:
            return Hint("{error}", error=error)
        return None

    async def close(self) -> None:
        """Release what the embedder holds."""
        if self._embedder is not None:
            await self._embedder.close()


async def _seconds(embedder: Embedder, sample: Sequence[str]) -> float:
    """Measure how long a text like these takes, by its first segments and by how long it is."""
    firsts = [text[:SEGMENT_BYTES] for text in sample]
    await embedder.embed_documents(firsts[:1])  # loads the model
    before = time.perf_counter()
    await embedder.embed_documents(firsts)
    taken = time.perf_counter() - before
    longer = sum(map(len, sample)) / max(1, sum(map(len, firsts)))
    return taken * longer / max(1, len(sample))


def space_of(identity: EmbeddingIdentity) -> EmbeddingSpace:
    """Describe the space of an embedder's vectors, not yet known to any store."""
    return EmbeddingSpace(
        id=0,
        provider=identity.provider,
        model=identity.model,
        revision=identity.revision,
        dimension=identity.dimension,
        pooling=identity.pooling,
        query_prefix=identity.query_prefix,
        document_prefix=identity.document_prefix,
        template_version=TEMPLATE_VERSION,
        fingerprint=identity.fingerprint,
        created_at=clock.now(),
        current=False,
    )
