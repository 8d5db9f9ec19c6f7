"""`python -m benchmarks.size PATH ...`: search in 10,000, 100,000 and 1,000,000 memories, as ratios in one run."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent_memory import SyncAgentMemory, __version__
from agent_memory.embeddings.registry import create_embedder
from agent_memory.settings import Settings
from benchmarks.measure import BIN, commands, machine
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.size import workers
from benchmarks.size.corpus import Corpus, collect
from benchmarks.size.workers import RARE, Worker

SIZES = (10_000, 100_000, 1_000_000)
RESULTS = Path(__file__).parents[1] / "results" / "size.json"
MEGABYTE = 1_000_000
QUESTION = "how do I get over the loss of a friend"


def main() -> int:
    """Read the arguments, fill what is not there yet, and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.size", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="question sets, as for benchmarks.recall")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="how many memories")
    parser.add_argument("--questions", type=int, default=100, help="how many questions are asked")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/recall/vectors.db"), help="vectors kept between runs"
    )
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are there")
    options = parser.parse_args()
    corpus = asyncio.run(_corpus(options.paths, options.cache))
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
        rows = _all(corpus, options.sizes, options.folder, options.questions)
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = _all(corpus, options.sizes, Path(folder), options.questions)
    report = {"version": __version__, "machine": machine(), "rows": rows}
    if tuple(options.sizes) == SIZES:
        RESULTS.write_text(json.dumps(report, indent=1) + "\n")
        print(f"written to {RESULTS.name}")
    return 0


async def _corpus(paths: list[Path], cache: Path) -> Corpus:
    inner = create_embedder("local", {})
    assert inner is not None
    with CachedEmbedder(inner, cache) as embedder:
        await embedder.prepare()
        return await collect(paths, embedder)


def _all(corpus: Corpus, sizes: list[int], folder: Path, questions: int) -> list[dict[str, Any]]:
    rows = []
    files = {size: fill(corpus, size, folder / f"{size}.db") for size in sizes}
    for size, path in files.items():
        row = measure(corpus, size, path, questions)
        rows.append(row)
        print("\n".join(f"  {name}: {value}" for name, value in row.items()), flush=True)
    cold = {
        str(size): [str(BIN / "agentmem"), "--db", str(path), "recall", QUESTION]
        for size, path in files.items()
    }
    for row, seconds in zip(rows, commands(cold).values(), strict=True):
        row["cold recall, ms"] = _ms(seconds)
    for before, after in pairwise(rows):
        print(
            f"from {before['memories']:,} to {after['memories']:,}: search"
            f" x {after['search, ms'] / before['search, ms']:.2f},"
            f" FTS5 x {after['FTS5, ms'] / before['FTS5, ms']:.2f},"
            f" cold recall x {after['cold recall, ms'] / before['cold recall, ms']:.2f}"
        )
    return rows


def fill(corpus: Corpus, count: int, path: Path) -> Path:
    """Store so many memories in a file, unless it is there already."""
    done = path.with_suffix(".ids")
    if done.exists():
        return path
    path.unlink(missing_ok=True)
    ids: list[str] = []
    begun = time.perf_counter()
    with SyncAgentMemory("size", Settings(backend_config={"path": str(path)})) as memory:
        for part in corpus.parts(count):
            items = [
                {
                    "type": "long_term",
                    "content": text,
                    "embedding": vector,
                    "tags": [RARE] if (len(ids) + place) % 100 == 0 else [],
                }
                for place, (text, vector) in enumerate(zip(part.texts, part.vectors, strict=True))
            ]
            ids += memory.add_many(items)
            rate = len(ids) / (time.perf_counter() - begun)
            print(f"\rstored {len(ids):,} of {count:,}, {rate:,.0f} a second", end="", flush=True)
    print()
    done.write_text("\n".join(ids))
    return path


def measure(corpus: Corpus, count: int, path: Path, questions: int) -> dict[str, Any]:
    """Ask questions of the library, of a scan of all vectors and of FTS5 by turns."""
    places = {part: place for place, part in enumerate(path.with_suffix(".ids").read_text().split())}
    times: dict[str, list[float]] = {name: [] for name in ("search", "embed", "scan", "FTS5", "filtered")}
    agreeing = filtered = 0
    with (
        Worker(workers.library, path) as library,
        Worker(workers.scan, corpus, count) as scan,
        Worker(workers.words, path) as words,
    ):

        def ask(query: str, note: bool) -> None:
            nonlocal agreeing, filtered
            _, search = library.call("search", query)
            vector, embed = library.call("embed", query)
            best, scanned = scan.call("best", vector)
            _, fts = words.call("best", query)
            _, rare = library.call("search", query, RARE)
            if note:
                for name, value in zip(times, (search, embed, scanned, fts, rare), strict=True):
                    times[name].append(value)
                agreeing += _agreeing(library, scan, vector, best, places, None)
                rare_best, _ = scan.call("best", vector, 100)
                filtered += _agreeing(library, scan, vector, rare_best, places, RARE)

        asked = corpus.questions[:questions]
        _read_through(path)
        for query in asked[:5]:
            ask(query, note=False)
        for query in asked:
            ask(query, note=True)
        peak = library.peak
    middle = {name: statistics.median(item) for name, item in times.items()}
    floor = middle["embed"] + middle["scan"] + middle["FTS5"]
    return {
        "memories": count,
        **{f"{name}, ms": _ms(value) for name, value in middle.items()},
        "search / (embed + scan + FTS5)": round(middle["search"] / floor, 2),
        "filtered / search": round(middle["filtered"] / middle["search"], 2),
        "recall@10": round(agreeing / (10 * len(asked)), 4),
        "recall@10, filtered": round(filtered / (10 * len(asked)), 4),
        "peak memory, MB": round(peak / MEGABYTE),
        "bytes per memory": round(path.stat().st_size / count),
    }


def _read_through(path: Path) -> None:
    """Have the whole file in the system's cache, as the scan has its vectors in memory."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _agreeing(
    library: Worker,
    scan: Worker,
    vector: bytes,
    best: list[tuple[int, float]],
    places: dict[str, int],
    tag: str | None,
) -> int:
    """Count how many of the ten that the library finds by meaning are as near as the ten nearest."""
    ours, _ = library.call("nearest", vector, tag)
    cosines, _ = scan.call("cosines", vector, [places[our] for our in ours])
    return sum(cosine >= best[-1][1] - 1e-6 for cosine in cosines)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 2)


if __name__ == "__main__":
    sys.exit(main())
