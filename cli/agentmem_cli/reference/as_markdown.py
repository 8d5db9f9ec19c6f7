"""The tree of commands as a page: `docs/cli.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from agentmem_cli.reference.as_json import usage
from agentmem_cli.reference.tree import Argument, Command, Option

_HEAD = """\
# The command line

Everything that `agentmem` understands, made from the program itself by `make docs`. Results go to stdout and
everything else to stderr; the options at the end of this page work before and after every command.
"""


def page(root: Command, *, exit_codes: Mapping[int, str]) -> str:
    """Return the whole page."""
    everywhere = {option.names for option in root.options}
    parts = [_HEAD, *_contents(root)]
    for command in root.walk():
        if command.path:
            parts += _section(command, everywhere)
    parts += ["## Options of every command\n", *_options(root.options)]
    parts += ["## Settings\n", *_settings()]
    parts += [
        "## Exit codes\n",
        *_table(("code", "meaning"), ((str(code), text) for code, text in exit_codes.items())),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _contents(root: Command) -> list[str]:
    rows = []
    for command in root.commands:
        link = f"[`{command.path[-1]}`](#agentmem-{command.path[-1]})"
        below = " ".join(f"`{item.path[-1]}`" for item in command.commands)
        rows.append((link, command.summary + (f" {below}" if below else "")))
    return _table(("command", ""), rows)


def _section(command: Command, everywhere: set[tuple[str, ...]]) -> list[str]:
    level = "##" if len(command.path) == 1 else "###"
    parts = [f"{level} agentmem {' '.join(command.path)}\n", f"{_escaped(command.text or command.summary)}\n"]
    if command.commands:
        return parts
    parts += (
        ["```console", *(f"$ {example}" for example in command.examples), "```\n"] if command.examples else []
    )
    parts.append(f"Usage: `{usage(command, everywhere)}`\n")
    parts += _arguments(command.arguments)
    parts += _options(option for option in command.options if option.names not in everywhere)
    return parts


def _arguments(arguments: Iterable[Argument]) -> list[str]:
    return _table(
        ("argument", ""),
        [(f"`{argument.name}`", _more(argument.help, argument.choices, None)) for argument in arguments],
    )


def _options(options: Iterable[Option]) -> list[str]:
    rows = []
    for option in options:
        names = ", ".join(f"`{name}`" for name in option.names)
        value = f" `{option.metavar}`" if option.metavar and not option.choices else ""
        again = " May be repeated." if option.multiple and "repeated" not in option.help else ""
        rows.append((names + value, _more(option.help, option.choices, option.default) + again))
    return _table(("option", ""), rows)


def _more(text: str, choices: tuple[str, ...], default: object) -> str:
    text = _escaped(text)
    if choices:
        text += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    return text + (f" Default: `{default}`." if default is not None else "")


def _settings() -> list[str]:
    from agentmem_cli.settings import SETTINGS
    from agentmem_cli.settings.values import as_text

    text = """\
A setting comes from the command line, else the environment, else the project's `.agentmem.toml`, else the
user's config (`agentmem config path`), else its default; `agentmem config show --origin` says which. A project
file may set only what is marked, until `agentmem config trust` has recorded it. Any option of an embedder, a
cross-encoder or a backend may be set as `embedding.NAME`, `rerank.NAME` or `backend_config.NAME`; [the
reference](reference/python.md#options-of-the-backends) lists them.
"""
    rows = []
    for setting in SETTINGS.values():
        default = f"`{as_text(setting.default)}`" if setting.default not in (None, ()) else ""
        rows.append(
            (
                f"`{setting.name}`",
                f"`{setting.variable}`",
                default,
                "yes" if setting.project else "",
                setting.help,
            )
        )
    return [text, *_table(("setting", "variable", "default", "project file", ""), rows)]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(_cell(text) for text in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines, ""] if lines else []


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


def _cell(text: str) -> str:
    """Escape what would end a cell; outside of code, since within it some readers of Markdown show the backslash."""
    outside = re.sub("`[^`]*`", lambda code: code[0].replace("|", "`|`"), text)
    return outside.replace("|", chr(92) + "|")
