"""The tree of commands as JSON, for agents: `agentmem help --json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentmem_cli.reference.tree import Argument, Command, Option


def describe(root: Command, *, version: str, exit_codes: Mapping[int, str]) -> dict[str, Any]:
    """Return everything that can be typed: options of all commands once, then every command by its words."""
    from agentmem_cli.settings import SETTINGS
    from agentmem_cli.settings.values import as_json

    everywhere = {option.names for option in root.options}
    return {
        "name": "agentmem",
        "version": version,
        "summary": root.summary,
        "usage": "agentmem [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]",
        "global_options": [_option(item) for item in root.options],
        "exit_codes": {str(code): meaning for code, meaning in exit_codes.items()},
        "settings": [
            {
                "name": setting.name,
                "variable": setting.variable,
                "default": as_json(setting.default),
                "help": setting.help,
            }
            for setting in SETTINGS.values()
        ],
        "commands": [_command(node, everywhere) for node in root.walk() if node.path],
    }


def _command(command: Command, everywhere: set[tuple[str, ...]]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "command": " ".join(command.path),
        "summary": command.summary,
        "help": command.text,
        "usage": usage(command, everywhere),
    }
    if command.commands:
        result["commands"] = [" ".join(item.path) for item in command.commands]
    else:
        result["arguments"] = [_argument(argument) for argument in command.arguments]
        result["options"] = [_option(option) for option in command.options if option.names not in everywhere]
        result["examples"] = list(command.examples)
    return result


def usage(command: Command, everywhere: set[tuple[str, ...]]) -> str:
    """Write in one line how a command is called."""
    words = ["agentmem", *command.path]
    if command.commands:
        return " ".join([*words, "COMMAND"])
    if any(option.names not in everywhere for option in command.options):
        words.append("[OPTIONS]")
    for argument in command.arguments:
        name = argument.name + ("..." if argument.multiple else "")
        words.append(name if argument.required else f"[{name}]")
    return " ".join(words)


def _argument(argument: Argument) -> dict[str, Any]:
    result: dict[str, Any] = {
        "name": argument.name,
        "help": argument.help,
        "required": argument.required,
        "repeats": argument.multiple,
    }
    return result | ({"choices": list(argument.choices)} if argument.choices else {})


def _option(option: Option) -> dict[str, Any]:
    result: dict[str, Any] = {"names": list(option.names), "help": option.help, "value": option.metavar}
    if option.choices:
        result["choices"] = list(option.choices)
    if option.multiple:
        result["repeats"] = True
    if option.default is not None:
        result["default"] = option.default
    return result
