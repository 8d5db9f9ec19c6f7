"""Every setting there is: its name, what it means, and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from datetime import timedelta
from typing import Any, Literal, NamedTuple

from agent_memory.errors import ConfigurationError
from agent_memory.settings import about, in_shell

Kind = Literal["text", "path", "choice", "switch", "count", "number", "share", "words", "duration", "option"]
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
    least: int | None = None
    """The bounds of a number, where they are not those of its kind."""
    most: int | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return "AGENTMEM_" + self.name.replace(".", "_").upper()


def _of_shell() -> tuple[Setting, ...]:
    """Return the settings that only the command line has."""
    return (
        Setting("agent", "text", "default", "whose memory; one file per agent", project=True),
        Setting("db", "path", None, "the SQLite file, whoever's memory is in it; beats `agent`"),
        Setting("home", "path", None, "the folder of all agents' files"),
        Setting(
            "output",
            "choice",
            None,
            "the form of results; table on a terminal of 60 columns or more",
            project=True,
            choices=OUTPUTS,
        ),
        Setting("limit", "number", 10, "how many results a search returns", project=True),
        Setting("budget", "number", 2000, "how many tokens a recall may take", project=True),
        Setting("tags", "words", (), "tags that every new memory gets", project=True),
        Setting(
            "mcp_idle",
            "duration",
            timedelta(days=3),
            "how long `agentmem mcp` waits for a silent client",
            project=True,
        ),
        Setting("warm", "switch", False, "keep a process that answers commands at once; never of a project"),
    )


_KINDS: Mapping[str, Kind] = {
    "str": "text",
    "str | None": "text",
    "bool": "switch",
    "int": "count",
    "float": "share",
    "timedelta": "duration",
}
"""By type of a library setting, how its value is read."""
_OPTIONS = "dict[str, Any]"


def _of_library() -> tuple[Setting, ...]:
    """Return the settings of the library that the shell has."""
    return tuple(
        Setting(
            name,
            _KINDS[str(field.type)],
            None if field.default is MISSING else field.default,
            details.help,
            least=details.least,
            most=details.most,
        )
        for name, field in in_shell().items()
        if field.type != _OPTIONS and (details := about(field)) is not None
    )


SETTINGS: Mapping[str, Setting] = {item.name: item for item in (*_of_shell(), *_of_library())}

FAMILIES: Mapping[str, str] = {
    name: options.entry_help or options.help
    for name, field in in_shell().items()
    if field.type == _OPTIONS and (options := about(field)) is not None
}
"""Prefixes under which any name may stand; whoever uses the option checks it."""

NOT_SETTINGS = frozenset(
    {
        *("AGENTMEM_CONFIG", "AGENTMEM_CACHE"),
        *("AGENTMEM_WARM_SOCKET", "AGENTMEM_WARM_IDLE", "AGENTMEM_WARM_SPARE_IDLE"),
        "AGENTMEM_WARM_PATIENCE",
    }
)
"""Variables of ours that say where things are before any setting is read, and how long the warm process may take."""


def find(name: str) -> Setting:
    """Return the setting of that name.

    Raises:
        ConfigurationError: there is none; the message lists those there are.
    """  # noqa: DOC501
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
