"""`agentmem skill show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import errors
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
        record = memory.procedural.get_skill(skill) or memory.procedural.get(skill)
        known = [item.name for item in memory.procedural.list(None)] if record is None else []
    if record is None:
        hint = (
            errors.near(skill, known, "agentmem skill show") or "`agentmem skill list` shows those there are"
        )
        raise MemoryNotFoundError(skill, what="skill", hint=hint)
    invocation.output.record(record)
