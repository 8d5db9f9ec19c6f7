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
        *((getattr(asynchronous, item), getattr(blocking, item)) for item in TYPES),
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
    for item in ("agent_id", "embedding_provider", "has_semantic"):
        with pytest.raises(ClosedError):
            getattr(memory, item)
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
        assert {item.result() for item in writing} == {"closed"}
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("provider", ["dummy", "local"])
def test_a_forked_child_uses_what_is_its_own_and_is_told_what_is_not(tmp_path: Path, provider: str) -> None:
    code = (
        "import asyncio, gc, os, sys, time, warnings\n"
        "warnings.simplefilter('ignore')\n"
        "from agent_memory import AgentMemory, BackendError, MemoryConfig, SyncAgentMemory\n"
        f"config = MemoryConfig(embedding_provider={provider!r})\n"
        "memory = SyncAgentMemory('t', config).open()\n"
        "unopened = SyncAgentMemory('t', config)\n"
        "twin = AgentMemory('t', config)\n"
        "async def first():\n"
        "    await twin.long_term.add('kept')\n"
        "asyncio.run(first())\n"
        "memory.search('kept')\n"
        "def refused(call):\n"
        "    try:\n"
        "        call()\n"
        "    except BackendError as error:\n"
        "        assert 'fork' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError('answered')\n"
        "def within():\n"
        "    with memory: pass\n"
        "def new():\n"
        "    with SyncAgentMemory('t', config) as own:\n"
        "        own.long_term.add('of the child')\n"
        "        assert own.search('child')[0].memory.content == 'of the child'\n"
        "def gone():\n"
        "    global memory\n"
        "    del memory\n"
        "    gc.collect()\n"
        "async def in_the_loop():\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try:\n"
        "            await twin.count()\n"
        "        except BackendError as error:\n"
        "            await twin.close()\n"
        "            os._exit(0 if 'fork' in str(error) else 1)\n"
        "        os._exit(2)\n"
        "    return child\n"
        "def waited(name, child):\n"
        "    end = time.monotonic() + 15\n"
        "    while time.monotonic() < end:\n"
        "        done, status = os.waitpid(child, os.WNOHANG)\n"
        "        if done: break\n"
        "        time.sleep(0.01)\n"
        "    else:\n"
        "        os.kill(child, 9)\n"
        "        sys.exit(f'{name} hangs')\n"
        "    assert status == 0, (name, status)\n"
        "    assert memory.count() >= 1, name\n"
        "def forked(name, call):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try:\n"
        "            call()\n"
        "        except SystemExit: raise\n"
        "        except BaseException as error:\n"
        "            print(name, repr(error), file=sys.stderr, flush=True)\n"
        "            os._exit(3)\n"
        "        os._exit(0)\n"
        "    waited(name, child)\n"
        "forked('use', lambda: refused(memory.count))\n"
        "forked('open', lambda: refused(memory.open))\n"
        "forked('with', lambda: refused(within))\n"
        "forked('async', lambda: refused(lambda: asyncio.run(twin.count())))\n"
        "forked('close', lambda: memory.close())\n"
        "forked('new', new)\n"
        "forked('unopened', lambda: unopened.count())\n"
        "forked('gone', gone)\n"
        "forked('exit', lambda: sys.exit(0))\n"
        "waited('loop', asyncio.run(in_the_loop()))\n"
        "asyncio.run(twin.close())\n"
        "memory.close()\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "done", done.stderr


@pytest.mark.parametrize("call", ["embed", "write", "wait"])
def test_ctrl_c_cancels_a_call_and_closing_does_not_wait_for_it(tmp_path: Path, call: str) -> None:
    code = (
        "import os, signal, sys, threading, time\n"
        "from agent_memory import MemoryConfig, SyncAgentMemory\n"
        "calls = {\n"
        "    'embed': lambda: memory.long_term.add_many([f'fact {n} ' + 'more words ' * 40 for n in range(5000)]),\n"
        "    'write': lambda: memory.long_term.add_many([f'fact {n}' for n in range(200_000)]),\n"
        "    'wait': lambda: memory.conversation.summarize(lambda messages: time.sleep(60) or 'text'),\n"
        "}\n"
        f"provider = 'local' if {call!r} == 'embed' else 'none'\n"
        "memory = SyncAgentMemory('t', MemoryConfig(embedding_provider=provider))\n"
        "memory.conversation.add_message('user', 'hello')\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # it is ignored below some test runners
        "threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        f"    calls[{call!r}]()\n"
        "except KeyboardInterrupt:\n"
        "    start = time.monotonic()\n"
        "    memory.close()\n"
        "    print('closed', time.monotonic() - start)\n"
        "sys.stdout.flush()\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("closed"), done.stderr
    assert float(done.stdout.split()[1]) < 10, (
        "a fraction of a second where the machine has nothing else to do"
    )
    with SyncAgentMemory("t", config(embedding_provider="none")) as memory:
        assert memory.conversation.count() == 1
        assert memory.check() == []
