"""What may stand after an option or as an argument: fixed words, or a kind that is looked up when asked for."""

from __future__ import annotations

from collections.abc import Mapping

DYNAMIC = ("agents", "ids", "tags", "sessions", "skills", "documents")
"""Kinds that `agentmem __complete KIND` answers from what is stored."""
FILES = "files"

TYPES = (
    "short-term", "long-term", "conversation", "episodic", "semantic", "procedural",
    "note", "fact", "chat", "event", "doc", "skill",
)  # fmt: skip

_OPTIONS: Mapping[str, str] = {
    "--agent": "agents",
    "--tag": "tags",
    "--add-tag": "tags",
    "--remove-tag": "tags",
    "--session": "sessions",
    "--conversation": "sessions",
    "--db": FILES,
    "--file": FILES,
    "--ndjson-in": FILES,
}
_METAVARS: Mapping[str, str] = {
    "ID": "ids",
    "ID|KEY": "ids",
    "AGENT": "agents",
    "TAG": "tags",
    "CONVERSATION": "sessions",
    "SKILL": "skills",
    "DOCUMENT": "documents",
    "FILE": FILES,
    "PATH": FILES,
    "DIR": FILES,
}


def of_option(names: tuple[str, ...], metavar: str | None) -> str | None:
    """Return the kind of an option's value, or None where it is free text."""
    found = next((_OPTIONS[name] for name in names if name in _OPTIONS), None)
    return found or of_argument(metavar)


def of_argument(metavar: str | None) -> str | None:
    """Return the kind of an argument, or None where it is free text."""
    return _METAVARS.get((metavar or "").strip("[]. ").removesuffix("...").strip("[]"))


def fixed(metavar: str | None) -> tuple[str, ...]:
    """Return the words that something takes though its type does not list them."""
    return TYPES if metavar == "TYPE" else ()
