"""`agentmem help`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agentmem_cli.context import Invocation


def help_(
    context: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="The words of a command.")
    ] = None,
    skill: Annotated[
        bool, typer.Option("--skill", help="Print a SKILL.md that teaches these commands to a coding agent.")
    ] = False,
) -> None:
    """Show the help of a command; with --json the whole tree.

    The JSON names every command with its options and examples, the settings and the exit codes.

    Examples:
        agentmem help --json | jq -r '.commands[].usage'
        agentmem help --skill > ~/.agents/skills/agentmem/SKILL.md
    """
    invocation = Invocation.of(context)
    if skill:
        from importlib.resources import files

        invocation.output.raw(files("agentmem_cli").joinpath("SKILL.md").read_text(encoding="utf-8"))
    elif invocation.output.form in ("json", "ndjson"):
        from agentmem_cli import reference

        invocation.output.details(reference.description(command or ()))
    else:
        invocation.output.raw(_text(context.find_root(), command or []))


def _text(root: Any, words: list[str]) -> str:
    """Return what `--help` shows for a command."""
    from agentmem_cli.errors import UnknownCommandError

    target, at = root.command, root
    for word in words:
        known = target.list_commands(at) if hasattr(target, "list_commands") else []
        below = target.get_command(at, word) if known else None
        if below is None:
            raise UnknownCommandError(at.command_path, word, known)
        target, at = below, type(at)(below, info_name=word, parent=at)
    return str(at.get_help())
