"""`python -m benchmarks.recall.sizes FACTS.json`: is it known at every size of a store when nothing answers?

FACTS.json has `facts` (`id`, `type`, `text`), `answerable` questions (`q`, the `fact` that answers, whether they have
a `shared_word`), `unanswerable` ones (`q`; `near` where they are about something stored) and `coding_prompts`.
Small sizes are many stores, which hold every fact between them; each question is asked once, in a store that holds
its fact. Large sizes are one store, filled up with sentences of other question sets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_memory.embeddings.registry import create_embedder
from benchmarks.recall import calibration, readers
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.calibration import Judged
from benchmarks.recall.product import Answer, Product, Recalled, Setup
from benchmarks.recall.questions import Agent, Item, Question
from benchmarks.size.corpus import REAL, Corpus, collect

SIZES = (6, 30, 300, 3_000)
ENOUGH = 0.92
"""The share of the unanswerable questions that a threshold has to call nothing."""
OTHERS = 200
"""How many questions of other agents are asked."""
KINDS: Mapping[str, Mapping[str, Any]] = {
    "fact": {"type": "fact"},
    "preference": {"type": "fact", "kind": "preference"},
    "event": {"type": "event"},
    "message": {"type": "chat", "role": "user"},
    "skill": {"type": "skill"},
}
"""How each type of the file is stored."""
SHARED, UNSHARED, NEAR = "with a shared word", "without a shared word", "about something stored"
ORDER = (
    "answerable",
    SHARED,
    UNSHARED,
    "unanswerable",
    NEAR,
    "unrelated prompts",
    "questions of other agents",
)
"""The kinds of questions, as they are reported."""


@dataclass(frozen=True)
class Facts:
    """What the file says."""

    items: list[Item]
    answerable: list[Question]
    unanswerable: list[Question]
    prompts: list[Question]


@dataclass
class Outcome:
    """What became of the questions of one kind."""

    questions: int = 0
    called_nothing: int = 0
    """The search said that nothing seems to answer."""
    shown: int = 0
    """A recall showed something because of the question."""
    items_shown: int = 0
    first: int = 0
    """The right memory was first."""
    missed: int = 0
    """The right memory was not among the results at all."""
    left_out: int = 0
    """A recall did not show the right memory, although the search found it."""
    lost: int = 0
    """Called nothing, or the right memory was left out."""

    def add(self, question: Question, answer: Answer, recalled: Recalled) -> None:
        """Note one question."""
        shown = recalled.because
        right = bool(question.gold & {*shown, *recalled.anyway})
        reached = bool(question.gold & set(answer.ranked))
        self.questions += 1
        self.called_nothing += answer.nothing_relevant
        self.shown += bool(shown)
        self.items_shown += len(shown)
        self.first += bool(question.gold & set(answer.ranked[:1]))
        self.missed += bool(question.gold) and not reached
        self.left_out += reached and not right
        self.lost += bool(question.gold) and (answer.nothing_relevant or (reached and not right))

    def report(self) -> dict[str, Any]:
        """Return the number of questions, and shares in percent."""
        count = max(1, self.questions)
        shares = {
            "called nothing": self.called_nothing,
            "something shown": self.shown,
            "right one first": self.first,
            "right one not found": self.missed,
            "right one left out": self.left_out,
            "called nothing or left out": self.lost,
        }
        return {
            "questions": self.questions,
            **{name: round(100 * number / count, 1) for name, number in shares.items()},
            "items shown": round(self.items_shown / count, 2),
        }


@dataclass
class Results:
    """What came of one size."""

    size: int
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    most_relevant: list[Judged] = field(default_factory=list)
    best: dict[str, list[float]] = field(default_factory=dict)
    """By kind of question, the relevance of the most relevant result."""

    def add(self, kind: str, question: Question, answer: Answer, recalled: Recalled) -> None:
        """Note one question."""
        results = [
            Judged(relevance, item in question.gold)
            for item, relevance in zip(answer.ranked, answer.relevance, strict=True)
        ]
        self.judged += results
        self.most_relevant += sorted(results, key=lambda result: -result.relevance)[:1]
        for name in (kind, question.category):
            if name:
                self.best.setdefault(name, []).append(max(answer.relevance, default=0.0))
                self.outcomes.setdefault(name, Outcome()).add(question, answer, recalled)

    def report(self) -> dict[str, Any]:
        """Return the shares of each kind of question."""
        return {
            "memories": self.size,
            **{name: self.outcomes[name].report() for name in ORDER if name in self.outcomes},
        }

    def ceilings(self) -> dict[str, float]:
        """Return `ceiling` of each kind of answered question."""
        return {name: self.ceiling(name) for name in ("answerable", SHARED, UNSHARED) if name in self.best}

    def ceiling(self, kind: str) -> float:
        """Return the share in percent of a kind of question that must be called nothing for `ENOUGH` to be.

        It is what a threshold of relevance would do that was chosen on these very questions: no other does better.
        """
        none, asked = sorted(self.best.get("unanswerable", ())), self.best.get(kind, ())
        if not none or not asked:
            return 0.0
        threshold = none[min(len(none) - 1, math.ceil(ENOUGH * len(none)) - 1)]
        return round(100 * sum(relevance <= threshold for relevance in asked) / len(asked), 1)

    def calibration(self) -> dict[str, Any]:
        """Return the reliability tables, as the diagram reads them."""
        return {
            "set": f"{self.size:,} memories",
            "all": calibration.table(self.judged),
            "best": calibration.table(self.most_relevant),
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall.sizes", description=__doc__)
    parser.add_argument("facts", type=Path, metavar="FACTS.json")
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="how many memories")
    parser.add_argument(
        "--filler", nargs="+", type=Path, default=[], help="question sets whose sentences fill large stores"
    )
    parser.add_argument(
        "--real",
        type=int,
        default=REAL,
        help="sentences of them that are embedded at most; beyond it mixtures of two fill the store",
    )
    parser.add_argument(
        "--others", nargs="+", type=Path, default=[], help="question sets whose questions are asked as well"
    )
    parser.add_argument("--limit", type=int, help="only the first N questions of each kind")
    parser.add_argument("--out", type=Path, default=Path("build/recall/sizes.json"), help="the results")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/recall/vectors.db"), help="vectors kept between runs"
    )
    parser.add_argument("--provider", default="local", help="the embedder: local, or one that is installed")
    asyncio.run(_run(parser.parse_args(arguments)))


async def _run(options: argparse.Namespace) -> None:
    inner = create_embedder(options.provider, {})
    if inner is None:
        raise SystemExit("a run needs an embedder")
    with CachedEmbedder(inner, options.cache) as embedder:
        await embedder.prepare()
        await _measure_all(options, embedder)


async def _measure_all(options: argparse.Namespace, embedder: CachedEmbedder) -> None:
    facts = read(options.facts, options.limit)
    others = _questions_of(options.others)[: options.limit]
    wanted = max(options.sizes) - len(facts.items)
    corpus = None
    if wanted > 0:
        if not options.filler:
            raise SystemExit(f"{wanted:,} more memories are needed: name question sets with --filler")
        corpus = await collect(options.filler, embedder, min(options.real, wanted))
    results = []
    for size in options.sizes:
        result = await measure(facts, size, embedder, corpus, others)
        print("\n".join(lines(result)) + "\n", flush=True)
        results.append(result)
    report = {
        "sizes": [result.report() for result in results],
        "called nothing by the best threshold": [result.ceilings() for result in results],
        "calibration": [result.calibration() for result in results],
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"written to {options.out}; {embedder.missed} texts embedded anew")


def read(path: Path, limit: int | None = None) -> Facts:
    """Read the file with facts and questions.

    Args:
        path: the file.
        limit: at most that many questions of each kind; all facts are read.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    return Facts(
        items=[_item(fact) for fact in data["facts"]],
        answerable=[
            Question(
                id=f"answerable-{number}",
                text=entry["q"],
                gold=frozenset({entry["fact"]}),
                category=SHARED if entry["shared_word"] else UNSHARED,
            )
            for number, entry in enumerate(data["answerable"][:limit])
        ],
        unanswerable=[
            Question(
                id=f"unanswerable-{number}",
                text=entry["q"],
                gold=frozenset(),
                category=NEAR if entry.get("near") else "",
            )
            for number, entry in enumerate(data["unanswerable"][:limit])
        ],
        prompts=[
            Question(id=f"prompt-{number}", text=text, gold=frozenset())
            for number, text in enumerate(data["coding_prompts"][:limit])
        ],
    )


