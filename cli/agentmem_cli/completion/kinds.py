"""What may stand after an option or as an argument: fixed words, or a kind that is looked up when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    "--output": "outputs",
    "--mode": "modes",
    "--format": "formats",
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
    "WAY": "conflicts",
    "BY": "orders",
    "COMMAND": "commands",
    "SETTING": "settings",
    "PROVIDER": "providers",
    "MODEL": "models",
}


OF_NOUNS: Mapping[str, Mapping[str, str]] = {"work": {"keys": "working", "ids": "working"}}
"""Kinds that mean another below a noun."""


def of_option(names: tuple[str, ...], metavar: str | None) -> str | None:
    """Return the kind of an option's value, `=` and words to choose from, or None where it is free text."""
    kind = next((_OPTIONS[name] for name in names if name in _OPTIONS), None)
    if kind is None:
        return of_argument(metavar)
    return _WORDS[kind]() if kind in _WORDS else kind


def of_argument(metavar: str | None) -> str | None:
    """Return the kind of an argument, `=` and words to choose from, or None where it is free text."""
    kind = _METAVARS.get((metavar or "").strip("[]. ").removesuffix("...").strip("[] "))
    return _WORDS[kind]() if kind is not None and kind in _WORDS else kind


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


def _outputs() -> str:
    from agentmem_cli.settings.names import OUTPUTS

    return "=" + " ".join(OUTPUTS)


def _choice(name: str) -> Callable[[], str]:
    def words() -> str:
        from agent_memory import choices

        return "=" + " ".join(getattr(choices, name)())

    return words


_WORDS: Mapping[str, Callable[[], str]] = {
    "types": _types,
    "commands": _commands,
    "settings": _settings,
    "providers": _providers,
    "models": _models,
    "outputs": _outputs,
    **{name: _choice(name) for name in ("modes", "formats", "orders", "conflicts")},
}
"""Words that are known when the script is made."""
