"""Batches: writes that are committed as one transaction and one operation."""

from __future__ import annotations

import anyio
import pytest

from agent_memory.agent import AgentMemory
from agent_memory.errors import ConflictError, MemoryNotFoundError
from agent_memory.testing.store.support import MemoryTests, texts
from agent_memory.verbs import Verb


class BatchTests(MemoryTests):
    """`async with memory.batch()`, on every store."""

    async def test_a_batch_stores_all_at_its_end(self, memory: AgentMemory) -> None:
        old = await memory.long_term.add("an old fact", tags=["a"])
        wrong = await memory.long_term.add("a wrong fact")
        async with memory.batch() as batch:
            new = await memory.long_term.add("a new fact")
            await memory.episodic.record_event("build", "it ran")
            await memory.update(old, "an edited fact")
            await memory.update(old, add_tags=["b"])
            await memory.forget(wrong)
            await memory.conversation.add_message("user", "hello")
            await memory.conversation.add_message("assistant", "hi")
            assert await memory.get(new) is None
            assert sorted(texts(await memory.list())) == ["a wrong fact", "an old fact"]
        assert [written.outcome for written in batch.written].count("added") == 4
        edited = await memory.get(old)
        assert edited is not None
        assert (edited.content, edited.tags) == ("an edited fact", ("a", "b"))
        assert await memory.get(wrong) is None
        assert (await memory.get(new)) is not None
        assert [message.position for message in await memory.conversation.get_messages()] == [0, 1]
        if memory.backend.capabilities.vectors:
            results = await memory.search("an edited fact", mode="vector", limit=1)
            assert [result.memory.id for result in results] == [old]
            assert (await memory.get_status())["owed_embeddings"] == 0

    async def test_a_batch_is_one_operation_and_undone_as_one(self, memory: AgentMemory) -> None:
        if not memory.backend.capabilities.journal:
            return  # nothing is logged there, and `undo` is refused by name
        old = await memory.long_term.add("an old fact")
        async with memory.batch():
            await memory.long_term.add("a new fact")
            await memory.update(old, "an edited fact")
        assert [operation.verb for operation in await memory.log(1)] == [Verb.BATCH]
        await memory.undo()
        assert texts(await memory.list()) == ["an old fact"]

    async def test_an_exception_discards_the_whole_batch(self, memory: AgentMemory) -> None:
        old = await memory.long_term.add("an old fact")
        with pytest.raises(KeyError):
            async with memory.batch():
                await memory.long_term.add("never stored")
                await memory.update(old, "never edited")
                raise KeyError
        assert texts(await memory.list()) == ["an old fact"]
        await memory.long_term.add("stored at once")
        assert await memory.count() == 2

    async def test_what_is_known_keeps_its_id_in_a_batch(self, memory: AgentMemory) -> None:
        known = await memory.long_term.add("the sky is blue")
        async with memory.batch() as batch:
            await memory.long_term.add("the sky is blue")
            await memory.long_term.add("first", key="k")
            await memory.long_term.add("second", key="k")
        assert batch.written[0].id == known
        assert await memory.count() == 2
        assert texts(await memory.list(key="k")) == ["second"]

    async def test_what_a_batch_removes_is_gone_for_good(self, memory: AgentMemory) -> None:
        secret = await memory.long_term.add("a secret")
        async with memory.batch():
            await memory.forget(secret, shred=True)
            with pytest.raises(MemoryNotFoundError):
                await memory.update(secret, "what is to go")
        assert await memory.list(status=None) == []

    async def test_a_conflict_stores_nothing_of_a_batch(self, memory: AgentMemory) -> None:
        id = await memory.long_term.add("a fact")
        entered, changed = anyio.Event(), anyio.Event()

        async def beside() -> None:
            await entered.wait()
            await memory.update(id, "changed beside")
            changed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(beside)
            with pytest.raises(ConflictError):
                async with memory.batch():
                    await memory.long_term.add("within")
                    await memory.update(id, "changed within")
                    entered.set()
                    await changed.wait()
        assert texts(await memory.list()) == ["changed beside"]
