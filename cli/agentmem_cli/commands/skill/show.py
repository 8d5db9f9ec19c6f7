"""`agentmem skill show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    skill: Annotated[str, typer.Argument(metavar="SKILL", help="Its name or its id.")],
) -> None:
    """Show a skill: how it is done, when, and how well it has worked.

    Examples:
        agentmem skill show free-disk
        agentmem skill show free-disk --json | jq -r '.steps[]'
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        record = memory.procedural.require_skill(skill)
    invocation.output.record(record)
