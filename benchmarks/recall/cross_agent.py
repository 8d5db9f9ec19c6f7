"""Whether questions that are put to the wrong agent's memory are told from those that it can answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from agent_memory.recall.constants import NOTHING_RELEVANT
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.product import Product, Setup
from benchmarks.recall.questions import Agent, Question, QuestionSet

FALSE_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2)
EVERY = 3
"""Of the other agents' questions every third is asked, of each of them."""


class Relevance(NamedTuple):
    """The relevance of the best memory for each question."""

    answerable: list[float]
    cross_agent: list[float]


async def measure(questions: QuestionSet, embedder: CachedEmbedder) -> Relevance:
    """Put each agent's questions to its own memory, and some of the others' as well."""
    result = Relevance([], [])
    for number, agent in enumerate(questions.agents, 1):
        with tempfile.TemporaryDirectory() as folder:
            product = Product(agent, embedder, Path(folder), Setup())
            await product.open()
            for question in agent.questions:
                if question.answerable:
                    answer = await product.ask(question, agent.asked_at)
                    result.answerable.append(max(answer.relevance, default=0.0))
            # At the time at which this agent's own questions are asked; the last of them, where each has its own.
            moment = agent.asked_at or (agent.questions[-1].asked_at if agent.questions else None)
            for other in questions.agents:
                for question in _some(other) if other is not agent else ():
                    answer = await product.ask(replace(question, stored=None, tags=()), moment)
                    result.cross_agent.append(max(answer.relevance, default=0.0))
            await product.close()
        print(
            f"\r{questions.name}, strangers: {number} of {len(questions.agents)} agents", end="", flush=True
        )
    print()
    return result


def _some(agent: Agent) -> Sequence[Question]:
    return agent.questions[:: EVERY if len(agent.questions) > 1 else 1]


def lines(found: Relevance) -> Iterable[str]:
    """Write the curve: called empty among those with an answer, and among the strangers'."""
    ranked = sorted(found.answerable)
    yield f"{len(ranked)} questions with an answer, {len(found.cross_agent)} put to somebody else's memory"
    for share in FALSE_SHARES if ranked else ():
        yield _line(ranked[int(share * len(ranked))], found)
    yield _line(NOTHING_RELEVANT, found) + "  (nothing_relevant)"


def _line(least: float, found: Relevance) -> str:
    wrong = sum(item < least for item in found.answerable) / max(1, len(found.answerable))
    right = sum(item < least for item in found.cross_agent) / max(1, len(found.cross_agent))
    return f"below {least:.3f}: {100 * wrong:5.1f} % wrongly called empty, {100 * right:5.1f} % rightly"
