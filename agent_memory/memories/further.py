"""The further arguments of the verbs that store one kind of memory, as type checkers see them.

What a call accepts is read from `add` and from the fields of the type (`memories/calling.py`); a test compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict

from agent_memory.clock import Moment
from agent_memory.memories.changes import OwnFields
from agent_memory.memories.filters import Words


class _Further(TypedDict, total=False):
    """What every verb that stores takes by name; `add` says what each means."""

    ttl: timedelta | float | str | None
    session: str | None
    pinned: bool
    force: bool


class Described(_Further, total=False):
    """What most of them take besides."""

    metadata: Mapping[str, Any] | None
    occurred_at: Moment | None


class AddFurther(OwnFields, Described, total=False):
    """Of `add_detailed` and `add_files`: what `add` takes."""

    importance: float
    tags: Words
    key: str | None
    source: str | None


class FactFurther(Described, total=False):
    """Of `store_fact`."""

    key: str | None
    category: str | None


class PreferenceFurther(Described, total=False):
    """Of `store_preference`."""

    tags: Words
    source: str | None


class MessageFurther(_Further, total=False):
    """Of `add_message`."""

    tags: Words
    key: str | None
    source: str | None
    kind: str | None


class EventFurther(_Further, total=False):
    """Of `record_event`."""

    metadata: Mapping[str, Any] | None
    tags: Words
    key: str | None
    source: str | None


class ActionFurther(EventFurther, total=False):
    """Of `record_action`."""

    extra_metadata: Mapping[str, Any] | None
    occurred_at: Moment | None
    participants: Words
    location: str | None
    duration: timedelta | float | None


class WorkflowFurther(Described, total=False):
    """Of `record_workflow`."""

    tags: Words
    key: str | None
    source: str | None
    category: str | None


class SkillFurther(Described, total=False):
    """Of `record_skill`."""

    tags: Words
    key: str | None
    source: str | None
    steps: Words


class KnowledgeFurther(Described, total=False):
    """Of `add_with_embedding`."""

    tags: Words
    key: str | None
    source: str | None
    title: str | None
    document_id: str | None
    path: str | None


class DocumentFurther(Described, total=False):
    """Of `add_document`."""

    path: str | None


class PathsFurther(Described, total=False):
    """Of `add_paths`."""

    key: str | None


class ChunksFurther(PathsFurther, total=False):
    """Of `add_chunks`."""

    path: str | None
