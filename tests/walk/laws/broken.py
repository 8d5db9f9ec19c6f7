"""Saying what does not agree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from agent_memory.records import MemoryRecord, version_to_dict

from ..model import Change


class BrokenLawError(AssertionError):
    """A law does not hold."""


def said(record: MemoryRecord) -> dict[str, Any]:
    """Return what a version consists of, in the one form that JSON gives it."""
    version = version_to_dict(record)
    version["importance"] = float(record.importance)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in version.items()}


def shown(record: MemoryRecord | None, *, whole: bool = False) -> dict[str, Any] | None:
    """Return the same of what may not be there, without the time of the change unless it is to be `whole`."""
    if record is None:
        return None
    return {name: value for name, value in said(record).items() if whole or name != "updated_at"}


def few(ids: Iterable[str]) -> str:
    """Return how many there are, and the first of them."""
    listed = list(ids)
    return f"{len(listed)} {listed[:3]}"


def differences(changes: Mapping[str, Change]) -> str:
    """Return what changed in each memory."""
    lines = []
    for item, change in changes.items():
        if change.before is None or change.after is None:
            lines.append(f"{item}: {shown(change.before)} -> {shown(change.after)}")
            continue
        names = [own.name for own in dataclasses.fields(change.before)]
        pairs = [(name, getattr(change.before, name), getattr(change.after, name, None)) for name in names]
        told = ", ".join(f"{name} {was!r} -> {now!r}" for name, was, now in pairs if was != now)
        lines.append(f"{item} ({change.before.content!r}): {told}")
    return "; ".join(lines)
