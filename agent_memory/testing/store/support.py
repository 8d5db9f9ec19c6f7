"""What the suite's parts share: the fixtures, and writing in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings

from agent_memory.agent import AgentMemory
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.embeddings.segments import split_by_bytes
from agent_memory.errors import BackendError, CapabilityError
from agent_memory.records import MemoryRecord
from agent_memory.settings import Settings
from agent_memory.storage.base import (
    JournalStore,
    KeywordStore,
    Store,
    VectorStore,
    journal_store,
    keyword_store,
    vector_store,
)
from agent_memory.storage.changes import Add, Operation, Remove, Replace, Written
from agent_memory.storage.where import Where

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

StoreFactory = Callable[[str], Store]
"""Makes an unopened store of an agent."""
Test = TypeVar("Test", bound=Callable[..., Awaitable[None]])
EVERYTHING = Where(statuses=(), expired=None)
AGENT = "tester"

examples = settings(
    max_examples=25,
    deadline=None,
    # Each example makes a store of its own; the suite is meant to be inherited.
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
    ],
)
"""Settings of the property tests."""


@pytest.mark.anyio
class StoreTests:
    """The fixtures."""

    @pytest.fixture
    def store_factory(self) -> StoreFactory:
        """Return what makes an unopened store of the agent whose id it is given."""
        raise NotImplementedError("override the fixture `store_factory`")

    @pytest.fixture
    async def store(self, store_factory: StoreFactory, anyio_backend: object) -> AsyncIterator[Store]:
        """Return an open, empty store, and in the end look for anything in it that does not agree."""
        made = store_factory(AGENT)
        await made.open()
        yield made
        try:
            made.check_usable()
        except BackendError:
            return  # the test has closed it
        assert await made.check() == []
        await made.close()


class _CuttingEmbedder(DummyEmbedder):
    """One that cuts long texts, as every model does that reads so many tokens and no more."""

    async def split(self, text: str) -> list[str]:
        return split_by_bytes(text, 1000)


class MemoryTests(StoreTests):
    """What the tests of the public API share: an agent's memory with an embedder that needs no model."""

    @pytest.fixture
    async def memory(self, store_factory: StoreFactory, anyio_backend: object) -> AsyncIterator[AgentMemory]:
        """Return an agent's memory on an empty store, and in the end look for anything that does not agree."""
        store: Store = store_factory(AGENT)
        embedder = _CuttingEmbedder(dimension=8)
        async with AgentMemory(AGENT, Settings(), backend=store, embedding_provider=embedder) as made:
            yield made
            assert await made.check() == []


@asynccontextmanager
async def opened(store_factory: StoreFactory, agent_id: str = AGENT) -> AsyncIterator[Store]:
    """Open one more handle for a while."""
    store = store_factory(agent_id)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


_ABILITIES: Final[Mapping[str, tuple[type[Store], Callable[[Store], Store]]]] = {
    "full_text": (KeywordStore, keyword_store),
    "vectors": (VectorStore, vector_store),
    "journal": (JournalStore, journal_store),
}


def needs(capability: str) -> Callable[[Test], Test]:
    """Test an ability where it is declared; elsewhere, that asking for it is refused by name."""

    def decorate(test: Test) -> Test:
        @wraps(test)
        async def either(*args: Any, **fixtures: Any) -> None:
            store = fixtures["store"]
            ability, narrowed = _ABILITIES[capability]
            assert isinstance(store, ability) == getattr(store.capabilities, capability)
            if isinstance(store, ability):
                assert narrowed(store) is store
                await test(*args, **fixtures)
                return
            with pytest.raises(CapabilityError, match=store.name):
                narrowed(store)

        return cast(Test, either)

    return decorate


# --- writing in one line ---------------------------------------------------------------------------------------


async def put(
    store: Store,
    *records: MemoryRecord,
    vectors: Mapping[TextHash, Sequence[Vector]] | None = None,
    even_if_known: bool = False,
) -> list[Any]:
    """Add memories in one commit and return them as they are stored."""
    changes = [Add(record, even_if_known=even_if_known) for record in records]
    return [written.record for written in await store.commit(Operation(verb="add"), changes, vectors)]


async def change(store: Store, record: MemoryRecord, verb: str = "update", **fields: Any) -> Any:
    """Store a new version of a memory and return it."""
    written = await store.commit(Operation(verb=verb), [Replace(replace(record, **fields), verb)])
    return written[0].record


async def remove(store: Store, *records: MemoryRecord, erase: bool = False) -> list[Written]:
    """Take memories out."""
    return await store.commit(
        Operation(verb="shred" if erase else "purge"), [Remove(record, erase=erase) for record in records]
    )


async def everything(store: Store) -> dict[str, MemoryRecord]:
    """Return all memories, whatever their status, by id."""
    return {record.id: record for record in await store.select(EVERYTHING)}


def ids(records: Iterable[MemoryRecord]) -> list[str]:
    """Return the ids of memories, in order."""
    return [record.id for record in records]


def texts(records: Iterable[MemoryRecord]) -> list[str]:
    """Return the texts of memories, in order."""
    return [record.content for record in records]
