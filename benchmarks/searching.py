"""Hybrid search in a running process, against the three raw steps that it cannot do without."""

from __future__ import annotations

import asyncio
from pathlib import Path

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.base import vector_store
from agent_memory.storage.sqlite import driver
from agent_memory.text.analysis import query_terms
from benchmarks.measure import calls
from benchmarks.texts import QUERIES, sentences

MEMORIES = 10_000
RUNS = 200
TARGET = 1.35


def run(folder: Path) -> list[dict[str, object]]:
    """Measure over one file of 10,000 memories, and the same vectors and words in raw tables."""
    path = folder / "search.db"
    with SyncAgentMemory("bench", Settings(backend_config={"path": str(path)})) as memory:
        ids = memory.semantic.add_many(sentences(MEMORIES))
        embedder = memory.embedding_provider
        assert embedder is not None
        vectors = asyncio.run(_vectors(memory, ids))
        raw = _raw_tables(vectors)
        ours = calls(lambda number: memory.search(QUERIES[number % len(QUERIES)]), runs=RUNS)
        loop = asyncio.new_event_loop()
        asked = [loop.run_until_complete(embedder.embed_query(query)) for query in QUERIES]
        embed = calls(
            lambda number: loop.run_until_complete(embedder.embed_query(QUERIES[number % len(QUERIES)])),
            runs=RUNS,
        )
        loop.close()
    nearest = calls(
        lambda number: raw.execute(
            "select rowid, distance from vec where embedding match ? and k = 10",
            (asked[number % len(asked)],),
        ).fetchall(),
        runs=RUNS,
    )
    matches = [" OR ".join(f'"{term}"' for term in query_terms(query)) for query in QUERIES]
    words = calls(
        lambda number: raw.execute(
            "select rowid, rank from words where words match ? order by rank limit 50",
            (matches[number % len(matches)],),
        ).fetchall(),
        runs=RUNS,
    )
    floor = embed + nearest + words
    return [
        {
            "what": f"hybrid search over {MEMORIES:,} memories, warm",
            "ms": round(1000 * ours, 2),
            "compared with": (
                f"embed {1000 * embed:.2f} + raw KNN {1000 * nearest:.2f} + raw FTS5 {1000 * words:.2f} ms"
            ),
            "ratio": round(ours / floor, 2),
            "target": f"<= {TARGET}",
            "met": ours / floor <= TARGET,
        }
    ]


async def _vectors(memory: SyncAgentMemory, ids: list[str]) -> list[bytes]:
    from agent_memory import AgentMemory

    path = str(memory.backend.settings["path"])
    async with AgentMemory(None, Settings(backend_config={"path": path})) as reader:
        vectors = await vector_store(reader.backend).vectors(ids)
    return [vectors[memory_id][0] for memory_id in ids]


def _raw_tables(vectors: list[bytes]) -> driver.Connection:
    connection = driver.connect(":memory:")
    driver.load_vector_extension(connection)
    size = len(vectors[0]) // 4
    connection.execute(f"create virtual table vec using vec0(embedding float[{size}] distance_metric=cosine)")
    connection.executemany("insert into vec(rowid, embedding) values (?, ?)", enumerate(vectors, 1))
    connection.execute("create virtual table words using fts5(text, tokenize='porter unicode61')")
    connection.executemany("insert into words(rowid, text) values (?, ?)", enumerate(sentences(MEMORIES), 1))
    return connection
