"""Opening, closing, and whose memories these are."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_memory.agent import AgentMemory
from agent_memory.errors import BackendError, ClosedError, ConfigurationError
from agent_memory.settings import Settings
from agent_memory.storage.base import JournalStore, KeywordStore, Store, VectorStore
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.isolation import leaks
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import (
    AGENT,
    EVERYTHING,
    StoreFactory,
    StoreTests,
    everything,
    ids,
    opened,
    put,
    remove,
)
from agent_memory.testing.verbs import verbs
from agent_memory.text.templates import TextHash

_DESCRIPTORS = Path("/dev/fd")
"""The files and connections that this process has open, on Linux and macOS."""
_USES: dict[str, Callable[[Store], Awaitable[Any]]] = {
    "commit": lambda store: store.commit(Operation(verb="add"), [Add(builders.fact())]),
    "touch": lambda store: store.touch(["x"]),
    "set_setting": lambda store: store.set_setting("name", "value"),
    "moved": lambda store: store.moved(),
    "setting": lambda store: store.setting("name"),
    "get": lambda store: store.get(["x"]),
    "select": lambda store: store.select(Where()),
    "count": lambda store: store.count(Where()),
    "groups": lambda store: store.groups(Where(), "type"),
    "scan": lambda store: anext(store.scan(Where())),
    "resolve": lambda store: store.resolve("x"),
    "neighbours": lambda store: store.neighbours("x", 1, 1),
    "adjacent": lambda store: store.adjacent(["x"], 1),
    "version": lambda store: store.version(),
    "describe": lambda store: store.describe(),
    "check": lambda store: store.check(),
    "rebuild": lambda store: store.rebuild(),
    "secure_vacuum": lambda store: store.secure_vacuum(),
}
_KEYWORD_USES: dict[str, Callable[[KeywordStore], Awaitable[Any]]] = {
    "by_keyword": lambda store: store.by_keyword(["word"], Where(), 1),
    "word_scores": lambda store: store.word_scores(["word"], ["x"]),
    "word_statistics": lambda store: store.word_statistics(["word"]),
    "terms_beginning": lambda store: store.terms_beginning("a1b2c3d4", 1),
    "outdated_count": lambda store: store.outdated_count(),
    "renew": lambda store: store.renew(),
}
_VECTOR_USES: dict[str, Callable[[VectorStore], Awaitable[Any]]] = {
    "by_vector": lambda store: store.by_vector(builders.vector(1), Where(), 1),
    "spaces": lambda store: store.spaces(),
    "add_space": lambda store: store.add_space(builders.space()),
    "pending": lambda store: store.pending(1),
    "pending_count": lambda store: store.pending_count(),
    "attempts": lambda store: store.attempts(builders.space(), [TextHash(b"x")]),
    "kept_segments": lambda store: store.kept_segments(builders.space(), TextHash(b"x")),
    "keep_attempts": lambda store: store.keep_attempts(builders.space(), {}),
    "vectors": lambda store: store.vectors(["x"]),
    "sample_vectors": lambda store: store.sample_vectors(),
    "switch_space": lambda store: store.switch_space(builders.space()),
    "put_vectors": lambda store: store.put_vectors(builders.space(), {}),
}
_JOURNAL_USES: dict[str, Callable[[JournalStore], Awaitable[Any]]] = {
    "history": lambda store: store.history("x"),
    "operations": lambda store: store.operations(),
    "changes_of": lambda store: store.changes_of("x"),
    "histories": lambda store: store.histories(["x"]),
    "tombstoned": lambda store: store.tombstoned(),
    "purged": lambda store: store.purged(),
    "journal_end": lambda store: store.journal_end(),
    "changed_since": lambda store: store.changed_since(0),
}


def _uses(store: Store) -> Iterator[Awaitable[Any]]:
    """Ask a store for everything that it can do."""
    yield from (use(store) for use in _USES.values())
    if isinstance(store, KeywordStore):
        yield from (use(store) for use in _KEYWORD_USES.values())
    if isinstance(store, VectorStore):
        yield from (use(store) for use in _VECTOR_USES.values())
    if isinstance(store, JournalStore):
        yield from (use(store) for use in _JOURNAL_USES.values())


class LifeTests(StoreTests):
    """Opening, closing, and whose memories these are."""

    async def test_a_new_store_is_empty(self, store: Store) -> None:
        assert store.agent_id == AGENT
        assert await store.select(EVERYTHING) == []
        assert await store.count(EVERYTHING) == 0
        if isinstance(store, VectorStore):
            assert await store.spaces() == []
            assert await store.current_space() is None
            assert await store.pending_count() == 0
        assert [page async for page in store.scan(EVERYTHING)] == []

    async def test_unknown_options_are_refused_by_name(self, store: Store) -> None:
        with pytest.raises(ConfigurationError, match="no_such_option"):
            type(store)(AGENT, no_such_option=1)

    async def test_it_describes_itself(self, store: Store) -> None:
        described = await store.describe()
        assert (described.backend, described.agent_id) == (store.name, AGENT)
        assert described.location
        assert set(store.capabilities.named()) >= {"full_text", "vectors", "journal", "usage"}

    @pytest.mark.parametrize("use", _USES)
    async def test_it_is_of_no_use_before_it_is_opened(
        self, store_factory: StoreFactory, anyio_backend: object, use: str
    ) -> None:
        closed = store_factory(AGENT)
        with pytest.raises(BackendError, match=closed.name):
            await _USES[use](closed)

    async def test_it_can_be_closed_twice_and_is_of_no_use_then(self, store: Store) -> None:
        await put(store, builders.fact())
        await store.close()
        await store.close()
        for use in _uses(store):
            with pytest.raises(ClosedError, match=f"the {store.name} store is closed"):
                await use

    async def test_closing_it_leaves_nothing_open(self, store_factory: StoreFactory) -> None:
        async def open_and_close(times: int) -> int:
            for _ in range(times):
                store = store_factory(AGENT)
                await store.open()
                await store.count(Where())
                await store.close()
            return len(list(_DESCRIPTORS.iterdir()))

        before = await open_and_close(2)  # what is kept on purpose is kept once
        assert await open_and_close(10) < before + 5

    async def test_a_closed_memory_says_so_whatever_is_asked_of_it(self, store_factory: StoreFactory) -> None:
        memory = AgentMemory(AGENT, Settings(embedding_provider="dummy"), backend=store_factory(AGENT))
        async with memory:
            await memory.long_term.add("a fact")
            async with memory:
                pass
            assert await memory.count() == 1, "the inner `async with` does not close it for the outer one"
        asked = 0
        for name, call in verbs(memory):
            with pytest.raises(ClosedError, match="closed: make a new"):
                await call()
                pytest.fail(f"{name} was answered")
            asked += 1
        assert asked > 90
        await memory.close()
        with pytest.raises(ClosedError):
            await memory.open()
        with pytest.raises(ClosedError):
            async with memory:
                pass

    async def test_closing_waits_for_nobody_and_loses_nothing(self, store_factory: StoreFactory) -> None:
        store = store_factory(AGENT)
        memory = AgentMemory(AGENT, Settings(embedding_provider="none"), backend=store)
        await memory.open()
        acknowledged: list[str] = []

        async def write(number: int) -> None:
            with suppress(BackendError):
                while True:
                    acknowledged.append(await memory.episodic.add(f"event {number}"))
                    await anyio.sleep(0)  # a store in memory waits for nothing by itself

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(write, number)
                while len(acknowledged) < 5:
                    await anyio.sleep(0)
                await memory.close()
        if store.capabilities.persistent:
            await store.open()
            assert set(acknowledged) <= (await everything(store)).keys()
            assert await store.check() == []
            await store.close()

    async def test_it_is_of_no_use_in_a_forked_child(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        child = os.getpid() + 1
        with monkeypatch.context() as forked:
            forked.setattr(os, "getpid", lambda: child)
            for use in _uses(store):
                with pytest.raises(BackendError, match="fork"):
                    await use
        assert await store.count(Where()) == 0

    async def test_what_was_written_is_there_when_it_is_opened_again(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        stored = await put(store, builders.fact("one"), builders.event("two"), builders.message("three"))
        await store.set_setting("conversation", "chat-1")
        space = await store.add_space(builders.space()) if isinstance(store, VectorStore) else None
        before = await everything(store)
        await store.close()
        async with opened(store_factory) as again:
            if not store.capabilities.persistent:
                assert await everything(again) == {}
                return
            assert again.agent_id == AGENT
            assert await everything(again) == before
            assert set(before) == set(ids(stored))
            assert await again.setting("conversation") == "chat-1"
            if isinstance(again, VectorStore):
                assert await again.current_space() == space
            assert await again.check() == []

    async def test_an_agent_never_sees_another_ones_memories(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        mine = (await put(store, builders.fact("the password is swordfish", key="secret")))[0]
        async with opened(store_factory, "somebody else") as other:
            assert other.agent_id == "somebody else"
            assert await other.get([mine.id]) == {}
            assert await other.select(EVERYTHING) == []
            assert await other.count(EVERYTHING) == 0
            assert await other.groups(EVERYTHING, "type") == []
            for reference in (mine.id, mine.id[:8], "secret"):
                with pytest.raises(LookupError):
                    await other.resolve(reference)
            if isinstance(other, KeywordStore):
                assert await other.by_keyword(["swordfish"], EVERYTHING, 5) == []
                assert (await other.word_statistics(["swordfish"])).documents == 0
            if isinstance(other, JournalStore):
                assert await other.history(mine.id) == []
                assert await other.operations() == []
            theirs = (await put(other, builders.fact("the password is swordfish", key="secret")))[0]
            assert theirs.id != mine.id
            assert theirs.agent_id == "somebody else"
        assert ids(await store.select(EVERYTHING)) == [mine.id]

    async def test_agents_are_isolated_in_every_way_there_is_to_ask(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        async with opened(store_factory, "somebody else") as other:
            assert await leaks(store, other, dimension=8) == []
            assert await other.count(EVERYTHING) == 0
        assert await store.count(EVERYTHING) == 0

    async def test_an_agent_can_be_taken_out_of_the_backend(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        stays = (await put(store, builders.fact("mine"), builders.event("mine too")))[0]
        async with opened(store_factory, "somebody else") as other:
            vectors = {}
            if isinstance(other, VectorStore):
                await other.add_space(builders.space())
                vectors = builders.vectors_of(theirs=[builders.vector(1)])
            tombstoned = (await put(other, builders.fact("theirs", key="k"), vectors=vectors))[0]
            await remove(other, (await put(other, builders.fact("purged")))[0])
            await other.drop()
            with pytest.raises(BackendError):
                await other.count(Where())
        async with opened(store_factory, "somebody else") as again:
            assert await everything(again) == {}
            assert await again.get([tombstoned.id]) == {}
            if isinstance(again, JournalStore):
                assert await again.purged() == []
        assert stays.id in await everything(store)
        assert len(await everything(store)) == 2

    async def test_another_agent_of_the_same_backend_has_a_store_of_its_own(self, store: Store) -> None:
        mine = (await put(store, builders.fact("mine")))[0]
        sibling = store.sibling(f"sibling {mine.id}")
        await sibling.open()
        assert sibling.agent_id == f"sibling {mine.id}"
        assert await everything(sibling) == {}
        await put(sibling, builders.fact("theirs"))
        await sibling.drop()
        assert list(await everything(store)) == [mine.id]

    async def test_settings_are_remembered_and_forgotten(self, store: Store) -> None:
        assert await store.setting("colour") is None
        await store.set_setting("colour", "größer\n'rot'")
        await store.set_setting("shape", "")
        assert await store.setting("colour") == "größer\n'rot'"
        assert await store.setting("shape") == ""
        await store.set_setting("colour", "blue")
        assert await store.setting("colour") == "blue"
        await store.set_setting("colour", None)
        await store.set_setting("never there", None)
        assert await store.setting("colour") is None
        assert await store.setting("shape") == ""

    async def test_the_version_moves_with_every_write(self, store: Store) -> None:
        seen = [await store.version()]
        assert await store.version() == seen[0]
        record = (await put(store, builders.fact()))[0]
        seen.append(await store.version())
        await put(store, builders.event())
        seen.append(await store.version())
        await store.commit(Operation(verb="add"), [Add(builders.message()), Add(builders.message())])
        seen.append(await store.version())
        assert len(set(seen)) == len(seen), f"{record.id} was written unnoticed: {seen}"

    async def test_everything_derived_can_be_made_anew(self, store: Store) -> None:
        await put(store, builders.fact("apples are red"), builders.message("hello"))
        before = await everything(store)
        await store.rebuild()
        await store.secure_vacuum()
        assert await everything(store) == before
        if isinstance(store, KeywordStore):
            assert len(await store.by_keyword(["apples"], Where(), 5)) == 1
