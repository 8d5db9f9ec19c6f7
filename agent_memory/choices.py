"""What may be chosen from, by name: read from the types that the library checks by, for faces that list it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args


def modes() -> tuple[str, ...]:
    """Return the modes of a search."""
    from agent_memory.recall.query import Mode

    return get_args(Mode)


def formats() -> tuple[str, ...]:
    """Return the formats of a recall."""
    from agent_memory.recall.formats import Format

    return get_args(Format)


def orders() -> tuple[str, ...]:
    """Return what memories of any type can be sorted by."""
    from agent_memory.storage.base import OrderBy

    return tuple(name for name in get_args(OrderBy) if name != "position")  # of messages and chunks alone


def conflicts() -> tuple[str, ...]:
    """Return what an import can do with memories that are here in another version."""
    from agent_memory.transfer.deciding import OnConflict

    return get_args(OnConflict)


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them: `a, b or c`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
