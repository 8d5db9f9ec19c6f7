"""Making the next version of a record, and keeping its fields in agreement with each other."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.memories.drafting import (
    check_fields,
    check_metadata,
    check_name,
    check_tags,
    check_text,
    expiry,
)
from agent_memory.memories.outcomes import success_of
from agent_memory.records import ConversationRecord, EpisodicRecord, MemoryRecord, ProceduralRecord
from agent_memory.storage.where import check_share

R = TypeVar("R", bound=MemoryRecord)


def edited(
    record: R,
    *,
    content: str | None = None,
    importance: float | None = None,
    tags: str | Iterable[str] | None = None,
    add_tags: str | Iterable[str] | None = None,
    remove_tags: str | Iterable[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    key: str | None = None,
    source: str | None = None,
    session: str | None = None,
    ttl: timedelta | float | str | None = None,
    occurred_at: datetime | None = None,
    fields: Mapping[str, Any] | None = None,
) -> R:
    """Return the next version of a record; what is None stays, and a metadata value of None goes.

    Raises:
        ValidationError: something cannot be stored.
    """
    changes: dict[str, Any] = dict(check_fields(type(record), fields or {}))
    if content is not None:
        changes["content"] = check_text("content", content)
    if importance is not None:
        changes["importance"] = check_share("importance", importance)
    if tags is not None or add_tags is not None or remove_tags is not None:
        base = record.tags if tags is None else check_tags(tags)
        changes["tags"] = tuple(sorted({*base, *check_tags(add_tags)} - {*check_tags(remove_tags)}))
    if metadata is not None:
        given = {name: value for name, value in metadata.items() if value is not None}
        kept = {name: value for name, value in record.metadata.items() if name not in metadata}
        changes["metadata"] = check_metadata({**kept, **given})
    for name, value in (("key", key), ("source", source), ("session", session)):
        if value is not None:
            changes[name] = check_name(name, value)
    if ttl is not None:
        changes["expires_at"] = expiry(clock.now(), ttl)
    if occurred_at is not None:
        changes["occurred_at"] = clock.as_utc(occurred_at)
    changes |= _agreeing(record, changes)
    return dataclasses.replace(record, **changes)


def _agreeing(record: MemoryRecord, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else has to change with these fields.

    Raises:
        ValidationError: they contradict each other.
    """
    match record:
        case EpisodicRecord() if "outcome" in changes and "success" not in changes:
            return {"success": success_of(changes["outcome"])}
        case ProceduralRecord() if record.key == record.name:
            # A skill's name is its key, unless somebody gave it another.
            names = {changes[name] for name in ("name", "key") if name in changes}
            if len(names) == 1:
                return {"name": (new := names.pop()), "key": new}
        case ConversationRecord():
            places = {changes[name] for name in ("session", "conversation_id") if name in changes}
            if places - {record.conversation_id}:
                raise ValidationError(
                    "a message stays in its conversation",
                    hint="forget it here and add it there: `agentmem chat add`",
                )
        case _:
            pass
    return {}
