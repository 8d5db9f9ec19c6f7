"""What follows from a failure: the skill that fits, and the event that went well next.

A search finds what is like the question. What an agent needs beside "the deploy failed" is often not like it at all:
how it is done, and what worked in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent_memory.recall import constants
from agent_memory.recall.packing import Candidate
from agent_memory.recall.query import Mode, SearchRequest
from agent_memory.recall.searcher import Searcher
from agent_memory.records import EpisodicRecord, MemoryType
from agent_memory.storage.base import Order, Store
from agent_memory.storage.where import Condition, Period, Where


class Outcomes:
    """Brings along what a failed event calls for."""

    def __init__(self, store: Store, searcher: Searcher) -> None:
        self._store = store
        self._searcher = searcher

    async def joined(self, candidates: Sequence[Candidate], where: Where, mode: Mode) -> list[Candidate]:
        """Return the candidates with what each failure calls for right behind it, nothing twice.

        Nothing is brought along that the filter refuses: a recall of events alone stays one.
        """
        result: list[Candidate] = []
        failures = 0
        for candidate in candidates:
            result.append(candidate)
            event = candidate.memory
            if (
                isinstance(event, EpisodicRecord)
                and event.success is False
                and failures < constants.MOST_FAILURES
            ):
                failures += 1
                for related in (
                    await self._next_success(event, where),
                    await self._skill(event, where, mode),
                ):
                    result += [related] if related is not None else []
        once: dict[str, Candidate] = {}
        for item in result:
            once.setdefault(item.memory.id, item)
        return list(once.values())

    async def _next_success(self, event: EpisodicRecord, where: Where) -> Candidate | None:
        """Find the next event of the same kind that went well and has to do with the failed one, or followed soon."""
        if where.types and MemoryType.EPISODIC not in where.types:
            return None
        wanted = replace(
            where,
            types=(MemoryType.EPISODIC,),
            fields=(
                *where.fields,
                Condition("event_type", "=", event.event_type),
                Condition("success", "=", True),
            ),
            occurred=Period(event.happened_at, where.occurred.end if where.occurred else None),
        )
        listed = await self._store.select(wanted, Order("occurred", descending=False), constants.MOST_LATER)
        later = [item for item in listed if item.happened_at > event.happened_at]
        if not later:
            return None
        results = await self._searcher.search(
            SearchRequest(
                text=event.content,
                where=replace(wanted, ids=tuple(item.id for item in later)),
                limit=constants.MOST_LATER,
                mode="keyword" if self._store.capabilities.full_text else "hybrid",
                count_access=False,
            )
        )
        related = {result.memory.id: result for result in results if result.relevance >= constants.RELATED}
        first = next((item for item in later if item.id in related), None)
        if first is None and later[0].happened_at - event.happened_at <= constants.SOON:
            first = later[0]  # "rolled back, errors stopped" has no word of "checkout answers with 502"
        return None if first is None else Candidate(first, scored=related.get(first.id))

    async def _skill(self, event: EpisodicRecord, where: Where, mode: Mode) -> Candidate | None:
        """Find the skill that fits best, if any does."""
        if where.types and MemoryType.PROCEDURAL not in where.types:
            return None
        skills = replace(where, types=(MemoryType.PROCEDURAL,), fields=(), occurred=None)
        results = await self._searcher.search(
            SearchRequest(text=event.content, where=skills, limit=1, mode=mode, count_access=False)
        )
        if not results or results[0].relevance < constants.NOTHING_RELEVANT:
            return None
        return Candidate(results[0].memory, scored=results[0])
