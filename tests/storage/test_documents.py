"""A store that can do next to nothing is a store like any other: the suite's other half."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_memory.errors import CapabilityError, ValidationError
from agent_memory.storage.base import journal_store, keyword_store, vector_store
from agent_memory.storage.documents import Query
from agent_memory.storage.documents.values import choices, ranges
from agent_memory.storage.where import Period, Where
from agent_memory.testing import builders, strategies
from agent_memory.testing.store import StoreFactory, StoreSuite
from agent_memory.testing.store.support import put

from .plain import PlainStore, PlainVectorStore


class TestPlainStore(StoreSuite):
    """What a backend does not declare is refused by name."""

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        return PlainStore

    async def test_what_it_lacks_is_not_there(self, store: PlainStore) -> None:
        for name in ("by_keyword", "by_vector", "add_space", "pending", "history", "operations"):
            assert not hasattr(store, name)
        for narrowed in (keyword_store, vector_store, journal_store):
            with pytest.raises(CapabilityError, match="the plain backend has no"):
                narrowed(store)

    async def test_vectors_are_not_ignored_in_silence(self, store: PlainStore) -> None:
        vectors = builders.vectors_of(a=[builders.vector(1)])
        with pytest.raises(ValidationError, match="space"):
            await put(store, builders.fact("a"), vectors=vectors)
        assert store.documents == {}


class TestPlainVectorStore(StoreSuite):
    """Vectors without full text and history."""

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        return PlainVectorStore


def _told(where: Where) -> object:
    """Return what an index is told of a filter: by `values`, or by each backend in its own words."""
    query = Query(where=where, now=strategies.NOW)
    return [*choices(query)], [*ranges(query)], where.tags_any, where.tags_all, where.pinned


@pytest.mark.parametrize("name", sorted(strategies.FILTERS))
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_an_index_is_told_of_every_filter_that_is_plain(name: str, data: st.DataObject) -> None:
    value = data.draw(strategies.FILTERS[name])
    where = Where(**{name: value})
    says_something = value not in (getattr(Where(), name), Period())
    if says_something and Query(where=where, now=strategies.NOW).plain:
        assert _told(where) != _told(Where())
