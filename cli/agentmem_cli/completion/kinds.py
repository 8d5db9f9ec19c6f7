"""What may stand after an option or as an argument: fixed words, or a kind that is looked up when asked for."""

from __future__ import annotations

from collections.abc import Mapping

DYNAMIC = ("agents", "ids", "keys", "working", "categories", "tags", "sessions", "skills", "documents")
"""Kinds that `agentmem __complete KIND` answers from what is stored."""
FILES = "files"

_OPTIONS: Mapping[str, str] = {
    "--agent": "agents",
    "--tag": "tags",
    "--remove-tag": "tags",
    "--session": "sessions",
    "--conversation": "sessions",
    "--db": FILES,
    "--file": FILES,
    "--output": "=table text json ndjson csv id",
    "--mode": "=hybrid keyword vector",
    "--format": "=markdown text xml json messages",
}
_METAVARS: Mapping[str, str] = {
    "TYPE": "types",
    "ID": "ids",
    "ID|KEY": "ids",
    "KEY": "keys",
    "AGENT": "agents",
    "TAG": "tags",
    "CONVERSATION": "sessions",
    "CATEGORY": "categories",
    "SKILL": "skills",
    "DOCUMENT": "documents",
    "FILE": FILES,
    "FILE|-": FILES,
    "PATH": FILES,
    "PATH|-": FILES,
    "ROLE": "=user assistant system tool",
    "BY": "=created updated occurred used importance",
    "COMMAND": "commands",
    "SETTING": "settings",
    "PROVIDER": "providers",
    "MODEL": "models",
}


OF_NOUNS: Mapping[str, Mapping[str, str]] = {"work": {"keys": "working", "ids": "working"}}
"""Kinds that mean another below a noun."""


def of_option(names: tuple[str, ...], metavar: str | None) -> str | None:
    """Return the kind of an option's value, `=` and words to choose from, or None where it is free text."""
    found = next((_OPTIONS[name] for name in names if name in _OPTIONS), None)
    return found or of_argument(metavar)


def of_argument(metavar: str | None) -> str | None:
    """Return the kind of an argument, `=` and words to choose from, or None where it is free text."""
    kind = _METAVARS.get((metavar or "").strip("[]. ").removesuffix("...").strip("[] "))
    return _WORDS[kind]() if kind in _WORDS else kind


def _types() -> str:
    from agent_memory.records import TYPE_ALIASES, MemoryType

    return "=" + " ".join([*(name.replace("_", "-") for name in MemoryType), *TYPE_ALIASES])


def _commands() -> str:
    from agentmem_cli.tree import COMMANDS

    return "=" + " ".join(COMMANDS)


def _settings() -> str:
    from agentmem_cli.settings import SETTINGS

    return "=" + " ".join(SETTINGS)


def _providers() -> str:
    from agent_memory.embeddings.registry import EMBEDDERS

    return "=" + " ".join(EMBEDDERS.builtin)


def _models() -> str:
    from agent_memory.embeddings.catalog import CARDS

    return "=" + " ".join(CARDS)


_WORDS = {
    "types": _types,
    "commands": _commands,
    "settings": _settings,
    "providers": _providers,
    "models": _models,
}
"""Words that are known when the script is made."""
