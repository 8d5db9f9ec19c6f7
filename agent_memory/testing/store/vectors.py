"""Finding by meaning: vectors, the spaces they belong to, and what is pending."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import Status
from agent_memory.storage.base import VectorStore
from agent_memory.storage.changes import Add, Operation, Replace, new_id
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.builders import cosine, vector, vectors_of
from agent_memory.testing.store.support import (
    StoreFactory,
    StoreTests,
    change,
    examples,
    ids,
    needs,
    opened,
    put,
    remove,
    texts,
)
from agent_memory.text.templates import TextHash

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

EXACTLY = 5e-4
"""How far a cosine may be off: a store may round the numbers of vectors to half precision, 11 bits."""
_EAST, _NORTH, _BETWEEN = vector(1), vector(0, 1), vector(1, 1)


async def _nearest(
    store: VectorStore, query: Vector, where: Where | None = None, limit: int = 100
) -> list[str]:
    results = await store.by_vector(query, where or Where(), limit)
    records = await store.get([memory_id for memory_id, _ in results])
    return [records[memory_id].content for memory_id, _ in results]


class VectorTests(StoreTests):
    """Finding by meaning: vectors, the spaces they belong to, and what is pending."""

    @needs("vectors")
    async def test_the_nearest_come_first(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        given_vectors = vectors_of(east=[_EAST], north=[_NORTH], between=[_BETWEEN], west=[vector(-1)])
        records = await put(store, *(builders.event(text) for text in ("x",)), vectors=None)
        facts = await put(
            store,
            *(builders.fact(text) for text in ("west", "north", "east", "between")),
            vectors=given_vectors,
        )
        results = await store.by_vector(_EAST, Where(), 10)
        by_id = {record.id: record.content for record in facts}
        assert [by_id[memory_id] for memory_id, _ in results] == ["east", "between", "north", "west"]
        assert [score for _, score in results] == pytest.approx([1, 0.5**0.5, 0, -1], abs=EXACTLY)
        assert await _nearest(store, _NORTH, limit=2) == ["north", "between"]
        assert await store.by_vector(_EAST, Where(), 0) == []
        kept = await store.vectors([*ids(facts), records[0].id, "no such memory"])
        assert set(kept) == set(ids(facts))
        for record in facts:
            (segment,), (given_piece,) = kept[record.id], given_vectors[builders.digest(record)]
            assert cosine(segment, given_piece) == pytest.approx(1, abs=EXACTLY)
        assert await store.vectors([]) == {}

    @examples
    @given(
        dimension=st.sampled_from([3, 8, 16]),
        segments=st.lists(st.integers(1, 3), min_size=1, max_size=20),
        seed=st.integers(0, 1000),
        limit=st.integers(1, 25),
    )
    async def test_cosines_are_exact(
        self,
        store_factory: StoreFactory,
        anyio_backend: object,
        dimension: int,
        segments: list[int],
        seed: int,
        limit: int,
    ) -> None:
        async with opened(store_factory, f"agent {new_id()}") as store:
            if not isinstance(store, VectorStore):
                return  # `test_the_nearest_come_first` has asked
            await store.add_space(builders.space(dimension=dimension))
            supply = iter(builders.random_vectors(sum(segments), dimension=dimension, seed=seed))
            records = [builders.fact(str(number)) for number in range(len(segments))]
            cosines = {
                builders.digest(record): [next(supply) for _ in range(count)]
                for record, count in zip(records, segments, strict=True)
            }
            await put(store, *records, vectors=cosines)
            query = builders.random_vectors(1, dimension=dimension, seed=seed + 1)[0]
            expected = {
                record.id: max(cosine(query, segment) for segment in cosines[builders.digest(record)])
                for record in records
            }
            results = await store.by_vector(query, Where(), limit)
            assert len(results) == min(limit, len(records))
            assert [score for _, score in results] == pytest.approx(
                sorted(expected.values(), reverse=True)[:limit], abs=EXACTLY
            )
            assert dict(results) == pytest.approx({item: expected[item] for item, _ in results}, abs=EXACTLY)

    @needs("vectors")
    async def test_of_a_text_in_pieces_the_nearest_counts(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        segments = [_NORTH, vector(0, 0, 1), _EAST]
        record = (await put(store, builders.fact("long"), vectors=vectors_of(long=segments)))[0]
        await put(store, builders.fact("between"), vectors=vectors_of(between=[_BETWEEN]))
        assert await _nearest(store, _EAST) == ["long", "between"]
        assert await store.vectors([record.id]) == {record.id: segments}

    @needs("vectors")
    async def test_a_shared_text_shares_its_vectors(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        first = (await put(store, builders.fact("same"), vectors=vectors_of(same=[_EAST])))[0]
        second = (await put(store, builders.fact("same"), even_if_known=True))[0]
        assert await store.pending_count() == 0
        assert {memory_id for memory_id, _ in await store.by_vector(_EAST, Where(), 5)} == {
            first.id,
            second.id,
        }
        await remove(store, first, erase=True)
        assert [memory_id for memory_id, _ in await store.by_vector(_EAST, Where(), 5)] == [second.id]

    @needs("vectors")
    async def test_vectors_of_a_text_stay_as_they_are(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        record = (await put(store, builders.fact("same"), vectors=vectors_of(same=[_EAST])))[0]
        await store.put_vectors(space, vectors_of(same=[_NORTH, _BETWEEN]))
        await put(store, builders.fact("same"), vectors=vectors_of(same=[_NORTH]), even_if_known=True)
        assert (await store.vectors([record.id]))[record.id] == [_EAST]

    @needs("vectors")
    async def test_the_vector_of_a_known_duplicate_is_kept(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        record = (await put(store, builders.fact("same")))[0]
        assert await store.pending_count() == 1
        await put(store, builders.fact("same"), vectors=vectors_of(same=[_EAST]))
        assert await store.pending_count() == 0
        assert await store.vectors([record.id]) == {record.id: [_EAST]}
        assert await _nearest(store, _EAST) == ["same"]

    @needs("vectors")
    async def test_what_is_put_away_is_not_nominated(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        record = (await put(store, builders.fact("east"), vectors=vectors_of(east=[_EAST])))[0]
        archived = await change(store, record, "archive", status=Status.ARCHIVED)
        assert await _nearest(store, _EAST) == []
        assert await _nearest(store, _EAST, Where(statuses=(Status.ARCHIVED,))) == ["east"]
        restored = await change(store, archived, "restore", status=Status.ACTIVE)
        assert await _nearest(store, _EAST) == ["east"]
        await remove(store, restored)
        assert await _nearest(store, _EAST, Where(statuses=())) == []
        dying = builders.fact("dying", expires_at=clock.now() + timedelta(hours=1))
        await put(store, dying, vectors=vectors_of(dying=[_EAST]))
        assert await _nearest(store, _EAST) == ["dying"]
        with clock.fixed(clock.now() + timedelta(hours=2)):
            assert await _nearest(store, _EAST) == []
            assert await _nearest(store, _EAST, Where(expired=True)) == ["dying"]

    @needs("vectors")
    async def test_a_new_text_has_no_vector_of_the_old(self, store: VectorStore) -> None:
        space = await store.add_space(builders.space())
        record = (await put(store, builders.fact("east"), vectors=vectors_of(east=[_EAST])))[0]
        record = await change(store, record, content="north")
        assert await _nearest(store, _EAST) == []
        assert await store.vectors([record.id]) == {}
        assert ids(await store.pending(5)) == [record.id]
        await store.put_vectors(space, vectors_of(north=[_NORTH]))
        assert dict(await store.by_vector(_NORTH, Where(), 5)) == pytest.approx({record.id: 1.0})
        await change(store, record, tags=("tag",))
        assert await store.pending_count() == 0
        assert await _nearest(store, _NORTH) == ["north"]

    @needs("vectors")
    async def test_what_is_erased_leaves_no_vector(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        record = (await put(store, builders.fact("first"), vectors=vectors_of(first=[_EAST])))[0]
        record = await change(store, record, content="second")
        await put(store, builders.event("x"), vectors=vectors_of(second=[_NORTH]))
        await remove(store, record, erase=True)
        again = await put(store, builders.fact("first"), builders.fact("second"))
        assert await store.vectors(ids(again)) == {}
        assert await store.sample_vectors() == []

    # --- pending ----------------------------------------------------------------------------------------------

    @needs("vectors")
    async def test_what_has_no_vector_is_owed_newest_first(self, store: VectorStore) -> None:
        moment = datetime(2026, 5, 8, tzinfo=UTC)
        records = [builders.fact(str(day), created_at=moment + timedelta(days=day)) for day in range(6)]
        await put(store, *records)
        assert await store.pending_count() == 6
        space = await store.add_space(builders.space())
        await put(
            store,
            builders.fact("archived", status=Status.ARCHIVED),
            builders.fact("expired", expires_at=moment),
        )
        assert texts(await store.pending(4)) == ["5", "4", "3", "2"]
        assert texts(await store.pending(99, space)) == ["5", "4", "3", "2", "1", "0"]
        await store.put_vectors(
            space, {builders.digest(records[4]): [_EAST], TextHash(b"nobody's text.."): [_NORTH]}
        )
        assert texts(await store.pending(99)) == ["5", "3", "2", "1", "0"]
        assert await store.pending_count() == await store.pending_count(space) == 5
        assert await _nearest(store, _EAST) == ["4"]

    # --- spaces --------------------------------------------------------------------------------------------

    @needs("vectors")
    async def test_spaces_are_known_by_their_fingerprint(self, store: VectorStore) -> None:
        given_space = builders.space(
            "one", query_prefix="query: ", document_prefix="passage: ", revision="a" * 64
        )
        first = await store.add_space(given_space)
        assert first.id
        second = await store.add_space(builders.space("two"))
        third = await store.add_space(
            builders.space("one", fingerprint=first.fingerprint, template_version=99)
        )
        assert [space.current for space in (first, second, third)] == [True, False, False]
        assert len({first.id, second.id, third.id}) == 3
        assert await store.add_space(given_space) == first
        assert await store.spaces() == [first, second, third]
        assert await store.current_space() == first
        for name in (
            "provider",
            "model",
            "revision",
            "dimension",
            "pooling",
            "query_prefix",
            "document_prefix",
        ):
            assert getattr(first, name) == getattr(given_space, name), name
        assert (first.template_version, first.created_at) == (
            given_space.template_version,
            given_space.created_at,
        )

    @needs("vectors")
    async def test_spaces_do_not_mix(self, store: VectorStore) -> None:
        old = await store.add_space(builders.space("old"))
        new = await store.add_space(builders.space("new", dimension=3))
        records = await put(
            store, builders.fact("a"), builders.fact("b"), vectors=vectors_of(a=[_EAST], b=[_NORTH])
        )
        a, b = (vector(0, 0, 1, dimension=3), vector(0, 1, dimension=3))
        assert await store.pending_count(new) == 2
        await store.put_vectors(new, vectors_of(a=[a]))
        assert await store.pending_count(new) == 1
        assert texts(await store.pending(5, new)) == ["b"]
        assert await store.pending_count() == 0
        assert await _nearest(store, _EAST) == ["a", "b"]
        assert await store.vectors(ids(records), new) == {records[0].id: [a]}
        await store.switch_space(new)
        switched = await store.current_space()
        assert switched is not None
        assert (switched.id, [space.current for space in await store.spaces()]) == (new.id, [True, False])
        assert await store.pending_count() == 1
        assert await _nearest(store, a) == ["a"]
        await store.put_vectors(new, vectors_of(b=[b]))
        assert await _nearest(store, b) == ["b", "a"]
        assert await store.vectors(ids(records), old) == {records[0].id: [_EAST], records[1].id: [_NORTH]}
        await put(store, builders.fact("c"), vectors=vectors_of(c=[vector(1, dimension=3)]))
        assert await store.pending_count(old) == 1
        await store.switch_space(old)
        assert await _nearest(store, _NORTH) == ["b", "a"]

    @needs("vectors")
    async def test_a_space_that_another_handle_switched_is_searched_at_once(
        self, store: VectorStore, store_factory: StoreFactory
    ) -> None:
        if not store.capabilities.shared:
            return
        old = await store.add_space(builders.space("old"))
        new = await store.add_space(builders.space("new", dimension=3))
        await put(store, builders.fact("a"), builders.fact("b"), vectors=vectors_of(a=[_EAST], b=[_NORTH]))
        a, b = (vector(0, 0, 1, dimension=3), vector(0, 1, dimension=3))
        await store.put_vectors(new, vectors_of(a=[a], b=[b]))
        assert await _nearest(store, _NORTH) == ["b", "a"]
        async with opened(store_factory) as other:
            assert isinstance(other, VectorStore)
            await other.switch_space(new)
            assert await _nearest(store, a) == ["a", "b"]
            with pytest.raises(ValidationError, match="dimension"):
                await store.by_vector(_EAST, Where(), 5)
            await other.switch_space(old)
            assert await _nearest(store, _EAST) == ["a", "b"]

    @needs("vectors")
    async def test_vectors_go_into_the_space_they_were_made_in(self, store: VectorStore) -> None:
        old = await store.add_space(builders.space("old"))
        new = await store.add_space(builders.space("new"))
        assert new.dimension == old.dimension
        await store.switch_space(new)
        # As if the embedder had been changed between embedding and writing.
        adding, fact = Operation(verb="add"), builders.fact("late")
        (written,) = await store.commit(adding, [Add(fact)], vectors_of(late=[_EAST]), old)
        assert texts(await store.pending(5)) == ["late"]
        assert await store.vectors([written.id]) == {}
        assert await store.vectors([written.id], old) == {written.id: [_EAST]}
        assert await _nearest(store, _EAST) == []
        assert await store.check() == []

    @needs("vectors")
    async def test_without_a_space_nothing_is_near(self, store: VectorStore) -> None:
        record = (await put(store, builders.fact()))[0]
        assert await store.by_vector(_EAST, Where(), 5) == []
        assert await store.vectors([record.id]) == {}
        assert await store.sample_vectors() == []

    # --- samples and filters -------------------------------------------------------------------------------

    @needs("vectors")
    async def test_the_sample_stays_until_the_vectors_double(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        supply = builders.random_vectors(64)
        facts = [builders.fact(str(number)) for number in range(64)]

        async def store_some(start: int, end: int) -> set[Vector]:
            pairs = zip(facts[start:end], supply[start:end], strict=True)
            given_vectors = {builders.digest(record): [direction] for record, direction in pairs}
            records = await put(store, *facts[start:end], vectors=given_vectors)
            return {
                segment for segments in (await store.vectors(ids(records))).values() for segment in segments
            }

        stored = await store_some(0, 16)
        sample = await store.sample_vectors(500)
        small = await store.sample_vectors(4)
        assert set(sample) <= stored
        assert 8 <= len(sample) == len(set(sample))
        assert 2 <= len(small) <= 4
        stored |= await store_some(16, 30)
        assert await store.sample_vectors(500) == sample
        assert await store.sample_vectors(4) == small
        stored |= await store_some(30, 64)
        later = await store.sample_vectors(500)
        assert len(later) >= 2 * len(sample)
        assert set(later) <= stored
        assert len(await store.sample_vectors(4)) <= 4

    @needs("vectors")
    async def test_a_filter_never_makes_a_vector_search_shorter(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        near = [builders.fact(f"near {number}") for number in range(900)]
        far = [builders.fact(f"far {number}", tags=("rare",)) for number in range(5)]
        vectors = {builders.digest(record): [vector(1, 0.001 * place)] for place, record in enumerate(near)}
        vectors |= {builders.digest(record): [vector(-1, 0.1 * place)] for place, record in enumerate(far)}
        stored = await put(store, *near, *far, vectors=vectors)
        assert len(await store.by_vector(_EAST, Where(), 10)) == 10
        assert len(await store.by_vector(_EAST, Where(), 905)) == 905
        results = await store.by_vector(_EAST, Where(tags_any=("rare",)), 10)
        assert {memory_id for memory_id, _ in results} == set(ids(far))
        archived = [replace(record, status=Status.ARCHIVED) for record in stored[:900:2]]
        await store.commit(Operation(verb="archive"), [Replace(record, "archive") for record in archived])
        assert len(await store.by_vector(_EAST, Where(), 900)) == 455

    @needs("vectors")
    async def test_everything_derived_can_be_made_anew_from_the_vectors(self, store: VectorStore) -> None:
        await store.add_space(builders.space())
        await put(store, builders.fact("a"), builders.fact("b"), vectors=vectors_of(a=[_EAST], b=[_NORTH]))
        await store.rebuild()
        assert await _nearest(store, _NORTH) == ["b", "a"]
        assert await store.pending_count() == 0
