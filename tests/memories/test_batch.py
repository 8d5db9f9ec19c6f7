"""A batch: writes that are committed as one transaction and one operation, on both faces."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_memory import (
    AgentMemory,
    ConflictError,
    MemoryConfig,
    MemoryNotFoundError,
    SyncAgentMemory,
    ValidationError,
)


def config(path: Path) -> MemoryConfig:
    return MemoryConfig(embedding_provider="dummy", backend_config={"path": path / "a.db"})


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[SyncAgentMemory]:
    with SyncAgentMemory("t", config(tmp_path)) as opened:
        yield opened


def test_all_is_one_operation_and_one_undo_takes_it_back(memory: SyncAgentMemory) -> None:
    old = memory.long_term.add("an old fact", tags=["a"])
    gone = memory.long_term.add("a wrong fact")
    with memory.batch() as batch:
        new = memory.long_term.add("a new fact")
        memory.episodic.record_event("build", "it ran")
        memory.update(old, "an edited fact")
        memory.update(old, add_tags=["b"])
        memory.forget(gone)
        memory.conversation.add_message("user", "hello")
        memory.conversation.add_message("assistant", "hi")
        assert memory.get(new) is None
        assert memory.count() == 2
    assert [written.outcome for written in batch.written].count("added") == 4
    edited = memory.get(old)
    assert edited is not None
    assert (edited.content, edited.tags) == ("an edited fact", ("a", "b"))
    assert memory.get(gone) is None
    assert [message.position for message in memory.conversation.get_messages()] == [0, 1]
    assert [found.memory.id for found in memory.search("edited", mode="vector", limit=1)] == [old]
    assert memory.get_status()["owed_embeddings"] == 0
    assert [operation.verb for operation in memory.log(1)] == ["batch"]
    memory.undo()
    assert memory.get(new) is None
    before = memory.get(old)
    assert before is not None
    assert (before.content, before.tags) == ("an old fact", ("a",))
    assert memory.get(gone) is not None


def test_an_exception_discards_all(memory: SyncAgentMemory) -> None:
    operations = len(memory.log())
    with pytest.raises(KeyError), memory.batch():
        memory.long_term.add("never stored")
        raise KeyError
    assert memory.count() == 0
    assert len(memory.log()) == operations
    memory.long_term.add("stored at once")
    assert memory.count() == 1


def test_what_is_known_keeps_its_id_and_a_key_is_one_memory(memory: SyncAgentMemory) -> None:
    known = memory.long_term.add("the sky is blue")
    with memory.batch() as batch:
        memory.long_term.add("the sky is blue")
        memory.long_term.add("first", key="k")
        memory.long_term.add("second", key="k")
    assert batch.written[0].id == known
    assert memory.count() == 2
    assert [record.content for record in memory.list(key="k")] == ["second"]


def test_what_cannot_be_part_of_one_is_refused(memory: SyncAgentMemory, tmp_path: Path) -> None:
    id = memory.long_term.add("a fact")
    memory.export_to(tmp_path / "out.ndjson")
    with memory.batch():
        with pytest.raises(ValidationError, match="open already"), memory.batch():
            pass
        with pytest.raises(ValidationError, match="undo"):
            memory.undo()
        with pytest.raises(ValidationError, match="import"):
            memory.import_from(tmp_path / "out.ndjson")
        memory.forget(id, shred=True)
        with pytest.raises(MemoryNotFoundError):
            memory.update(id, "what is to go")
    assert memory.count() == 0
    assert memory.list(status=None) == []


def test_other_threads_write_at_once(memory: SyncAgentMemory) -> None:
    with memory.batch():
        memory.long_term.add("within")
        other = threading.Thread(target=lambda: memory.long_term.add("beside"))
        other.start()
        other.join()
        assert [record.content for record in memory.list()] == ["beside"]
    assert memory.count() == 2


def test_other_tasks_write_at_once_and_a_conflict_stores_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with AgentMemory("t", config(tmp_path)) as memory:
            id = await memory.long_term.add("a fact")
            entered, written = asyncio.Event(), asyncio.Event()

            async def beside() -> None:
                await entered.wait()
                await memory.update(id, "changed beside")
                written.set()

            task = asyncio.create_task(beside())
            with pytest.raises(ConflictError):
                async with memory.batch():
                    await memory.long_term.add("within")
                    await memory.update(id, "changed within")
                    entered.set()
                    await written.wait()
            await task
            assert [record.content for record in await memory.list()] == ["changed beside"]
            async with memory.batch() as batch:
                added = await memory.long_term.add("within")
            assert [item.id for item in batch.written] == [added]
            with pytest.raises(ValidationError, match="used already"):
                async with batch:
                    pass

    asyncio.run(main())
