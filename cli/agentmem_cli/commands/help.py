"""`agentmem help`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def help_(
    context: typer.Context,
    command: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND]...", help="The words of a command.")] = None,
) -> None:
    """Show the help of a command, or with --json the whole tree: options, exit codes, examples.

    Examples:
        agentmem help chat add
        agentmem help --json | jq -r '.commands[].usage'
    """
