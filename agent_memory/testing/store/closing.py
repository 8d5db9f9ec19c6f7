"""An agent that is moved to another store: what changed is told, and nothing is written behind the mark."""

from __future__ import annotations

import anyio
import pytest

from agent_memory.errors import BackendError, CapabilityError, StoreReadOnlyError, ValidationError
from agent_memory.storage.base import JournalStore, Store, VectorStore
from agent_memory.storage.moved import SETTING, MoveMark
from agent_memory.testing import builders
from agent_memory.testing.store.support import (
    StoreFactory,
    StoreTests,
    change,
    everything,
    ids,
    needs,
    opened,
    put,
    remove,
)

_ELSEWHERE = MoveMark(to="postgresql://db.invalid/memory", done=True)


class ClosingTests(StoreTests):
    """Closing a store whose agent goes to another one."""

    async def test_an_agent_that_was_moved_is_read_and_not_written(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        kept = (await put(store, builders.fact("one")))[0]
        if type(store)._set_moved is Store._set_moved:
            with pytest.raises(CapabilityError, match=store.name):
                await store.set_moved(_ELSEWHERE, instead_of=None)
            return
        await store.set_moved(_ELSEWHERE, instead_of=None)
        handles = [store]
        async with opened(store_factory) as other:
            if store.capabilities.shared:
                handles.append(other)
            for handle in handles:
                assert await handle.moved() == _ELSEWHERE
                with pytest.raises(StoreReadOnlyError, match="was moved to postgresql://"):
                    await put(handle, builders.fact("two"))
                with pytest.raises(StoreReadOnlyError, match="was moved"):
                    await remove(handle, kept)
                with pytest.raises(StoreReadOnlyError, match="was moved"):
                    await handle.set_setting("name", "value")
                if isinstance(handle, VectorStore):
                    with pytest.raises(StoreReadOnlyError, match="was moved"):
                        await handle.add_space(builders.space())
                await handle.touch([kept.id])
                assert list(await everything(handle)) == [kept.id]
                assert await handle.setting("name") is None
        with pytest.raises(ValidationError, match="mark"):
            await store.set_setting(SETTING, None)
        with pytest.raises(BackendError, match="another migration"):
            await store.set_moved(None, instead_of=MoveMark(to="elsewhere", done=False))
        await store.set_moved(None, instead_of=_ELSEWHERE)
        assert await store.moved() is None
        await put(store, builders.fact("three"))

    async def test_what_is_acknowledged_is_there_when_the_mark_is_set(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        if not (store.capabilities.shared and store.capabilities.transactions):
            return
        acknowledged: list[str] = []
        enough = anyio.Event()

        async def write(handle: Store, number: int) -> None:
            while True:
                try:
                    acknowledged.extend(ids(await put(handle, builders.event(f"from {number}"))))
                except StoreReadOnlyError:
                    return
                if len(acknowledged) >= 20:
                    enough.set()

        async with opened(store_factory) as second, opened(store_factory) as third:
            async with anyio.create_task_group() as tasks:
                for number in range(6):
                    tasks.start_soon(write, (second, third)[number % 2], number)
                await enough.wait()
                await store.set_moved(_ELSEWHERE, instead_of=None)
                there = set(await everything(store))
            assert set(acknowledged) == there == set(await everything(second))
        await store.set_moved(None, instead_of=_ELSEWHERE)

    async def test_agents_are_listed_without_opening_a_store(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        await put(store, builders.fact("one"))
        if type(store)._list_agents is Store._list_agents:
            with pytest.raises(CapabilityError, match=store.name):
                await store_factory("nobody").list_agents()
            return
        names = ["somebody else", "a{b}c", "größe"]
        for name in names:
            async with opened(store_factory, name) as other:
                await put(other, builders.fact("two"))
        listed = await store_factory("nobody").list_agents()
        assert {store.agent_id, *names} <= set(listed)
        assert "nobody" not in listed
        assert listed == sorted(listed)

    @needs("journal")
    async def test_the_journal_tells_what_changed(self, store: JournalStore) -> None:
        first, second, third = await put(
            store, builders.fact("one"), builders.note("two", kind="working", value=2), builders.fact("three")
        )
        begin = await store.journal_end()
        changed, position = await store.changed_since(begin)
        assert set(changed) <= {first.id, second.id, third.id}
        fourth = (await put(store, builders.fact("four")))[0]
        second = await change(store, await change(store, second, value=3), value=4)
        await remove(store, first, erase=True)
        await remove(store, third)
        changed, end = await store.changed_since(position)
        assert set(changed) == {fourth.id, second.id, first.id, third.id}
        assert set((await store.changed_since(begin))[0]) >= set(changed)
        await change(store, fourth, content="five")
        changed, _ = await store.changed_since(end)
        assert fourth.id in changed
