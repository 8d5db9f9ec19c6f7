"""`python -m benchmarks.peers --chroma PYTHON`: ingestion, cold start, warm query and size beside chromadb's.

PYTHON is an interpreter that has chromadb installed; it is no dependency of this project.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory import AgentMemory
from agent_memory.embeddings.registry import create_embedder
from agent_memory.settings import Settings
from agent_memory.storage.base import vector_store
from agent_memory.storage.where import Where
from agent_memory.vectors import Vector
from benchmarks.measure import BIN, command
from benchmarks.texts import QUERIES, sentences

MEMORIES = 10_000
COLD = Path(__file__).with_name("cold.py")
PEER = Path(__file__).with_name("chroma.py")


def main() -> None:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--chroma", type=Path, required=True, metavar="PYTHON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, asked = asyncio.run(_vectors())
        ours = asyncio.run(_ours(Path(folder) / "ours.db", rows, asked))
        theirs = _theirs(str(options.chroma), Path(folder), rows, asked)
    print(f"{MEMORIES:,} short facts with the same vectors")
    print(f"{'':34}{'agentmem':>12}{'chromadb':>12}")
    for name, value in ours.items():
        print(f"{name:34}{value:>12,.2f}{theirs[name]:>12,.2f}")


async def _vectors() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    embedder = create_embedder("local", {})
    assert embedder is not None
    await embedder.prepare()
    texts = sentences(MEMORIES)
    vectors = [segments[0] for segments in await embedder.embed_documents(texts)]
    rows = [
        {"id": str(number), "text": text, "vector": np.frombuffer(vector, "<f4").tolist()}
        for number, (text, vector) in enumerate(zip(texts, vectors, strict=True))
    ]
    asked = [
        {"text": text, "vector": np.frombuffer(await embedder.embed_query(text), "<f4").tolist()}
        for text in QUERIES * 12
    ]
    return rows, asked


async def _ours(path: Path, rows: list[dict[str, Any]], asked: list[dict[str, Any]]) -> dict[str, float]:
    begun = time.perf_counter()
    async with AgentMemory("peers", Settings(backend_config={"path": str(path)})) as memory:
        await memory.add_many(
            [{"type": "long_term", "content": row["text"], "embedding": row["vector"]} for row in rows]
        )
    stored = time.perf_counter() - begun
    async with AgentMemory("peers", Settings(backend_config={"path": str(path)})) as memory:
        warm, whole = [], []
        for row in asked:
            vector = Vector(np.asarray(row["vector"], "<f4").tobytes())
            begun = time.perf_counter()
            nearest = await vector_store(memory.backend).by_vector(vector, Where(), 10)
            await memory.backend.get([id for id, _ in nearest])
            warm.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            await memory.search(row["text"], limit=10)
            whole.append(time.perf_counter() - begun)
    first = path.with_name("first.json")
    first.write_text(json.dumps(asked[0]["vector"]))
    return {
        "ingestion, s": stored,
        "cold: open and first answer, ms": 1000
        * command([sys.executable, str(COLD), str(path), str(first)], runs=5),
        "cold hybrid command, ms": 1000
        * command([str(BIN / "agentmem"), "--db", str(path), "search", QUERIES[0]], runs=5),
        "warm query by vector, ms": 1000 * statistics.median(warm[1:]),
        "warm hybrid search, ms": 1000 * statistics.median(whole[1:]),
        "bytes per memory": path.stat().st_size / len(rows),
    }


def _theirs(
    python: str, folder: Path, rows: list[dict[str, Any]], asked: list[dict[str, Any]]
) -> dict[str, float]:
    store = folder / "chroma"
    for name, values in (("rows", rows), ("asked", asked), ("one", asked[:1] * 2)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, values)))
    filled = _run(python, "fill", store, folder / "rows.jsonl")
    cold = 1000 * command([python, str(PEER), "query", str(store), str(folder / "one.jsonl")], runs=5)
    queried = _run(python, "query", store, folder / "asked.jsonl")
    size = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    missing = float("nan")
    return {
        "ingestion, s": filled["fill"],
        "cold: open and first answer, ms": cold,
        "cold hybrid command, ms": missing,
        "warm query by vector, ms": 1000 * queried["warm"],
        "warm hybrid search, ms": missing,
        "bytes per memory": size / len(rows),
    }


def _run(python: str, what: str, store: Path, file: Path) -> dict[str, float]:
    done = subprocess.run(
        [python, str(PEER), what, str(store), str(file)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
