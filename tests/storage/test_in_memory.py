"""The store in memory is a store like any other."""

from __future__ import annotations

import pytest

from agent_memory.errors import ValidationError
from agent_memory.storage.base import Store
from agent_memory.storage.in_memory import InMemoryStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.support import put


class TestInMemoryStore(StoreSuite):
    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        return InMemoryStore

    async def test_an_agent_is_called_default_unless_named(self) -> None:
        store = InMemoryStore(None)
        await store.open()
        assert store.agent_id == "default"
        await store.close()
        with pytest.raises(ValidationError, match="empty"):
            InMemoryStore(" ")

    async def test_opened_again_it_is_empty(self, store: Store) -> None:
        await put(store, builders.fact())
        await store.close()
        await store.open()
        assert await store.count(Where()) == 0

    async def test_vectors_of_another_dimension_are_refused(self, store: Store) -> None:
        space = await store.add_space(builders.space())
        short = builders.vector(1, dimension=4)
        with pytest.raises(ValidationError, match="4 dimensions"):
            await store.put_vectors(space, builders.vectors_of(a=[short]))
        await put(store, builders.fact("a"), vectors=builders.vectors_of(a=[builders.vector(1)]))
        with pytest.raises(ValidationError, match="4 dimensions"):
            await store.by_vector(short, Where(), 5)

    async def test_a_space_of_another_store_is_refused(self, store: Store) -> None:
        with pytest.raises(ValidationError, match="add_space"):
            await store.switch_space(builders.space(id=7))

    async def test_damage_is_found_and_mended(self, store: Store) -> None:
        assert isinstance(store, InMemoryStore)
        record, other = await put(store, builders.fact("one", key="k"), builders.message("two"))
        store._words.remove(record.id)
        assert len(await store.check()) == 1
        store._indexes.remove(store._rows[other.id])
        assert len(await store.check()) > 1
        await store.rebuild()
        assert await store.check() == []
        store._usage["x"] = (record.created_at, 1)
        assert len(await store.check()) == 1
        del store._usage["x"]
