"""Reading the filters that programs give, once for every call that takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.records import KIND_ALIASES, MemoryType, Status
from agent_memory.storage.where import Where, check_share, conditions, field_conditions, period, words


def build_where(
    *,
    types: str | MemoryType | Iterable[str | MemoryType] | None = None,
    tags: str | Iterable[str] | None = None,
    tags_all: str | Iterable[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    min_importance: float = 0.0,
    metadata: Mapping[str, Any] | None = None,
    key: str | Iterable[str] | None = None,
    session: str | Iterable[str] | None = None,
    source: str | Iterable[str] | None = None,
    pinned: bool | None = None,
    status: str | Status | Iterable[str | Status] | None = Status.ACTIVE,
    expired: bool | None = False,
    fields: Mapping[str, Any] | None = None,
) -> Where:
    """Build the filter that these arguments mean.

    Raises:
        ValidationError: a condition cannot be read, or a time has no timezone.
        ConfigurationError: a type or a status is unknown.
    """
    types, kind = _kind(types)
    if kind is not None:
        fields = {**(fields or {}), "kind": kind}
    return Where(
        types=_types(types),
        tags_any=words(tags),
        tags_all=words(tags_all),
        keys=words(key),
        sources=words(source),
        sessions=words(session),
        statuses=_statuses(status),
        pinned=pinned,
        min_importance=check_share("min_importance", min_importance),
        occurred=period(since, until),
        metadata=conditions(metadata),
        fields=field_conditions(fields),
        expired=expired,
    )


def _kind(
    given: str | MemoryType | Iterable[str | MemoryType] | None,
) -> tuple[str | MemoryType | Iterable[str | MemoryType] | None, str | None]:
    """Return the types that are asked for, and the one kind of theirs, such as preferences, if it is one."""
    if given is None or isinstance(given, MemoryType):
        return given, None
    names = [given] if isinstance(given, str) else list(given)
    words = [name.strip().lower().removesuffix("s") if isinstance(name, str) else name for name in names]
    kinds = [KIND_ALIASES[word] for word in words if isinstance(word, str) and word in KIND_ALIASES]
    if not kinds:
        return names, None
    if len({*words}) > 1:
        raise ValidationError("a kind stands beside other types", hint="ask for pref or work by itself")
    return kinds[0]


def _types(given: str | MemoryType | Iterable[str | MemoryType] | None) -> tuple[MemoryType, ...]:
    if given is None:
        return ()
    names = [given] if isinstance(given, str) else given
    return tuple(dict.fromkeys(MemoryType.parse(name) for name in names))


def _statuses(given: str | Status | Iterable[str | Status] | None) -> tuple[Status, ...]:
    if given is None:
        return ()
    return tuple(_status(item) for item in ([given] if isinstance(given, str) else given))


def _status(given: str | Status) -> Status:
    try:
        return Status(given)
    except ValueError:
        raise ConfigurationError.unknown("status", given, [statu.value for statu in Status]) from None
