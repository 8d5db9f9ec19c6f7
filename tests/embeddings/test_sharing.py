"""However many agents a process has, it holds one model of each kind, and works for all of them at once."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from agent_memory import AgentMemory, MemoryConfig, SyncAgentMemory
from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.local import LocalEmbedder
from agent_memory.embeddings.local_model import LocalModel
from agent_memory.embeddings.registry import create_embedder
from agent_memory.embeddings.sharing import HeldModel, loaded_models
from agent_memory.testing.embedder import cosine

pytestmark = pytest.mark.anyio


def config(path: Path, **options: Any) -> MemoryConfig:
    return MemoryConfig(backend_config={"path": path}, embedding_config=options)


async def made(**options: Any) -> Embedder:
    """Make an embedder in the way of settings."""
    embedder = create_embedder("local", options)
    assert embedder is not None
    await embedder.prepare()
    return embedder


def in_use() -> int:
    gc.collect()
    return loaded_models(LocalModel)


class TestOneModel:
    async def test_twenty_agents_hold_one_and_the_last_to_close_frees_it(self, tmp_path: Path) -> None:
        assert in_use() == 0
        agents = [AgentMemory(config=config(tmp_path / f"{number}.db")) for number in range(20)]
        for number, agent in enumerate(agents):
            await agent.open()
            await agent.long_term.add(f"agent {number} prefers dark mode")
            assert len(await agent.search("which theme?", mode="vector")) == 1
        assert in_use() == 1
        for agent in agents[:-1]:
            await agent.close()
        assert in_use() == 1
        assert len(await agents[-1].search("which colours?", mode="vector")) == 1
        await agents[-1].close()
        assert in_use() == 0

    def test_blocking_agents_hold_one_though_each_has_an_event_loop(self, tmp_path: Path) -> None:
        agents = [SyncAgentMemory(config=config(tmp_path / f"{number}.db")) for number in range(4)]
        for number, agent in enumerate(agents):
            agent.long_term.add(f"agent {number} likes tea")
        assert in_use() == 1
        found: dict[int, int] = {}

        def ask(number: int) -> None:
            for _ in range(5):
                found[number] = found.get(number, 0) + len(agents[number].search("drinks", mode="vector"))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {0: 5, 1: 5, 2: 5, 3: 5}
        for agent in agents[1:]:
            agent.close()
        assert in_use() == 1
        agents[0].close()
        assert in_use() == 0

    async def test_who_is_forgotten_holds_it_no_longer(self) -> None:
        embedder = await made()
        await embedder.embed_query("hello")
        assert in_use() == 1
        del embedder
        assert in_use() == 0

    async def test_another_number_of_threads_is_another_model(self) -> None:
        one, two, same = await made(threads=1), await made(threads=2), await made(threads=1)
        for item in (one, two, same):
            await item.embed_query("hello")
        assert in_use() == 2

    async def test_the_same_weights_from_elsewhere_are_the_same_model(self, model_folder: Path) -> None:
        here, there = await made(), await made(path=model_folder)
        assert await here.embed_query("hello") == await there.embed_query("hello")
        assert in_use() == 1

    async def test_an_embedder_that_was_given_has_a_model_of_its_own(self, tmp_path: Path) -> None:
        given = LocalEmbedder()
        shared = AgentMemory(config=config(tmp_path / "shared.db"))
        own = AgentMemory(config=config(tmp_path / "own.db"), embedding_provider=given)
        for agent in (shared, own):
            await agent.open()
            await agent.long_term.add("dark mode")
        assert in_use() == 2
        await shared.close()
        assert in_use() == 1
        await own.close()
        assert in_use() == 0

    async def test_fastembed_shares_too(self, model_folder: Path) -> None:
        options = {"model": "sentence-transformers/all-MiniLM-L6-v2", "path": str(model_folder)}
        one, two = (create_embedder("fastembed", options) for _ in range(2))
        assert one is not None
        assert two is not None
        for item in (one, two):
            await item.prepare()
            await item.embed_query("hello")
        gc.collect()
        assert loaded_models(HeldModel) == 1
        await one.close()
        await two.embed_query("still there?")
        await two.close()
        gc.collect()
        assert loaded_models(HeldModel) == 0


class Runs:
    """Counts runs of the model, and can make some of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.bad: list[int] = []
        run = LocalModel._run

        def spied(model: LocalModel, session: Any, batch: Sequence[list[int]]) -> list[bytes]:
            self.sizes.append(len(batch))
            if self.bad and self.bad in [list(tokens) for tokens in batch]:
                raise ValueError("this text is too much")
            return run(model, session, batch)

        monkeypatch.setattr(LocalModel, "_run", spied)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    return Runs(monkeypatch)


