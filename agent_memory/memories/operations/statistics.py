"""How much there is of what: one pass over all memories."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from agent_memory import clock
from agent_memory.memories.filters import build_where
from agent_memory.records import MemoryType
from agent_memory.storage.base import Store

AGES = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
"""Upper ends of the age groups; what is older than all of them is `older`."""


async def breakdown(store: Store) -> dict[str, Any]:
    """Count the live memories by type, tag and age.

    Returns:
        `types`: per type its `count`, the `bytes` of its text as UTF-8, and when the `oldest` and the `newest`
        happened (text, None where there are none). `tags`: per tag a count, the most used first. `ages`: per
        group of `AGES` how many are that old and not in a younger group.
    """
    moment = clock.now()
    types: dict[str, dict[str, Any]] = {
        memory_type.value: {"count": 0, "bytes": 0, "oldest": None, "newest": None}
        for memory_type in MemoryType
    }
    tags: Counter[str] = Counter()
    ages = dict.fromkeys((*AGES, "older"), 0)
    async for batch in store.scan(build_where()):
        for record in batch:
            row, happened = types[record.memory_type.value], clock.to_text(record.happened_at)
            row["count"] += 1
            row["bytes"] += len(record.content.encode())
            # Text order is time order.
            row["oldest"] = min(row["oldest"] or happened, happened)
            row["newest"] = max(row["newest"] or happened, happened)
            tags.update(record.tags)
            age = moment - record.happened_at
            ages[next((name for name, end in AGES.items() if age < end), "older")] += 1
    ordered = sorted(tags.items(), key=lambda pair: (-pair[1], pair[0]))
    return {"types": types, "tags": dict(ordered), "ages": ages}