def _item(fact: Mapping[str, Any]) -> Item:
    arguments = {**KINDS[fact["type"]], "content": fact["text"], "force": True}
    return Item(id=fact["id"], text=fact["text"], arguments=arguments)


def _questions_of(paths: Sequence[Path]) -> list[Question]:
    """Return questions of other agents, evenly from all sets."""
    texts = list(
        dict.fromkeys(question.text for path in paths for _, question in readers.read(path).questions())
    )
    step = max(1, len(texts) // OTHERS)
    return [
        Question(id=f"other-{number}", text=text, gold=frozenset())
        for number, text in enumerate(texts[::step][:OTHERS])
    ]


async def measure(
    facts: Facts,
    size: int,
    embedder: CachedEmbedder,
    corpus: Corpus | None,
    others: Sequence[Question] = (),
) -> Results:
    """Ask everything in stores of one size."""
    stores = list(_stores(facts.items, size, corpus))
    home = {item.id: number for number, store in reversed(list(enumerate(stores))) for item in store}
    result = Results(size)
    for number, items in enumerate(stores):
        asked = [
            *(("answerable", item) for item in facts.answerable if home[next(iter(item.gold))] == number),
            *(("unanswerable", item) for item in facts.unanswerable[number :: len(stores)]),
            *(("unrelated prompts", item) for item in facts.prompts[number :: len(stores)]),
            *(("questions of other agents", item) for item in others[number :: len(stores)]),
        ]
        with tempfile.TemporaryDirectory() as folder:
            agent = Agent(id=f"store-{number}", items=items, questions=[])
            product = Product(agent, embedder, Path(folder), Setup())
            await product.open()
            for kind, question in asked:
                answer = await product.ask(question)
                result.add(kind, question, answer, await product.recalled(question))
            await product.close()
        print(f"\r{size:,} memories: {number + 1} of {len(stores)} stores", end="", flush=True)
    print()
    return result


def _stores(items: Sequence[Item], size: int, corpus: Corpus | None) -> Iterator[list[Item]]:
    """Share the facts out to stores of one size, or fill up one store with all of them."""
    mixed = list(items)
    random.Random(7).shuffle(mixed)
    if size < len(mixed):
        for start in range(0, len(mixed), size):
            # The last store takes some of the one before it, so that all are of one size.
            start = min(start, len(mixed) - size)
            yield mixed[start : start + size]
        return
    if corpus is not None:
        mixed += _filler(corpus, size - len(mixed))
        random.Random(7).shuffle(mixed)
    yield mixed


def _filler(corpus: Corpus, count: int) -> Iterator[Item]:
    number = 0
    for part in corpus.parts(count):
        for text, vector in zip(part.texts, part.vectors, strict=True):
            arguments = {"type": "fact", "content": text, "embedding": vector, "force": True}
            yield Item(id=f"filler-{number}", text=text, arguments=arguments)
            number += 1


def lines(result: Results) -> Iterator[str]:
    """Write the shares for people."""
    heads = list(Outcome().report())
    yield f"{f'{result.size:,} memories, %':34}" + "  ".join(heads)
    report = result.report()
    for name in ORDER:
        if name not in report:
            continue
        figures = report[name]
        yield f"{name:34}" + "  ".join(f"{figures[head]:>{len(head)}}" for head in heads)
    told = ", ".join(f"{name} {share}" for name, share in result.ceilings().items())
    yield f"a threshold chosen here that calls {ENOUGH:.0%} of the unanswerable nothing calls so: {told}"
    yield from calibration.lines(calibration.table(result.most_relevant), "the most relevant result")


if __name__ == "__main__":
    main()
