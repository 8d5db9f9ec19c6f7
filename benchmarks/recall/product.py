"""The library itself, through its public face and with its default settings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agent_memory import AgentMemory, MemoryConfig, clock
from agent_memory.recall.packing import PackedItem
from agent_memory.recall.query import Mode
from agent_memory.recall.recall import Recall
from agent_memory.records import MemoryRecord
from agent_memory.text.tokens import estimate_tokens
from benchmarks.recall.cache import CachedEmbedder
from benchmarks.recall.questions import Agent, Item, Question

NAME = "agentmem"
TOKENS = "tokens"
"""Names the reranker that the library takes where no cross-encoder is named."""
DEPTH = 50
"""How many results each question asks for."""
SHOWN_BUDGET = 4_000
"""Tokens of a recall whose text is to hold all that is worth showing."""
_BATCH = 10_000


class Answer(NamedTuple):
    """What one search gave."""

    ranked: list[str]
    relevance: list[float]
    tokens: int
    """Of the first ten results together."""
    seconds: float
    nothing_relevant: bool
    records: list[MemoryRecord]
    """The memories themselves, in the same order."""


class Recalled(NamedTuple):
    """The items that a recall shows."""

    because: list[str]
    """Because of the question."""
    anyway: list[str]
    """Whatever is asked: pinned, or in a section of its own."""


@dataclass(frozen=True)
class Setup:
    """Where the memories are kept, and how they are searched; as it is: the library's defaults."""

    backend: str = "sqlite"
    options: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "hybrid"
    rerank: str = ""
    """What orders the best anew: `TOKENS`, or a cross-encoder's name or folder; nothing where it is empty."""


class Product:
    """One agent's memory, filled."""

    def __init__(self, agent: Agent, embedder: CachedEmbedder, folder: Path, setup: Setup) -> None:
        self._agent = agent
        self._path = folder / "memory.db"
        self._setup = setup
        rerank = setup.rerank
        plain = rerank in ("", TOKENS)
        named = {} if plain else {"path": rerank} if Path(rerank).is_dir() else {"model": rerank}
        options = {"path": str(self._path)} if setup.backend == "sqlite" else dict(setup.options)
        config = MemoryConfig(backend=setup.backend, backend_config=options, rerank_config=named)
        self._memory = AgentMemory(agent.id, config, embedding_provider=embedder)
        self._names: dict[str, str] = {}
        self.stored = 0
        """How many of the agent's items are in it."""

    async def open(self) -> None:
        """Open the memory, which is empty until something is asked."""
        await self._memory.open()

    async def store(self, count: int | None = None) -> None:
        """Store what the agent was told: the first `count` items, or all; those that are stored stay as they are."""
        items = self._agent.items[self.stored : count]
        if count is not None and count < self.stored:
            raise ValueError(
                f"{self.stored} items are stored, {count} were asked for: questions are out of order"
            )
        for start in range(0, len(items), _BATCH):
            await self._store(items[start : start + _BATCH])

    async def _store(self, items: Sequence[Item]) -> None:
        ids = await self._memory.add_many([dict(item.arguments) for item in items])
        for id, item in zip(ids, items, strict=True):
            self._names.setdefault(id, item.id)
            if item.archived:
                await self._memory.forget(id)
        self.stored += len(items)

    async def ask(self, question: Question, at: datetime | None = None) -> Answer:
        """Search when the question's items are stored, at the time at which it is asked, or at another."""
        await self.store(question.stored)
        asked_at = at or self._asked_at(question)
        with clock.fixed(asked_at):
            begun = time.perf_counter()
            results = await self._memory.search(
                question.text,
                limit=DEPTH,
                tags=question.tags or None,
                mode=self._setup.mode,
                count_access=False,
                rerank=bool(self._setup.rerank),
            )
            seconds = time.perf_counter() - begun
        return Answer(
            [self._names[result.memory.id] for result in results],
            [result.relevance for result in results],
            sum(estimate_tokens(result.memory.content) for result in results[:10]),
            seconds,
            results.nothing_relevant,
            [result.memory for result in results],
        )

    async def recall(self, question: Question, budget: int) -> set[str]:
        """Return the items that stand whole in a packed recall."""
        results = await self._recall(question, budget, None)
        return {self._names[item.memory.id] for item in results.items if item.form == "full"}

    async def shown(self, question: Question, at: datetime | None = None) -> list[str]:
        """Return the items that a recall without a pressing budget shows because of the question."""
        return (await self.recalled(question, at)).because

    async def recalled(self, question: Question, at: datetime | None = None) -> Recalled:
        """Return what a recall without a pressing budget shows."""
        results = await self._recall(question, SHOWN_BUDGET, at)
        recalled = Recalled([], [])
        for item in results.items:
            (recalled.anyway if _always_there(item) else recalled.because).append(self._names[item.memory.id])
        return recalled

    async def _recall(self, question: Question, budget: int, at: datetime | None) -> Recall:
        await self.store(question.stored)
        with clock.fixed(at or self._asked_at(question)):
            return await self._memory.recall(
                question.text,
                budget,
                tags=question.tags or None,
                mode=self._setup.mode,
                rerank=bool(self._setup.rerank),
            )

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


def _always_there(item: PackedItem) -> bool:
    """Whether an item stands in every recall, whatever is asked: pinned, or in a section of its own."""
    return item.memory.pinned or item.section.casefold().startswith(("pinned", "standing"))
