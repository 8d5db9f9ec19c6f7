"""The library itself, through its public face and with its default settings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory import AgentMemory, MemoryConfig, clock
from agent_memory.recall.query import Mode
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


@dataclass(frozen=True)
class Setup:
    """Where the memories are kept, and how they are searched; as it is: the library's defaults."""

    backend: str = "sqlite"
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "hybrid"
    rerank: str = ""
    """A cross-encoder: a model or a folder."""


class Product:
    """One agent's memory, filled."""

    def __init__(self, agent: Agent, embedder: CachedEmbedder, folder: Path, setup: Setup) -> None:
        self._agent = agent
        self._path = folder / "memory.db"
        self._setup = setup
        rerank = setup.rerank
        named = {} if not rerank else {"path": rerank} if Path(rerank).is_dir() else {"model": rerank}
        options = {"path": str(self._path)} if setup.backend == "sqlite" else dict(setup.options)
        config = MemoryConfig(backend=setup.backend, backend_config=options, rerank_config=named)
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
                question.text,
                limit=DEPTH,
                mode=self._setup.mode,
                count_access=False,
                rerank=bool(self._setup.rerank),
            )
            seconds = time.perf_counter() - begun
        return Answer(
            [self._names[result.memory.id] for result in found],
            [result.relevance for result in found],
            sum(estimate_tokens(result.memory.content) for result in found[:10]),
            seconds,
        )

    async def recall(self, question: Question, budget: int) -> set[str]:
        """Return the items that stand whole in a packed recall."""
        with clock.fixed(self._asked_at(question)):
            found = await self._memory.recall(question.text, budget)
        return {self._names[item.memory.id] for item in found.items if item.form == "full"}

    def _asked_at(self, question: Question) -> datetime:
        return question.asked_at or self._agent.asked_at or clock.now()

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return sum(path.stat().st_size for path in self._path.parent.glob("memory.db*"))

    async def close(self) -> None:
        """Close the file; on a server, leave nothing behind."""
        if self._setup.backend != "sqlite":
            await self._memory.backend.drop()
        await self._memory.close()
