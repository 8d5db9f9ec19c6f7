"""`python -m benchmarks.backends.agreement PATH ...`: does every backend find what SQLite finds?

Each question set is asked of each backend: of those with full text by words and meaning, of the others by meaning
alone, beside SQLite doing the same.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from pathlib import Path

from agent_memory.embeddings.registry import create_embedder
from agent_memory.recall.query import Mode
from benchmarks.backends.servers import NAMES, VECTORS_ONLY, served
from benchmarks.recall import readers
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.product import Setup
from benchmarks.recall.questions import QuestionSet
from benchmarks.recall.run import run


async def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backends.agreement", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="the authors' own files")
    parser.add_argument("--cache", type=Path, default=Path("build/recall/vectors.db"))
    parser.add_argument("--backends", nargs="*", default=NAMES)
    parser.add_argument("--limit", type=int, help="only the first N agents of each set")
    options = parser.parse_args()
    inner = create_embedder("local", {})
    assert inner is not None
    options.cache.parent.mkdir(parents=True, exist_ok=True)
    with CachedEmbedder(inner, options.cache) as embedder:
        await embedder.prepare()
        await _compare(options, embedder)


async def _compare(options: argparse.Namespace, embedder: CachedEmbedder) -> None:
    for path in options.paths:
        questions = readers.read(path, options.limit)
        print(f"{'backend':<20}{'mode':<10}{'recall@10':>10}{'nDCG@10':>10}{'ms':>8}")
        for name in options.backends:
            modes: tuple[Mode, ...] = ("vector",) if name in VECTORS_ONLY else ("hybrid",)
            for mode in ("hybrid", "vector") if name == "sqlite" else modes:
                await _row(questions, embedder, name, mode)


async def _row(questions: QuestionSet, embedder: CachedEmbedder, name: str, mode: Mode) -> None:
    with served(name) as server:
        setup = Setup(backend=server.backend, options=server.options, mode=mode)
        results = await run(questions, embedder, io.StringIO(), baselines=False, setup=setup, progress=False)
    row = next(item for item in results.rows() if item["category"] == "all" and item["level"] == "item")
    ms = results.costs()["ms per question"]
    print(f"{name:<20}{mode:<10}{row['recall@10']:>10}{row['ndcg@10']:>10}{ms:>8}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
