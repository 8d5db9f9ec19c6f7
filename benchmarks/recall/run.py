"""Asking every question of every system, and keeping what each answered."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchmarks.recall import calibration, metrics
from benchmarks.recall.baselines import Baselines
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.calibration import Judged
from benchmarks.recall.product import NAME, Answer, Product, Setup
from benchmarks.recall.questions import Agent, Question, QuestionSet
from benchmarks.recall.shown import Shown

KEPT = 20
"""Ranked ids that are written down for each question."""


@dataclass
class Results:
    """What came of one question set."""

    name: str
    scores: dict[tuple[str, str], dict[str, dict[str, float]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    """By level and system, for each question that has an answer, its scores."""
    categories: dict[str, str] = field(default_factory=dict)
    tokens: list[int] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    bytes: int = 0
    memories: int = 0
    relevance: dict[str, float] = field(default_factory=dict)
    """The best memory's, for every question, answerable or not."""
    judged: list[Judged] = field(default_factory=list)
    """Every result of the library that may be an answer."""
    most_relevant: list[Judged] = field(default_factory=list)
    """Of each question the most relevant of them."""
    shown: Shown = field(default_factory=Shown)
    """What recalls showed."""
    unanswerable: set[str] = field(default_factory=set)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Return the means, one row per level, system and category, all of them first."""
        for (level, system), by_question in self.scores.items():
            groups: dict[str, list[str]] = {"all": list(by_question)}
            for question in by_question:
                groups.setdefault(self.categories[question], []).append(question)
            for category, questions in groups.items():
                rows = [by_question[question] for question in questions]
                low, high = metrics.interval([result["ndcg@10"] for result in rows])
                yield {
                    "set": self.name,
                    "level": level,
                    "system": system,
                    "category": category,
                    "questions": len(rows),
                    **{name: round(100 * value, 1) for name, value in metrics.means(rows).items()},
                    "ndcg@10 interval": [round(100 * low, 1), round(100 * high, 1)],
                }

    def calibration(self) -> dict[str, Any]:
        """Return the reliability tables, of all results and of each question's most relevant one."""
        return {
            "set": self.name,
            "all": calibration.table(self.judged),
            "best": calibration.table(self.most_relevant),
        }

    def costs(self) -> dict[str, Any]:
        """Return what the library took for it."""
        return {
            "set": self.name,
            "tokens of the first 10": round(statistics.mean(self.tokens or [0])),
            "ms per question": round(statistics.median(self.milliseconds or [0]), 1),
            "bytes per memory": round(self.bytes / max(self.memories, 1)),
        }


async def run(
    questions: QuestionSet,
    embedder: CachedEmbedder,
    lines: TextIO,
    *,
    baselines: bool = True,
    setup: Setup = Setup(),  # noqa: B008 - it is frozen
    progress: bool = True,
) -> Results:
    """Ask everything; `lines` gets one JSON object per question and system."""
    results = Results(questions.name)
    begun = time.monotonic()
    for number, agent in enumerate(questions.agents, 1):
        await _ask_agent(questions, agent, embedder, lines, results, baselines, setup)
        if progress:
            seconds = time.monotonic() - begun
            print(
                f"\r{questions.name}: {number} of {len(questions.agents)} agents, {seconds:.0f} s",
                end="",
                flush=True,
            )
    if progress:
        print()
    return results


async def _ask_agent(
    questions: QuestionSet,
    agent: Agent,
    embedder: CachedEmbedder,
    lines: TextIO,
    results: Results,
    baselines: bool,
    setup: Setup,
) -> None:
    judged = {item.id for item in agent.items if item.judged}
    sessions = {item.id: item.session or "" for item in agent.items}
    plain = Baselines(agent, embedder) if baselines else None
    if plain is not None:
        await plain.open()
    with tempfile.TemporaryDirectory() as folder:
        product = Product(agent, embedder, Path(folder), setup)
        await product.open()
        for question in agent.questions:
            answer = await product.ask(question)
            results.relevance[question.id] = max(answer.relevance, default=0.0)
            results.categories[question.id] = question.category
            if not question.answerable:
                results.unanswerable.add(question.id)
            _judge(question, answer, judged, results)
            results.shown.add(question, await product.shown(question), sessions)
            results.milliseconds.append(1000 * answer.seconds)
            results.tokens.append(answer.tokens)
            rankings = {NAME: answer.ranked}
            if plain is not None and question.answerable:
                rankings |= await plain.rank(question)
            for system, ranked in rankings.items():
                items = [candidate for candidate in ranked if candidate in judged]
                _score(questions, question, system, items, _sessions(ranked, sessions), results)
                lines.write(_line(questions, question, system, items, answer.relevance) + "\n")
        results.memories += product.stored
        await product.close()
        if plain is not None:
            plain.close()
        results.bytes += product.bytes


def _judge(question: Question, answer: Answer, judged: Set[str], results: Results) -> None:
    """Keep what the results say of themselves, unless only sessions are gold: no single item is judged then."""
    if question.gold_sessions and not question.gold:
        return
    candidates = [
        Judged(relevance, item in question.gold)
        for item, relevance in zip(answer.ranked, answer.relevance, strict=True)
        if item in judged
    ]
    results.judged += candidates
    results.most_relevant += sorted(candidates, key=lambda result: -result.relevance)[:1]


def _score(
    questions: QuestionSet,
    question: Question,
    system: str,
    items: Sequence[str],
    sessions: Sequence[str],
    results: Results,
) -> None:
    if question.gold:
        results.scores["item", system][question.id] = metrics.scores(items, question.gold)
    if "session" in questions.levels and question.gold_sessions:
        results.scores["session", system][question.id] = metrics.scores(sessions, question.gold_sessions)


def _sessions(ranked: Sequence[str], sessions: Mapping[str, str]) -> list[str]:
    """Rank sessions by the best of their items."""
    return list(dict.fromkeys(sessions[candidate] for candidate in ranked))


def _line(
    questions: QuestionSet,
    question: Question,
    system: str,
    items: Sequence[str],
    relevance: Sequence[float],
) -> str:
    return json.dumps(
        {
            "set": questions.name,
            "question": question.id,
            "category": question.category,
            "system": system,
            "ranked": list(items[:KEPT]),
            "gold": sorted(question.gold),
            "gold_sessions": sorted(question.gold_sessions),
            **({"relevance": [round(item, 4) for item in relevance[:KEPT]]} if system == NAME else {}),
        },
        ensure_ascii=False,
    )
