"""Texts that are not embedded whole: what is kept of them, and what could not be embedded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent_memory.records import Status
from agent_memory.storage.attempts import Attempt
from agent_memory.storage.base import EmbeddingSpace, VectorStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.builders import vector, vectors_of
from agent_memory.testing.store.support import (
    StoreFactory,
    StoreTests,
    change,
    needs,
    opened,
    put,
    remove,
    texts,
)
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

_EAST, _NORTH, _UP = vector(1), vector(0, 1), vector(0, 0, 1)
_AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)


def _hash(text: str) -> TextHash:
    return embedding_hash(embedded_text(builders.fact(text)))


async def _begin(store: VectorStore, space: EmbeddingSpace, text: str, *segments: Vector) -> TextHash:
    """Keep the first vectors of a text."""
    digest = _hash(text)
    await store.keep_attempts(
        space, {digest: Attempt(kept=len(segments), segment=len(segments))}, {digest: list(segments)}
    )
    return digest


class PendingTests(StoreTests):
    """Texts that are not embedded whole: what is kept of them, and what could not be embedded."""

    @needs("vectors")
    async def test_what_is_embedded_of_a_long_text_is_kept(
        self, store: VectorStore, store_factory: StoreFactory
    ) -> None:
        space = await store.add_space(builders.space())
        (record,) = await put(store, builders.fact("long"))
        digest = await _begin(store, space, "long", _EAST, _NORTH)
        further = Attempt(kept=3, part=1, segment=1)
        await store.keep_attempts(space, {digest: further}, {digest: [_UP]})
        assert await store.attempts(space, [digest, _hash("other")]) == {digest: further}
        assert await store.kept_segments(space, digest) == [_EAST, _NORTH, _UP]
        # Until all of it is there, no search sees any of it, and it is pending.
        assert texts(await store.pending(5)) == texts(await store.pending(5, space, failed=False)) == ["long"]
        assert await store.vectors([record.id]) == {}
        assert await store.by_vector(_EAST, Where(), 5) == []
        assert await store.sample_vectors() == []
        if store.capabilities.persistent:
            async with opened(store_factory) as again:
                assert isinstance(again, VectorStore)
                assert await again.attempts(space, [digest]) == {digest: further}
                assert await again.kept_segments(space, digest) == [_EAST, _NORTH, _UP]

    @needs("vectors")
    async def test_a_text_that_is_whole_has_no_attempt_left(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        (first, second) = await put(store, builders.fact("long"), builders.fact("longer"))
        digest = await _begin(store, space, "long", _EAST)
        await store.put_vectors(space, vectors_of(long=[_EAST, _NORTH]))
        assert await store.attempts(space, [digest]) == {}
        assert await store.kept_segments(space, digest) == []
        assert await store.vectors([first.id]) == {first.id: [_EAST, _NORTH]}
        # What comes with a write is as whole as what comes later.
        other = await _begin(store, space, "longer", _UP)
        await put(store, builders.fact("longer"), vectors=vectors_of(longer=[_UP, _EAST]))
        assert await store.attempts(space, [other]) == {}
        assert await store.vectors([second.id]) == {second.id: [_UP, _EAST]}
        assert await store.pending_count() == 0

    @needs("vectors")
    async def test_who_is_slower_changes_nothing(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        await put(store, builders.fact("long"))
        digest = await _begin(store, space, "long", _EAST)
        both = Attempt(kept=2, segment=2)
        await store.keep_attempts(space, {digest: both}, {digest: [_NORTH]})
        await store.keep_attempts(space, {digest: Attempt(kept=1, segment=1)}, {digest: [_UP]})
        await store.keep_attempts(space, {digest: Attempt(kept=2, segment=2)}, {digest: [_UP]})
        await store.keep_attempts(space, {digest: Attempt(kept=9, segment=9)})
        assert await store.attempts(space, [digest]) == {digest: both}
        assert await store.kept_segments(space, digest) == [_EAST, _NORTH]
        await store.keep_attempts(space, {digest: Attempt()})
        assert await store.kept_segments(space, digest) == []
        await _begin(store, space, "long", _UP, _NORTH)
        assert await store.kept_segments(space, digest) == [_UP, _NORTH]

    @needs("vectors")
    async def test_what_failed_is_known_with_its_reason(self, store: VectorStore) -> None:
        assert await store.pending_count(failed=True) == 0
        space = await store.add_space(builders.space())
        await put(store, *(builders.fact(text) for text in ("good", "bad", "worse")))
        failures = {
            _hash("bad"): Attempt(reason="it holds ½ a vector: 'NaN'\n", failed_at=_AT),
            _hash("worse"): Attempt(reason="", failed_at=_AT),
        }
        await store.keep_attempts(space, failures)
        assert await store.attempts(space, [*failures, _hash("good")]) == failures
        assert texts(await store.pending(5)) == ["worse", "bad", "good"]
        assert texts(await store.pending(5, failed=True)) == ["worse", "bad"]
        assert texts(await store.pending(1, space, failed=True)) == ["worse"]
        assert texts(await store.pending(5, space, failed=False)) == ["good"]
        assert [await store.pending_count(space, failed=item) for item in (None, True, False)] == [3, 2, 1]
        # Going on after a failure keeps what was there, and forgets the failure.
        await _begin(store, space, "bad", _EAST)
        assert texts(await store.pending(5, failed=True)) == ["worse"]
        await store.put_vectors(space, vectors_of(worse=[_NORTH]))
        assert await store.pending_count(failed=True) == 0

    @needs("vectors")
    async def test_a_failure_holds_in_its_own_space_only(self, store: VectorStore) -> None:
        old = await store.add_space(builders.space("old"))
        new = await store.add_space(builders.space("new"))
        await put(store, builders.fact("bad"))
        await store.keep_attempts(old, {_hash("bad"): Attempt(reason="too long", failed_at=_AT)})
        assert await store.pending_count(old, failed=True) == await store.pending_count(failed=True) == 1
        assert await store.pending_count(new, failed=True) == 0
        assert texts(await store.pending(5, new, failed=False)) == ["bad"]
        await store.switch_space(new)
        assert await store.pending_count(failed=True) == 0
        assert await store.attempts(new, [_hash("bad")]) == {}

    @needs("vectors")
    async def test_an_attempt_goes_with_the_last_memory_of_its_text(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        changed, shredded, away = await put(
            store, *(builders.fact(text) for text in ("changed", "shredded", "put away"))
        )
        for text in ("changed", "shredded", "put away"):
            digest = await _begin(store, space, text, _EAST)
            failed = Attempt(kept=1, segment=1, reason=f"'{text}' is refused", failed_at=_AT)
            await store.keep_attempts(space, {digest: failed})
        await change(store, changed, content="another")
        await remove(store, shredded, erase=True)
        await change(store, away, "archive", status=Status.ARCHIVED)
        hashes = [_hash(text) for text in ("changed", "shredded", "another")]
        assert await store.attempts(space, hashes) == {}
        assert [await store.kept_segments(space, text_hash) for text_hash in hashes] == [[], [], []]
        assert texts(await store.pending(5)) == ["another"]
        assert await store.pending_count(failed=True) == 0

    @needs("vectors")
    async def test_what_is_erased_while_it_is_embedded_leaves_nothing(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        names = ("erased", "changed", "whole", "begun", "failed", "held twice")
        records = dict(zip(names, await put(store, *map(builders.fact, names)), strict=True))
        (duplicate,) = await put(store, builders.fact("held twice"), even_if_known=True)
        # An embedder has all of these texts in hand; meanwhile:
        await change(store, records.pop("changed"), content="other words")
        await remove(store, *records.values(), erase=True)
        await store.put_vectors(space, {_hash(name): [_EAST] for name in ("erased", "changed", "held twice")})
        await store.put_vectors(space, vectors_of(whole=[_EAST, _NORTH]))
        await store.keep_attempts(
            space, {_hash("begun"): Attempt(kept=1, segment=1)}, {_hash("begun"): [_UP]}
        )
        await store.keep_attempts(
            space, {_hash("failed"): Attempt(reason="'failed' is refused", failed_at=_AT)}
        )
        again = await put(store, *(builders.fact(name) for name in names if name != "held twice"))
        assert await store.vectors([item.id for item in again]) == {}
        assert await store.vectors([duplicate.id]) == {duplicate.id: [_EAST]}
        assert await store.attempts(space, list(map(_hash, names))) == {}
        assert await store.kept_segments(space, _hash("begun")) == []
        assert await store.pending_count(failed=True) == 0
        assert await store.pending_count() == len(again) + 1

    @needs("vectors")
    async def test_a_known_memory_in_other_words_leaves_no_vector_of_these(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        (known,) = await put(store, builders.fact("The office is closed"))
        other = "The office  is closed"
        (same,) = await put(store, builders.fact(other), vectors={_hash(other): [_EAST]})
        assert same.id == known.id
        (later,) = await put(store, builders.fact(other), even_if_known=True)
        assert await store.vectors([known.id, later.id]) == {}
