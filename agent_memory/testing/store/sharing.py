"""Many at once: tasks of one handle, and several handles on one store."""

from __future__ import annotations

import anyio

from agent_memory.errors import ConflictError
from agent_memory.records import ConversationRecord, Status
from agent_memory.storage.base import JournalStore, KeywordStore, Order, Store, VectorStore
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import (
    StoreFactory,
    StoreTests,
    change,
    everything,
    ids,
    opened,
    put,
    remove,
    texts,
)


class SharingTests(StoreTests):
    """Many at once: tasks of one handle, and several handles on one store."""

    async def test_fifty_tasks_write_messages_without_a_gap(self, store: Store) -> None:
        async def say(number: int) -> None:
            await put(store, builders.message(f"{number} a"), builders.message(f"{number} b"))

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(say, number)
        await self._check_positions(store, 100)

    async def _check_positions(self, store: Store, count: int) -> None:
        messages = await store.select(Where(), Order("position", descending=False))
        positions = [record.position for record in messages if isinstance(record, ConversationRecord)]
        assert positions == list(range(count))
        assert len(set(texts(messages))) == count

    async def test_twenty_tasks_do_everything_at_once(self, store: Store) -> None:
        shared = (await put(store, builders.fact("0", key="counter", metadata={"n": 0})))[0]
        conflicts = 0

        async def work(number: int) -> None:
            nonlocal conflicts
            mine = (await put(store, builders.event(f"event {number}"), builders.fact("everybody's")))[0]
            await store.touch([mine.id])
            while True:
                current = (await store.get([shared.id]))[shared.id]
                try:
                    await change(store, current, metadata={"n": current.metadata["n"] + 1})
                    break
                except ConflictError:
                    conflicts += 1
            mine = (await store.get([mine.id]))[mine.id]
            if number % 3 == 0:
                await change(store, mine, "archive", status=Status.ARCHIVED)
            elif number % 3 == 1:
                await remove(store, mine)
            await store.select(Where())
            await store.count(Where(tags_any=("none",)))

        # Of all that read the counter at one time a single one may raise it: the tries grow with the square.
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(work, number)
        stored = await everything(store)
        assert stored[shared.id].metadata == {"n": 20}
        assert texts(stored.values()).count("everybody's") == 1
        events = [record for record in stored.values() if record.content.startswith("event")]
        assert len(events) == 13
        assert sum(record.status is Status.ACTIVE for record in events) == 6
        if isinstance(store, JournalStore):
            assert len(await store.history(shared.id)) == 21

    async def test_a_cancelled_write_is_whole_or_not_there(self, store: Store) -> None:
        for _ in range(5):
            before = await store.count(Where())
            with anyio.move_on_after(0.001):
                changes = [Add(builders.event(str(number))) for number in range(200)]
                await store.commit(Operation(verb="add"), changes)
            assert await store.count(Where()) - before in (0, 200)
        await put(store, builders.event("still alive"))
        assert texts(await store.select(Where(), limit=1)) == ["still alive"]

    async def test_another_handle_sees_what_was_written(
        self, store: Store, store_factory: StoreFactory
    ) -> None:
        async with opened(store_factory) as other:
            version = await other.version()
            record = (await put(store, builders.fact("apples", key="k")))[0]
            if not store.capabilities.shared:
                assert await everything(other) in ({}, {record.id: record})
                return
            assert await other.version() != version
            assert await everything(other) == {record.id: record}
            assert (await other.resolve("k")) == record
            if isinstance(other, KeywordStore):
                assert len(await other.by_keyword(["apple"], Where(), 5)) == 1
            version = await store.version()
            changed = await change(other, record, content="pears")
            assert await store.version() != version
            assert await everything(store) == {record.id: changed}
            version = await store.version()
            if isinstance(store, VectorStore) and isinstance(other, VectorStore):
                space = await other.add_space(builders.space())
                await other.put_vectors(space, builders.vectors_of(pears=[builders.vector(1)]))
                assert await store.version() != version
                assert len(await store.by_vector(builders.vector(1), Where(), 5)) == 1
                assert await store.pending_count() == 0
            await remove(store, changed)
            assert await everything(other) == {}

    async def test_several_handles_write_at_once(self, store: Store, store_factory: StoreFactory) -> None:
        if not store.capabilities.shared:
            async with opened(store_factory) as other:
                await put(other, builders.fact("elsewhere"))
            return
        async with opened(store_factory) as second, opened(store_factory) as third:

            async def say(handle: Store, number: int) -> None:
                await put(handle, builders.message(str(number)), builders.fact("everybody's"))

            async with anyio.create_task_group() as tasks:
                for number in range(30):
                    tasks.start_soon(say, (store, second, third)[number % 3], number)
            assert await everything(second) == await everything(third) == await everything(store)
        facts = [record for record in await store.select(Where()) if record.content == "everybody's"]
        assert len(facts) == 1
        await remove(store, *facts)
        await self._check_positions(store, 30)

    async def test_a_key_is_given_once_whoever_asks(self, store: Store) -> None:
        seen: set[str] = set()

        async def add(number: int) -> None:
            seen.update(ids(await put(store, builders.fact(str(number), key="k"))))

        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(add, number)
        assert len(seen) == 1
        assert len(await everything(store)) == 1
