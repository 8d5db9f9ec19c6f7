"""What `agentmem mcp` was asked for, read without Typer, which would take longer than the first answers may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple


class Options(NamedTuple):
    """The options of the server, and the global ones that say whose memory it serves."""

    agent: str | None = None
    db: str | None = None
    backend: str | None = None
    offline: bool = False
    read_only: bool = False
    tools: tuple[str, ...] | None = None
    """The tools to offer, by name; None offers all of them."""


_VALUES: Final = {"--agent": "agent", "-a": "agent", "--db": "db", "--backend": "backend", "--tools": "tools"}
_SWITCHES: Final = {"--offline": "offline", "--read-only": "read_only"}
_OF_NO_MATTER: Final = frozenset(
    {"--quiet", "-q", "--verbose", "-v", "--debug", "--yes", "-y", "--json", "--ndjson"}
)
"""Global switches that change nothing here."""
_OF_THE_SERVER: Final = ("--tools", "--read-only")


def parse(words: Sequence[str]) -> Options | None:
    """Read the words behind the program's name.

    Only the usual ways to write options are read here; Typer reads the others, and reports what is wrong.

    Returns:
        The options; None where Typer has to read them, as it is another command or an option not known here.
    """
    values: dict[str, Any] = {}
    waiting, called = list(words), False
    while waiting:
        word = waiting.pop(0)
        name, equals, value = word.partition("=")
        if word == "mcp" and not called:
            called = True
        elif name in _OF_THE_SERVER and not called:
            return None
        elif word in _OF_NO_MATTER:
            continue
        elif word in _SWITCHES:
            values[_SWITCHES[word]] = True
        elif name in _VALUES and (equals or waiting):
            if equals and not name.startswith("--"):
                return None
            values[_VALUES[name]] = value if equals else waiting.pop(0)
        else:
            return None
    if not called:
        return None
    if "tools" in values:
        values["tools"] = names(values["tools"])
    return Options(**values)


def names(text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
