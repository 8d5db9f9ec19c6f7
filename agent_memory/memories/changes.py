"""What `update` can change, and the fields that one type of memory has and the others lack: declared once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

from agent_memory.clock import Moment
from agent_memory.memories.filters import Words


class OwnFields(TypedDict, total=False):
    """The fields that some memory types have and the others lack, as calls take them."""

    kind: str | None
    context_type: str | None
    value: Any
    category: str | None
    superseded_by: str | None
    conversation_id: str | None
    role: str | None
    name: str | None
    position: int | None
    event_type: str | None
    outcome: str | None
    success: bool | None
    participants: Words
    location: str | None
    duration: timedelta | float | None
    document_id: str | None
    title: str | None
    path: str | None
    triggers: Words
    steps: Words
    use_count: int | None
    success_count: int | None
    last_used_at: str | None


class Changes(OwnFields, total=False):
    """What `update` changes besides the text. What is left out stays as it is.

    None takes a `key`, a `source`, a `ttl` or an `occurred_at` away; for anything else it is an error.
    """

    importance: float
    tags: Words
    """All tags, instead of those that it has."""
    add_tags: Words
    remove_tags: Words
    metadata: Mapping[str, Any]
    """Values to set; one of None takes the name away."""
    key: str | None
    source: str | None
    session: str
    ttl: timedelta | float | str | None
    """How long it lives from now on."""
    occurred_at: Moment | None
