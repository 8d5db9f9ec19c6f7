"""Whether a command may be done a second time: for whoever stands in for the program and could fall over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

READS: Final = frozenset(
    {
        *("search", "recall", "get", "list", "history", "log", "status", "stats", "sql", "help", "version"),
        *("completion", "work get", "work list", "fact list", "pref list"),
        *("chat last", "chat show", "chat list", "event recent", "event failed", "event succeeded"),
        *("event similar", "event timeline", "doc list", "doc show", "doc related"),
        *("skill find", "skill list", "skill show", "agents list", "agents show"),
        *("config show", "config get", "config path", "model list", "model path", "model verify"),
        "storage distribute",
    }
)
"""Commands that change nothing, or nothing that could not be done twice, such as embedding what is pending."""

tell: Callable[[], None] | None = None
"""Called before a command begins that may not be done twice; None in a process of its own."""


def begins(words: Sequence[str]) -> None:
    """Tell whoever wants to know that a command begins."""
    if tell is not None and " ".join(words) not in READS:
        tell()