class TestTogether:
    async def test_what_is_added_at_once_is_embedded_together(self, tmp_path: Path, runs: Runs) -> None:
        texts = [f"note number {number} about tea" for number in range(60)]
        async with AgentMemory(config=config(tmp_path / "a.db")) as memory:
            await asyncio.gather(*(memory.long_term.add(text) for text in texts))
            assert (await memory.get_status())["owed_embeddings"] == 0
            assert sum(runs.sizes) == len(texts)
            assert len(runs.sizes) <= len(texts) // 4
            found = await memory.search("note number 7 about tea", limit=60, mode="vector")
            assert found[0].memory.content == "note number 7 about tea"
            assert found[0].similarity == pytest.approx(1, abs=0.15)

    async def test_each_gets_the_vector_of_its_own_text(self, runs: Runs) -> None:
        embedder = await made()
        texts = ["tea " * (1 + number % 40) + f"number {number}" for number in range(80)]
        alone = [await embedder.embed_query(text) for text in texts]
        count = len(runs.sizes)
        together = await asyncio.gather(*(embedder.embed_query(text) for text in texts))
        assert len(runs.sizes) - count < 40
        assert all(cosine(*pair) > 0.9999 for pair in zip(alone, together, strict=True))

    async def test_a_text_that_the_model_fails_on_fails_alone(self, tmp_path: Path, runs: Runs) -> None:
        texts = [f"note number {number}" for number in range(24)]
        async with AgentMemory(config=config(tmp_path / "a.db")) as memory:
            await memory.long_term.add("the first")
            embedder = memory.embedding_provider
            assert isinstance(embedder, LocalEmbedder)
            runs.bad = embedder._tokenizer_now().encode(texts[9], add_special_tokens=False).ids
            ids = await asyncio.gather(*(memory.long_term.add(text) for text in texts))
            status = await memory.get_status()
            assert [statu["id"] for statu in status["failures"]] == [ids[9]]
            assert "too much" in status["failures"][0]["reason"]
            assert status["owed_embeddings"] == 1
            assert await memory.count() == 25
            runs.bad = []
            assert await memory.index() == 1

    @pytest.mark.parametrize("gone", [0, 5, 11])
    async def test_who_is_cancelled_takes_nobody_along(self, gone: int) -> None:
        embedder = await made()
        texts = [f"{number} " + "words to read " * 20 for number in range(12)]
        tasks = [asyncio.ensure_future(embedder.embed_query(text)) for text in texts]
        await anyio.sleep(0.01 * gone)
        tasks[gone].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, asyncio.CancelledError) for result in results) <= 1
        for place, result in enumerate(results):
            assert place == gone or isinstance(result, bytes)
        assert await embedder.embed_query("still there?")

    async def test_a_bulk_that_was_cancelled_is_not_gone_through(self, runs: Runs) -> None:
        embedder = await made()
        await embedder.embed_query("ready?")
        with anyio.move_on_after(0.2):
            await embedder.embed_documents([f"{number} " + "words " * 60 for number in range(400)])
        await embedder.embed_query("next?")
        count = len(runs.sizes)
        await anyio.sleep(0.5)
        assert len(runs.sizes) == count

    async def test_a_loop_that_ended_meanwhile_harms_nobody(self) -> None:
        embedder = await made()

        async def begin() -> None:
            bulk = asyncio.ensure_future(
                embedder.embed_documents([f"{n} " + "words " * 50 for n in range(100)])
            )
            await anyio.sleep(0.05)
            bulk.cancel()

        await anyio.to_thread.run_sync(lambda: asyncio.run(begin()))
        assert await embedder.embed_query("still there?")


FORKED = """
import asyncio, os, sys, threading, time
from agent_memory.embeddings.registry import create_embedder

async def query(embedder):
    await embedder.prepare()
    return await embedder.embed_query("hello")

async def bulk(embedder):
    await embedder.prepare()
    await embedder.embed_documents([f"{number} " + "words " * 40 for number in range(200)])

old = create_embedder("local", {})
MOMENT
child = os.fork()
if child == 0:
    new = create_embedder("local", {})
    same = asyncio.run(query(new)) == asyncio.run(query(new))
    again = asyncio.run(query(old)) == asyncio.run(query(new))
    del old, new
    os._exit(0 if same and again else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
MOMENTS = {
    "loaded": "asyncio.run(query(old))",
    "while it is loaded": "threading.Thread(target=lambda: asyncio.run(query(old))).start(); time.sleep(.25)",
    "while it runs": "asyncio.run(query(old)); threading.Thread(target=lambda: asyncio.run(bulk(old))).start(); "
    "time.sleep(.1)",
    "while locks are held": "from agent_memory.embeddings import sharing; asyncio.run(query(old)); "
    "sharing._lock.acquire(); old._model_now()._turn.acquire(); old._model_now()._opening.acquire()",
}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_forked_child_has_a_model_of_its_own(moment: str) -> None:
    script = FORKED.replace("MOMENT", MOMENTS[moment]) + "os._exit(0)\n"
    result = subprocess.run([sys.executable, "-uc", script], capture_output=True, text=True, timeout=120)
    assert (result.stdout.strip(), result.stderr) == ("0", "")
