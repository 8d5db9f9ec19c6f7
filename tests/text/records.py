"""Records with everything that a test does not care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

from agent_memory.records import MemoryRecord

MOMENT = datetime(2026, 5, 8, 13, 56, tzinfo=UTC)
R = TypeVar("R", bound=MemoryRecord)


def make(record_class: type[R], content: str, **given: Any) -> R:
    return record_class(
        **{
            "id": "0" * 20,
            "content": content,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            **given,
        }
    )
