"""Many agents in one process, and many adds at once: what they take of memory and of the processor.

Processor time and not the clock: it is what many at once share. Each figure comes from a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from agent_memory import AgentMemory, SyncAgentMemory
from agent_memory.settings import Settings
from benchmarks.texts import sentences

AGENTS = 20
ADDS = 500
MOST_MEGABYTES = 400
MOST_BESIDE = 20.0
"""Milliseconds of the processor for one more agent with an add and a search, the embedding of both not counted."""


def run(folder: Path) -> list[dict[str, object]]:
    """Measure each in a process of its own."""
    return [*_memory(folder), _adds(folder)]


def _memory(folder: Path) -> list[dict[str, object]]:
    one, many = _measured("agents", folder / "one", 1), _measured("agents", folder / "many", AGENTS)
    ratio = many["megabytes"] / one["megabytes"]
    beside = many["more"] - many["embedding"]
    return [
        {
            "what": f"{AGENTS} agents in one process, an add and a search each: {many['megabytes']:.0f} MB",
            "ms": round(many["all"]),
            "compared with": f"one agent, {one['megabytes']:.0f} MB",
            "ratio": round(ratio, 2),
            "target": f"<= 1.5, {MOST_MEGABYTES} MB",
            "met": ratio <= 1.5 and many["megabytes"] <= MOST_MEGABYTES,
        },
        {
            "what": "one more agent, an add and a search, beside the embedding",
            "ms": round(beside, 1),
            "compared with": f"{MOST_BESIDE:.0f} ms of the processor",
            "ratio": round(beside / MOST_BESIDE, 2),
            "target": "<= 1",
            "met": beside <= MOST_BESIDE,
        },
    ]


def _adds(folder: Path) -> dict[str, object]:
    milliseconds = _measured("adds", folder / "adds", ADDS)
    ratio = milliseconds["together"] / milliseconds["singly"]
    return {
        "what": f"{ADDS} adds at once, each, of the processor",
        "ms": round(milliseconds["together"], 2),
        "compared with": f"one after the other, {milliseconds['singly']:.2f} ms",
        "ratio": round(ratio, 2),
        "target": "<= 0.6",
        "met": ratio <= 0.6,
    }


def _measured(what: str, folder: Path, count: int) -> dict[str, float]:
    folder.mkdir()
    command = [sys.executable, "-m", __name__, what, str(folder), str(count)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


# --- in the process that is measured ---------------------------------------------------------------------------


def _milliseconds() -> float:
    return 1000 * time.process_time()


def _agents(folder: Path, count: int) -> dict[str, float]:
    texts, memories, more = sentences(count), [], []
    for number in range(count):
        before = _milliseconds()
        memory = SyncAgentMemory(
            f"agent-{number}", Settings(backend_config={"path": str(folder / f"{number}.db")})
        )
        memory.open()
        memory.long_term.add(texts[number])
        assert memory.search("what was renamed?", mode="vector")
        more.append(_milliseconds() - before)
        memories.append(memory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << 20 if sys.platform == "darwin" else 1024
    )
    embedding = asyncio.run(_embedding(memories[0], texts))
    for memory in memories:
        memory.close()
    return {
        "megabytes": peak,
        "all": sum(more),
        "more": statistics.median(more[len(more) // 2 :]),
        "embedding": embedding,
    }


async def _embedding(memory: SyncAgentMemory, texts: list[str]) -> float:
    """Return what the embedding of a memory and of a query takes by itself."""
    embedder = memory.embedding_provider
    assert embedder is not None
    before = _milliseconds()
    for text in texts:
        await embedder.embed_documents([text])
        await embedder.embed_query("what was renamed?")
    return (_milliseconds() - before) / len(texts)


async def _added(folder: Path, count: int) -> dict[str, float]:
    texts = sentences(2 * count + 30)
    settings = Settings(backend_config={"path": str(folder / "adds.db")})
    async with AgentMemory("bench", settings) as memory:
        await memory.long_term.add_many(texts[2 * count :])
        for text in texts[:10]:
            await memory.episodic.add(text)  # the session is warm
        before = _milliseconds()
        for text in texts[:count]:
            await memory.long_term.add(text)
        singly = _milliseconds() - before
        before = _milliseconds()
        await asyncio.gather(*(memory.long_term.add(text) for text in texts[count : 2 * count]))
        together = _milliseconds() - before
        assert (await memory.get_status())["owed_embeddings"] == 0
    return {"singly": singly / count, "together": together / count}


if __name__ == "__main__":
    what, place, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(_agents(place, number) if what == "agents" else asyncio.run(_added(place, number))))
