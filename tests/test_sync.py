"""The blocking face: the same names, the same signatures, and no surprises with loops, threads and exits."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from agent_memory import (
    AgentMemory,
    BackendError,
    ClosedError,
    MemoryConfig,
    SyncAgentMemory,
    ValidationError,
)
from agent_memory.testing.verbs import verbs

TYPES = ("short_term", "long_term", "conversation", "episodic", "semantic", "procedural")


def config(**more: object) -> MemoryConfig:
    return MemoryConfig(**{"embedding_provider": "dummy", **more})


def public(thing: object) -> dict[str, object]:
    members = {name: value for name, value in inspect.getmembers(type(thing)) if not name.startswith("_")}
    return {name: value for name, value in members.items() if not isinstance(value, type)}


def test_every_async_name_has_a_blocking_twin_with_the_same_signature() -> None:
    asynchronous = AgentMemory("t", config(backend="memory"))
    blocking = SyncAgentMemory("t", config(backend="memory"))
    pairs = [
        (asynchronous, blocking),
        *((getattr(asynchronous, each), getattr(blocking, each)) for each in TYPES),
    ]
    for original, twin in pairs:
        for name, value in public(original).items():
            counterpart = getattr(type(twin), name, None)
            assert counterpart is not None, f"{type(twin).__name__} has no {name}"
            if inspect.iscoroutinefunction(value) and name not in ("open", "close"):
                assert not inspect.iscoroutinefunction(counterpart)
                assert inspect.signature(value) == inspect.signature(counterpart), name
                assert inspect.getdoc(value) == inspect.getdoc(counterpart)


def test_all_six_types_without_await() -> None:
    with SyncAgentMemory("t", config()) as memory:
        memory.short_term.set_working_memory("k", [1])
        memory.long_term.store_fact("the sky is blue")
        memory.conversation.add_message("user", "hello")
        memory.episodic.record_event("test", "it ran", outcome="success")
        memory.semantic.add("knowledge")
        memory.procedural.record_skill("s", "do it")
        assert memory.get_stats()["total"] == 6
        assert memory.search("sky")[0].memory.content == "the sky is blue"
        assert memory.short_term.get_working_memory("k") == [1]
        assert "sky" in str(memory.recall("sky"))


def test_errors_come_through_as_they_are() -> None:
    with SyncAgentMemory("t", config()) as memory, pytest.raises(ValidationError):
        memory.long_term.add("")


def test_it_works_inside_a_running_loop() -> None:
    async def main() -> int:
        with SyncAgentMemory("t", config()) as memory:
            memory.long_term.add("a fact")
            return memory.count()

    assert asyncio.run(main()) == 1


def test_many_threads_share_one() -> None:
    with SyncAgentMemory("t", config()) as memory:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: memory.long_term.add(f"fact {number}"), range(100)))
        assert memory.count() == 100
        assert memory.check() == []


def test_a_forgotten_close_does_not_hang_the_exit(tmp_path: Path) -> None:
    code = (
        "from agent_memory import SyncAgentMemory, MemoryConfig\n"
        "memory = SyncAgentMemory('t', MemoryConfig(embedding_provider='dummy'))\n"
        "print(memory.long_term.add('kept'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    with SyncAgentMemory("t", config()) as memory:
        assert memory.get(done.stdout.strip()) is not None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_use_in_a_forked_child_names_the_fork(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from agent_memory import SyncAgentMemory, MemoryConfig, BackendError\n"
        "memory = SyncAgentMemory('t', MemoryConfig(embedding_provider='dummy')).open()\n"
        "memory.long_term.add('kept')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    try:\n"
        "        memory.count()\n"
        "    except BackendError as error:\n"
        "        os._exit(7 if 'fork' in str(error) else 8)\n"
        "    os._exit(9)\n"
        "status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])\n"
        "memory.close()\n"
        "sys.exit(0 if status == 7 else 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_closing_is_for_good_and_twice_is_once(backend: str) -> None:
    memory = SyncAgentMemory("t", config(backend=backend))
    kept = memory.long_term.add("kept")
    memory.close()
    memory.close()
    for name, call in verbs(memory):
        with pytest.raises(ClosedError, match="this memory is closed: make a new"):
            call()
            pytest.fail(f"{name} was answered")
    with pytest.raises(ClosedError):
        memory.open()
    with pytest.raises(ClosedError), memory:
        pass
    for each in ("agent_id", "embedding_provider", "has_semantic"):
        with pytest.raises(ClosedError):
            getattr(memory, each)
    if backend == "sqlite":
        with SyncAgentMemory("t", config()) as again:
            assert again.get(kept) is not None


def test_a_memory_closed_before_it_was_ever_used_stays_closed() -> None:
    memory = SyncAgentMemory("t", config())
    memory.close()
    with pytest.raises(ClosedError):
        memory.count()


def test_the_inner_with_does_not_close_it_for_the_outer_one() -> None:
    with SyncAgentMemory("t", config(backend="memory")) as memory:
        memory.long_term.add("kept")
        with memory:
            assert memory.count() == 1
        assert memory.count() == 1
    with pytest.raises(ClosedError):
        memory.count()


def test_what_could_not_be_opened_can_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = SyncAgentMemory("t", config(backend_config={"path": str(tmp_path / "file" / "a.db")}))
    with pytest.raises(BackendError, match="cannot create"):
        memory.count()
    (tmp_path / "file").unlink()
    assert memory.count() == 0
    memory.close()


@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_closing_while_other_threads_write_refuses_or_stores(backend: str) -> None:
    memory = SyncAgentMemory("t", config(backend=backend, embedding_provider="none")).open()
    acknowledged: list[str] = []

    def write(number: int) -> str:
        while True:
            try:
                acknowledged.append(memory.episodic.add(f"event {number}"))
            except ClosedError:
                return "closed"

    with ThreadPoolExecutor(6) as pool:
        writing = [pool.submit(write, number) for number in range(6)]
        while len(acknowledged) < 20:
            time.sleep(0.001)
        memory.close()
        assert {each.result() for each in writing} == {"closed"}
    if backend == "sqlite":
        with SyncAgentMemory("t", config()) as again:
            assert set(acknowledged) <= {record.id for record in again.list(limit=None)}
            assert again.check() == []


def test_threads_that_use_a_new_memory_at_once_all_get_through() -> None:
    memory = SyncAgentMemory("t", config())
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda number: memory.long_term.store_fact(f"fact {number}"), range(16)))
    assert len(set(ids)) == memory.count() == 16
    memory.close()


def test_a_summarizer_may_use_the_memory_it_summarises() -> None:
    with SyncAgentMemory("t", config(backend="memory")) as memory:
        memory.long_term.store_fact("the customer is called Kim")
        memory.conversation.add_message("user", "hello")
        text = memory.conversation.summarize(lambda messages: f"{len(messages)}: {memory.list()[-1].content}")
        assert text == "1: the customer is called Kim"
