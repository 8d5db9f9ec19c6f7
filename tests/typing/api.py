"""The public API, used once as a typed program uses it. Checked by mypy in strict mode, and never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, assert_type

from agent_memory import (
    AgentMemory,
    ConflictError,
    ConversationRecord,
    Embedder,
    EpisodicRecord,
    Filters,
    Found,
    LongTermRecord,
    MemoryConfig,
    MemoryRecord,
    OperationRecord,
    ProceduralRecord,
    Recall,
    ScoredMemory,
    SemanticRecord,
    ShortTermRecord,
    Status,
    Store,
    SyncAgentMemory,
    Version,
    Written,
)
from agent_memory.ranking import DecayPolicy, Exponential, KeywordScorer, NoDecay


class Vectors:
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0, 0.0]


config = MemoryConfig(
    backend="sqlite",
    backend_config={"path": "a.db"},
    embedding_provider="none",
    short_term_ttl=timedelta(hours=2),
    conversation_max_messages=50,
    importance_scorer=KeywordScorer(["urgent"]),
    decay=DecayPolicy(default=Exponential("7d"), by_type={"skill": NoDecay()}),
    decay_half_life=timedelta(days=7),
    enable_scoring=True,
    enable_decay=True,
    offline=True,
)
config.offline = False
filters: Filters = {"types": ["fact", "event"], "since": "7d", "metadata": {"lang": "en"}, "pinned": None}


async def asynchronous() -> None:
    async with AgentMemory("me", config, embedding_provider=Vectors()) as memory:
        assert_type(memory.agent_id, str)
        assert_type(memory.backend, Store)
        assert_type(memory.embedding_provider, Embedder | None)
        fact = await memory.long_term.add("a", 0.7, {"k": 1}, "7d", tags="x", key="k", category="c")
        assert_type(fact, str)
        assert_type(await memory.add_detailed("a", "event", outcome="failed", pinned=True), list[Written])
        assert_type(await memory.long_term.get(fact), LongTermRecord | None)
        assert_type(await memory.of("fact").get(fact), MemoryRecord | None)
        assert_type(await memory.episodic.list(10, tags=["x"], since=date(2026, 1, 1)), list[EpisodicRecord])
        assert_type(await memory.semantic.list(fields={"title": "x"}), list[SemanticRecord])
        assert_type(await memory.procedural.get_skill("x"), ProceduralRecord | None)
        for item in await memory.procedural.find_applicable_skills("x"):
            assert_type(item.memory, ProceduralRecord)
        assert_type(await memory.long_term.search_similar("x"), list[ScoredMemory[LongTermRecord]])
        assert_type(await memory.conversation.get_messages(5, offset=5), list[ConversationRecord])
        assert_type(memory.conversation.iterate_messages(), AsyncIterator[ConversationRecord])
        found = await memory.search(
            "q", 5, "fact", ["x"], datetime.now(UTC), timedelta(days=1), 0.5, "keyword", True, offset=5
        )
        assert_type(found, Found)
        assert_type(await memory.recall("q", 500, "xml", last=5, **filters), Recall)
        assert_type(await memory.list(None, status=None, sort="used", **filters), list[MemoryRecord])
        assert_type(await memory.count(**filters), int)
        assert_type(await memory.get_many([fact]), list[MemoryRecord | None])
        async for record in memory.iterate(types="fact"):
            assert_type(record, MemoryRecord)
        first = await memory.get(fact)
        assert first is not None
        record = await memory.update(
            fact,
            "b",
            importance=0.5,
            add_tags=["y"],
            key=None,
            ttl=None,
            category="d",
            revision=first.revision,
        )
        assert_type(await memory.forget([fact], dry_run=True), list[MemoryRecord])
        assert_type(await memory.forget_where(expired=True, **filters), list[MemoryRecord])
        assert_type(await memory.history(fact), list[Version])
        assert_type(await memory.undo(), list[OperationRecord])
        async with memory.batch() as batch:
            await memory.add_many([{"type": "fact", "content": "c"}])
        assert_type([written.id for written in batch.written], list[str])


def blocking() -> None:
    with SyncAgentMemory("me", config, embedding_provider="none") as memory:
        fact = memory.long_term.add("a", 0.7, {"k": 1}, 60, tags="x", category="c")
        assert_type(memory.long_term.get(fact), LongTermRecord | None)
        assert_type(memory.short_term.list(status=["archived", Status.SUPERSEDED]), list[ShortTermRecord])
        assert_type(memory.of("note").list(), list[MemoryRecord])
        assert_type(memory.episodic.search("x", session=["a", "b"]), list[EpisodicRecord])
        for asked, answer in memory.conversation.get_last_n_turns():
            assert_type((asked, answer), tuple[ConversationRecord | None, ConversationRecord | None])
        assert_type(memory.search("q", types="fact", tags_all=["x", "y"], fields={"kind": "fact"}), Found)
        assert_type(memory.semantic.search("q"), list[ScoredMemory[SemanticRecord]])
        assert_type(memory.search("q")[0], ScoredMemory[MemoryRecord])
        assert_type(memory.search("q")[0].to_dict(), dict[str, Any])
        assert_type(EpisodicRecord.from_dict({}), EpisodicRecord)
        assert_type(memory.recall(budget=300, session="s", min_importance=0.2), Recall)
        assert_type(memory.list(source="s", until="yesterday"), list[MemoryRecord])
        assert_type(memory.iterate(sort="importance"), Iterator[MemoryRecord])
        try:
            memory.update(fact, outcome="failed", participants=["a"], revision="r")
        except ConflictError as error:
            assert_type(error.memory_id, str)
        with memory.batch():
            memory.pin(fact)
