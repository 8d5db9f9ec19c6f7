"""The library itself, through its public face and with its default settings."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from agent_memory import AgentMemory, MemoryConfig, clock
from agent_memory.text.tokens import estimate_tokens
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.questions import Agent, Question

NAME = "agentmem"
DEPTH = 50
"""How many results each question asks for."""


class Answer(NamedTuple):
    """What one search gave."""

    ranked: list[str]
    relevance: list[float]
    tokens: int
    """Of the first ten results together."""
    seconds: float


class Product:
    """One agent's memory, filled."""

    def __init__(self, agent: Agent, embedder: CachedEmbedder, folder: Path, rerank: str = "") -> None:
        self._agent = agent
        self._path = folder / "memory.db"
        self._rerank = bool(rerank)
        named = {} if not rerank else {"path": rerank} if Path(rerank).is_dir() else {"model": rerank}
        config = MemoryConfig(backend_config={"path": str(self._path)}, rerank_config=named)
        self._memory = AgentMemory(agent.id, config, embedding_provider=embedder)
        self._names: dict[str, str] = {}

    async def open(self) -> None:
        """Store everything that the agent was told."""
        await self._memory.open()
        given = [dict(item.given) for item in self._agent.items]
        for id, item in zip(await self._memory.add_many(given), self._agent.items, strict=True):
            self._names.setdefault(id, item.id)

    async def ask(self, question: Question, at: datetime | None = None) -> Answer:
        """Search at the time at which the question is asked, or at another."""
        asked_at = at or self._asked_at(question)
        with clock.fixed(asked_at):
            begun = time.perf_counter()
            found = await self._memory.search(
                question.text, limit=DEPTH, count_access=False, rerank=self._rerank
            )
            seconds = time.perf_counter() - begun
        return Answer(
            [self._names[each.memory.id] for each in found],
            [each.relevance for each in found],
            sum(estimate_tokens(each.memory.content) for each in found[:10]),
            seconds,
        )

    async def recall(self, question: Question, budget: int) -> set[str]:
        """Return the items that stand whole in a packed recall."""
        with clock.fixed(self._asked_at(question)):
            found = await self._memory.recall(question.text, budget)
        return {self._names[each.memory.id] for each in found.items if each.form == "full"}

    def _asked_at(self, question: Question) -> datetime:
        return question.asked_at or self._agent.asked_at or clock.now()

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return sum(path.stat().st_size for path in self._path.parent.glob("memory.db*"))

    async def close(self) -> None:
        """Close the file."""
        await self._memory.close()
