"""What can be typed: every command with its arguments and options, as `help --json` lists them."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any, NamedTuple


class Option(NamedTuple):
    """An option and what its value is called; None for one without a value."""

    names: tuple[str, ...]
    value: str | None


class Argument(NamedTuple):
    """An argument and what it is called."""

    value: str
    required: bool
    repeats: bool


class Door(NamedTuple):
    """One command."""

    words: tuple[str, ...]
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]


@cache
def reference() -> dict[str, Any]:
    """Return what `agentmem help --json` prints."""
    said = subprocess.run(
        [sys.executable, "-m", "agentmem_cli", "help", "--json"], capture_output=True, check=True
    )
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@cache
def doors() -> tuple[Door, ...]:
    """Return every command."""
    return tuple(_doors(reference()["commands"]))


def _doors(commands: list[dict[str, Any]]) -> list[Door]:
    found = []
    for command in commands:
        if "commands" in command:
            continue  # a noun; its verbs are listed as well
        arguments = [Argument(one["name"], one["required"], one["repeats"]) for one in command["arguments"]]
        found.append(Door(tuple(command["command"].split()), tuple(arguments), _options(command["options"])))
    return found


@cache
def global_options() -> tuple[Option, ...]:
    """Return the options that stand before a command."""
    return _options(reference()["global_options"])


def _options(listed: list[dict[str, Any]]) -> tuple[Option, ...]:
    return tuple(Option(tuple(item["names"]), item["value"]) for item in listed)
