"""Every read gives exactly what `Where.matches` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord, MemoryType
from agent_memory.storage.base import KeywordStore, Store, VectorStore
from agent_memory.storage.changes import new_id
from agent_memory.storage.where import Condition, Where
from agent_memory.testing import builders, strategies
from agent_memory.testing.store.support import (
    EVERYTHING,
    StoreFactory,
    StoreTests,
    examples,
    ids,
    opened,
    put,
    texts,
)
from agent_memory.text.analysis import analyse
from agent_memory.text.porter import stem
from agent_memory.text.templates import indexed_text

_TERMS = ("apple", "code")
_memories = st.lists(strategies.records(), max_size=12)


def _unlike(records: Sequence[MemoryRecord]) -> list[MemoryRecord]:
    """Leave out keys that are there already, so that each record is a memory of its own."""
    taken: set[tuple[MemoryType, str | None]] = set()
    result = []
    for record in records:
        if (record.memory_type, record.key) in taken:
            record = replace(record, key=None)
        taken.add((record.memory_type, record.key))
        result.append(record)
    return result


class FilterTests(StoreTests):
    """Every read gives exactly what `Where.matches` says."""

    @examples
    @given(memories=_memories, filters=st.lists(strategies.wheres(), min_size=1, max_size=8), data=st.data())
    async def test_filters_are_exact(
        self,
        store_factory: StoreFactory,
        anyio_backend: object,
        memories: list[MemoryRecord],
        filters: list[Where],
        data: st.DataObject,
    ) -> None:
        with clock.fixed(strategies.NOW):
            async with opened(store_factory, f"agent {new_id()}") as store:
                directions = builders.random_vectors(len(memories))
                vectors = {}
                if isinstance(store, VectorStore):
                    await store.add_space(builders.space())
                    half = zip(memories, directions, strict=True)
                    vectors = {
                        builders.digest(record): [direction]
                        for place, (record, direction) in enumerate(half)
                        if place % 3
                    }
                stored = await put(store, *_unlike(memories), vectors=vectors, even_if_known=True)
                some = data.draw(
                    st.lists(st.sampled_from(ids(stored)), max_size=3) if stored else st.just([])
                )
                for where in [*filters, EVERYTHING, Where(), Where(ids=(*some, "no such memory"))]:
                    expected = [item for item in stored if where.matches(item, strategies.NOW)]
                    await self._compare(store, where, expected, vectors.keys())

    async def _compare(self, store: Store, where: Where, expected: list[MemoryRecord], embedded: Any) -> None:
        assert Counter(ids(await store.select(where))) == Counter(ids(expected)), where
        assert await store.count(where) == len(expected), where
        assert [
            results for page in [page async for page in store.scan(where, 3)] for results in ids(page)
        ] == ids(expected), where
        types = {group.value: group.count for group in await store.groups(where, "type")}
        assert types == Counter(record.memory_type.value for record in expected), where
        tags = {group.value: group.count for group in await store.groups(where, "tag")}
        assert tags == Counter(tag for record in expected for tag in record.tags), where
        if isinstance(store, KeywordStore):
            results = await store.by_keyword(_TERMS, where, 100)
            stems = {stem(term) for term in _TERMS}
            holding = [item for item in expected if stems & set(map(stem, analyse(indexed_text(item))))]
            assert Counter(memory_id for memory_id, _ in results) == Counter(ids(holding)), where
        if isinstance(store, VectorStore):
            results = await store.by_vector(builders.vector(1), where, 100)
            near = [item for item in expected if builders.digest(item) in embedded]
            assert Counter(memory_id for memory_id, _ in results) == Counter(ids(near)), where

    async def test_numbers_text_and_booleans_are_not_mixed_up(self, store: Store) -> None:
        values: dict[str, Any] = {
            "one": 1,
            "one point nought": 1.0,
            "true": True,
            "text": "1",
            "two": 2,
            "ten": "10",
            "empty": "",
            "list": [1],
            "none": None,
        }
        await put(store, *(builders.event(name, metadata={"v": value}) for name, value in values.items()))
        await put(store, builders.event("missing"))
        for operator, value, expected in (
            ("=", 1, "one, one point nought"),
            ("=", 1.0, "one, one point nought"),
            ("=", True, "true"),
            ("=", "1", "text"),
            ("!=", 1, "two"),
            ("!=", False, "true"),
            ("!=", "", "ten, text"),
            (">", 0, "one, one point nought, two"),
            (">", "1", "ten"),
            ("<=", "10", "empty, text, ten"),
            ("in", (1, "1", True), "one, one point nought, text, true"),
            ("in", (), ""),
            ("exists", True, "empty, list, one, one point nought, ten, text, true, two"),
            ("exists", False, "missing, none"),
        ):
            condition: Any = Condition("v", operator, value)  # type: ignore[arg-type]
            records = await store.select(Where(metadata=(condition,)))
            assert sorted(texts(records)) == sorted(filter(None, expected.split(", "))), (operator, value)

    async def test_big_numbers_are_compared_exactly(self, store: Store) -> None:
        numbers = [2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**70, -(2**63), -(2**70), 0.1 + 0.2]
        await put(store, *(builders.event(str(number), metadata={"n": number}) for number in numbers))
        for number in numbers:
            for operator in ("=", "!=", "<", ">="):
                condition = Condition("n", operator, number)
                contents = texts(await store.select(Where(metadata=(condition,))))
                expected = [str(item) for item in numbers if condition.holds({"n": item})]
                assert sorted(contents) == sorted(expected), condition

    async def test_a_field_no_type_has_is_refused(self, store: Store) -> None:
        with pytest.raises(ValidationError, match="colour"):
            await store.select(Where(fields=(Condition("colour", "=", "red"),)))
