"""Whether what an agent knows nothing about is told from what it can answer.

Questions of other agents, and prompts that have nothing to do with any of them, are put to each agent's memory.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.recall import calibration
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.calibration import Judged
from benchmarks.recall.product import Answer, Product, Setup
from benchmarks.recall.questions import Agent, Question, QuestionSet

FALSE_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
EVERY = 3
"""Of the other agents' questions every third is asked, of each of them."""
AGENTS_PER_PROMPT = 10
"""How many agents each unrelated prompt is put to at most."""


@dataclass
class Asked:
    """Questions of one kind: the relevance of the best memory for each, and what was made of it."""

    best: list[float] = field(default_factory=list)
    called_empty: int = 0
    """How many searches said that nothing seems to answer."""
    shown: int = 0
    """How many recalls showed something because of the question."""
    shown_items: int = 0

    def add(self, answer: Answer, shown: Sequence[str]) -> None:
        """Note one question."""
        self.best.append(max(answer.relevance, default=0.0))
        self.called_empty += answer.nothing_relevant
        self.shown += bool(shown)
        self.shown_items += len(shown)

    def report(self) -> dict[str, Any]:
        """Return the shares, in percent."""
        count = max(1, len(self.best))
        return {
            "questions": len(self.best),
            "called empty": round(100 * self.called_empty / count, 1),
            "something shown": round(100 * self.shown / count, 1),
            "items shown": round(self.shown_items / count, 2),
        }


@dataclass
class Results:
    """What came of one question set."""

    name: str
    answerable: Asked = field(default_factory=Asked)
    cross_agent: Asked = field(default_factory=Asked)
    prompts: Asked = field(default_factory=Asked)
    judged: list[Judged] = field(default_factory=list)
    """Every result of all of them; those of strangers and prompts are never gold."""

    def kinds(self) -> dict[str, Asked]:
        """Return the kinds of questions that were asked, by what to call them."""
        kinds = {
            "with an answer": self.answerable,
            "of other agents": self.cross_agent,
            "unrelated prompts": self.prompts,
        }
        return {name: asked for name, asked in kinds.items() if asked.best}

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        kinds = {name: asked.report() for name, asked in self.kinds().items()}
        return {"set": self.name, **kinds, "calibration": calibration.table(self.judged)}


def read_prompts(path: Path) -> list[str]:
    """Read unrelated prompts: a JSON list of texts, or an object with such a list as `coding_prompts`."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return [str(prompt) for prompt in (data["coding_prompts"] if isinstance(data, dict) else data)]


async def measure(questions: QuestionSet, embedder: CachedEmbedder, prompts: Sequence[str] = ()) -> Results:
    """Put each agent's questions to its own memory, and some of the others' and the prompts as well."""
    result = Results(questions.name)
    step = max(1, len(questions.agents) // AGENTS_PER_PROMPT)
    for number, agent in enumerate(questions.agents, 1):
        with tempfile.TemporaryDirectory() as folder:
            product = Product(agent, embedder, Path(folder), Setup())
            await product.open()
            for question in agent.questions:
                if question.answerable:
                    await _ask(product, question, agent.asked_at, result.answerable, result)
            # At the time at which this agent's own questions are asked; the last of them, where each has its own.
            moment = agent.asked_at or (agent.questions[-1].asked_at if agent.questions else None)
            for question in _others(questions, agent):
                await _ask(product, question, moment, result.cross_agent, result)
            for place, prompt in enumerate(prompts):
                if place % step == number % step:
                    question = Question(id=f"prompt-{place}", text=prompt, gold=frozenset())
                    await _ask(product, question, moment, result.prompts, result)
            await product.close()
        print(
            f"\r{questions.name}, strangers: {number} of {len(questions.agents)} agents", end="", flush=True
        )
    print()
    return result


def _others(questions: QuestionSet, agent: Agent) -> Iterable[Question]:
    for other in questions.agents:
        if other is not agent:
            for question in other.questions[:: EVERY if len(other.questions) > 1 else 1]:
                yield replace(question, stored=None, tags=(), gold=frozenset(), gold_sessions=frozenset())


async def _ask(
    product: Product, question: Question, moment: datetime | None, asked: Asked, result: Results
) -> None:
    answer = await product.ask(question, moment)
    asked.add(answer, await product.shown(question, moment))
    if question.gold or not question.gold_sessions:
        result.judged += [
            Judged(relevance, item in question.gold)
            for item, relevance in zip(answer.ranked, answer.relevance, strict=True)
        ]


def lines(results: Results) -> Iterable[str]:
    """Write the shares, and the curve: called empty among those with an answer, and among the strangers'."""
    for name, asked in results.kinds().items():
        report = asked.report()
        yield (
            f"{report['questions']} {name}: {report['called empty']} % called empty (nothing_relevant); a recall"
            f" shows something for {report['something shown']} %, {report['items shown']} items on average"
        )
    yield from calibration.lines(calibration.table(results.judged), "the results of all of these")
    ranked = sorted(results.answerable.best)
    strangers = [*results.cross_agent.best, *results.prompts.best]
    for share in FALSE_SHARES if ranked else ():
        least = ranked[int(share * len(ranked))]
        wrong, right = (100 * _below(least, values) for values in (ranked, strangers))
        yield f"below {least:.3f}: {wrong:5.1f} % wrongly called empty, {right:5.1f} % rightly"


def _below(least: float, values: Sequence[float]) -> float:
    return sum(value < least for value in values) / max(1, len(values))
