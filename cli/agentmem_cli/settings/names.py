"""Every setting there is: its name, what it means, and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from agent_memory.errors import ConfigurationError

Kind = Literal["text", "path", "choice", "switch", "count", "number", "words", "duration", "option"]
OUTPUTS = ("table", "text", "json", "ndjson", "csv", "id")


class Setting(NamedTuple):
    """One setting."""

    name: str
    kind: Kind
    default: Any
    help: str
    project: bool = False
    """A project file may set it without being trusted: it decides neither where text goes nor where it is from."""
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "AGENTMEM_" + self.name.replace(".", "_").upper()


SETTINGS: Mapping[str, Setting] = {
    item.name: item
    for item in (
        Setting("agent", "text", "default", "whose memory; one file per agent", project=True),
        Setting("db", "path", None, "the SQLite file, whoever's memory is in it; beats `agent`"),
        Setting("backend", "text", "sqlite", "a backend's name, or its URL"),
        Setting("home", "path", None, "the folder of all agents' files"),
        Setting(
            "output",
            "choice",
            None,
            "the form of results; table on a terminal",
            project=True,
            choices=OUTPUTS,
        ),
        Setting("limit", "number", 10, "how many results a search returns", project=True),
        Setting("budget", "number", 2000, "how many tokens a recall may take", project=True),
        Setting("tags", "words", (), "tags that every new memory gets", project=True),
        Setting("session", "text", None, "the session of new memories, and the conversation of messages"),
        Setting("offline", "switch", False, "never use the network, whatever the command"),
        Setting("short_term_ttl", "duration", timedelta(hours=1), "how long short-term memories live"),
        Setting(
            "conversation_max_messages",
            "count",
            100,
            "the newest messages of a conversation that are shown if no number is named; 0 for no window",
        ),
        Setting("enable_scoring", "switch", True, "let importance and use count in the ranking"),
        Setting("enable_decay", "switch", True, "let age count in the ranking"),
        Setting("decay_half_life", "duration", timedelta(days=7), "age at which half of the recency is left"),
        Setting(
            "embedding.provider", "text", "local", "what embeds: local, fastembed, openai, dummy or none"
        ),
    )
}

FAMILIES: Mapping[str, str] = {
    "embedding": "an option of the embedder, such as embedding.model",
    "rerank": "an option of the cross-encoder, such as rerank.model",
    "backend_config": "an option of the backend, such as backend_config.synchronous",
}
"""Prefixes under which any name may stand; whoever uses the option checks it."""

NOT_SETTINGS = frozenset({"AGENTMEM_CONFIG", "AGENTMEM_CACHE"})
"""Variables of ours that say where things are, before any setting is read."""


def find(name: str) -> Setting:
    """Return the setting of that name.

    Raises:
        ConfigurationError: there is none; the message lists those there are.
    """
    if name in SETTINGS:
        return SETTINGS[name]
    family, _, option = name.partition(".")
    if family in FAMILIES and option and all(part.isidentifier() for part in option.split(".")):
        return Setting(name, "option", None, FAMILIES[family])
    raise ConfigurationError.unknown("setting", name, known())


def known() -> list[str]:
    """List what may stand in a file, families with a star."""
    return [*SETTINGS, *(f"{family}.*" for family in FAMILIES)]


def of_variable(variable: str) -> Setting | None:
    """Return the setting that an environment variable sets, if it sets any."""
    for setting in SETTINGS.values():
        if setting.variable == variable:
            return setting
    for family in FAMILIES:
        prefix = f"AGENTMEM_{family.upper()}_"
        if variable.startswith(prefix) and len(variable) > len(prefix):
            return find(f"{family}.{variable.removeprefix(prefix).lower()}")
    return None
