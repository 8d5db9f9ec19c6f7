"""The filters that every call takes which reads or forgets memories: declared once, and read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from agent_memory import clock
from agent_memory.clock import Moment
from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.records import KIND_ALIASES, MemoryType, Status
from agent_memory.storage.where import Where, check_share, conditions, field_conditions, period, words

Types = str | MemoryType | Iterable[str | MemoryType] | None
"""Memory types by name or alias, or a kind such as `pref`; one or several. None: every type."""
Words = str | Iterable[str] | None
"""One text, or several of which any may match. None: no condition."""
StatusName = Literal["active", "archived", "superseded"]
Statuses = StatusName | Status | Iterable[StatusName | Status] | None
"""One status or several. None: every status."""


class MoreFilters(TypedDict, total=False):
    """The filters that are given by name everywhere.

    A new filter is one line here, and one in `build_where`.
    """

    tags_all: Words
    """Only memories that have all of these tags."""
    metadata: Mapping[str, Any] | None
    """Conditions on top-level metadata values, such as `{"lang": "en", "stars": {">=": 3}}`; several on one name,
    `{"env": [{"!=": "prod"}, {"!=": "test"}]}`, must all hold. The operators are `=`, `!=`, `<`, `<=`, `>`, `>=`,
    `in` with a list, and `exists` with True or False. A memory without the value fulfils none but
    `{"exists": False}`."""
    key: Words
    """Only memories with one of these keys."""
    session: Words
    """Only memories of these sessions (for messages: conversations)."""
    source: Words
    """Only memories from these sources."""
    pinned: bool | None
    """Only pinned memories, or only unpinned ones."""
    fields: Mapping[str, Any] | None
    """Conditions on the types' own fields, such as `{"outcome": "failed"}`; written as those on metadata."""


class TypeFilters(MoreFilters, total=False):
    """The filters of `list` and `search` of one type, which have the others as arguments."""

    since: Moment | None
    """Only what happened at this moment or later."""
    until: Moment | None
    """Only what happened before this moment."""
    status: Statuses
    """`active` (the default), `archived`, `superseded`, several of these, or None for all of them."""
    expired: bool | None
    """False (the default): only what is still valid. True: only what has expired. None: both."""


class Filters(MoreFilters, total=False):
    """Every filter that `AgentMemory.search` takes."""

    types: Types
    """Only these types, by name or alias."""
    tags: Words
    """Only memories with any of these tags."""
    since: Moment | None
    """Only what happened at this moment or later."""
    until: Moment | None
    """Only what happened before this moment."""
    min_importance: float
    """Only memories at least this important, in [0, 1]."""


class TypeCountFilters(TypeFilters, total=False):
    """The filters of `count` of one type."""

    tags: Words
    min_importance: float


class StoredFilters(Filters, total=False):
    """All that can be said of what a store holds, also of what no search returns."""

    status: Statuses
    expired: bool | None


def build_where(**filters: Unpack[StoredFilters]) -> Where:
    """Build the filter that these arguments mean.

    Returns:
        The filter.

    Raises:
        ValidationError: a condition cannot be read, or a time has no timezone.
        ConfigurationError: a type or a status is unknown.
    """
    types, kind = _kind(filters.get("types"))
    fields = filters.get("fields")
    if kind is not None:
        fields = {**(fields or {}), "kind": kind}
    return Where(
        types=_types(types),
        tags_any=words(filters.get("tags")),
        tags_all=words(filters.get("tags_all")),
        keys=words(filters.get("key")),
        sources=words(filters.get("source")),
        sessions=words(filters.get("session")),
        statuses=_statuses(filters.get("status", Status.ACTIVE)),
        pinned=filters.get("pinned"),
        min_importance=check_share("min_importance", filters.get("min_importance", 0.0)),
        occurred=period(_moment(filters.get("since")), _moment(filters.get("until"))),
        metadata=conditions(filters.get("metadata")),
        fields=field_conditions(fields),
        expired=filters.get("expired", False),
    )


def _kind(
    types: Types,
) -> tuple[Types, str | None]:
    """Return the types that are asked for, and the one kind of theirs, such as preferences, if it is one."""
    if types is None or isinstance(types, MemoryType):
        return types, None
    names = [types] if isinstance(types, str) else list(types)
    words = [name.strip().lower().removesuffix("s") if isinstance(name, str) else name for name in names]
    kinds = [KIND_ALIASES[word] for word in words if isinstance(word, str) and word in KIND_ALIASES]
    if not kinds:
        return names, None
    if len({*words}) > 1:
        raise ValidationError("a kind stands beside other types", hint="ask for pref or work by itself")
    return kinds[0]


def _types(types: Types) -> tuple[MemoryType, ...]:
    if types is None:
        return ()
    names = [types] if isinstance(types, str) else types
    return tuple(dict.fromkeys(MemoryType.parse(name) for name in names))


def _statuses(statuses: Statuses) -> tuple[Status, ...]:
    if statuses is None:
        return ()
    return tuple(_status(item) for item in ([statuses] if isinstance(statuses, str) else statuses))


def _status(status: str | Status) -> Status:
    try:
        return Status(status)
    except ValueError:
        raise ConfigurationError.unknown("status", status, [statu.value for statu in Status]) from None


def _moment(moment: Moment | None) -> datetime | None:
    return None if moment is None else clock.as_moment(moment)
