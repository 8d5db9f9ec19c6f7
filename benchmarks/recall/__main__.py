"""`python -m benchmarks.recall PATH ...`: ask public question sets, print a table, and write everything down."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent_memory.embeddings.registry import create_embedder
from benchmarks.recall import calibration, cross_agent, packing, readers
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.product import TOKENS, Setup
from benchmarks.recall.run import Results, run

SHOWN = ("ndcg@10", "mrr", "any@1", "any@5", "any@10", "any@20", "all@5", "all@10", "all@20", "recall@10")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__)
    parser.add_argument("paths", nargs="+", type=Path, help="the authors' own files, or BEIR folders")
    parser.add_argument("--out", type=Path, default=Path("build/recall"), help="where the results go")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/recall/vectors.db"), help="vectors kept between runs"
    )
    parser.add_argument("--limit", type=int, help="only the first N agents of each set")
    parser.add_argument("--provider", default="local", help="the embedder: local, or one that is installed")
    parser.add_argument("--no-baselines", action="store_true", help="only the library itself")
    parser.add_argument("--packed", action="store_true", help="measure packed recalls as well")
    parser.add_argument(
        "--strangers",
        dest="cross_agent",
        action="store_true",
        help="put questions to the wrong agents as well",
    )
    parser.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="with --strangers: a JSON list of unrelated prompts to put to each agent too",
    )
    parser.add_argument(
        "--rerank",
        metavar="MODEL|FOLDER",
        nargs="?",
        const=TOKENS,
        help="order the best 50 anew: as the library does by itself, or by this cross-encoder, which has to be here",
    )
    parser.add_argument("--categories", action="store_true", help="print each category too")
    asyncio.run(_run(parser.parse_args(arguments)))


async def _run(options: argparse.Namespace) -> None:
    inner = create_embedder(options.provider, {})
    if inner is None:
        raise SystemExit("a run needs an embedder")
    with CachedEmbedder(inner, options.cache) as embedder:
        await embedder.prepare()
        await _measure(options, embedder)


async def _measure(options: argparse.Namespace, embedder: CachedEmbedder) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    prompts = cross_agent.read_prompts(options.prompts) if options.prompts else []
    results, strangers = [], []
    with (options.out / "questions.jsonl").open("w", encoding="utf-8") as lines:
        for path in options.paths:
            questions = readers.read(path, options.limit)
            measured = await run(
                questions,
                embedder,
                lines,
                baselines=not options.no_baselines,
                setup=Setup(rerank=options.rerank or ""),
            )
            print(table(measured.rows(), categories=options.categories))
            print("  ".join(f"{name} {value}" for name, value in measured.costs().items()))
            print(measured.shown.line())
            figures = measured.calibration()
            for part, title in (("all", "all results"), ("best", "the most relevant result")):
                print("".join(f"{line}\n" for line in calibration.lines(figures[part], title)), end="")
            print(flush=True)
            if options.packed:
                print("\n".join(packing.lines(await packing.measure(questions, embedder))) + "\n", flush=True)
            if options.cross_agent:
                told = await cross_agent.measure(questions, embedder, prompts)
                strangers.append(told)
                print("\n".join(cross_agent.lines(told)) + "\n", flush=True)
            results.append(measured)
    _write(options.out, results, strangers)
    print(f"written to {options.out}/recall.json and questions.jsonl; {embedder.missed} texts embedded anew")


def table(rows: Iterable[Mapping[str, Any]], *, categories: bool = False) -> str:
    """Write the means as a table for people."""
    shown = [row for row in rows if categories or row["category"] == "all"]
    heads = ("level", "system", *(("category",) if categories else ()), "questions", *SHOWN, "interval")
    cells = [list(heads)]
    for row in shown:
        low, high = row["ndcg@10 interval"]
        cells.append([str(row[name]) for name in heads[:-1]] + [f"{low}-{high}"])
    return "\n".join(_aligned(cells))


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _write(folder: Path, results: Sequence[Results], strangers: Sequence[cross_agent.Results]) -> None:
    report = {
        "scores": [row for result in results for row in result.rows()],
        "costs": [result.costs() for result in results],
        "shown": [{"set": result.name, **result.shown.report()} for result in results],
        "calibration": [result.calibration() for result in results],
        "strangers": [result.report() for result in strangers],
    }
    (folder / "recall.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
