"""`agentmem skill used`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def used(
    context: typer.Context,
    skill: Annotated[str, typer.Argument(metavar="SKILL", help="Its name or its id.")],
    failed: Annotated[bool, typer.Option("--failed", help="It did not work this time.")] = False,
) -> None:
    """Count one use of a skill, and whether it worked.

    Examples:
        agentmem skill used free-disk
        agentmem skill used free-disk --failed
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        record = memory.procedural.use_skill(skill, not failed)
    invocation.output.id(record.id)
    invocation.output.note(f"{record.success_count} of {record.use_count} uses went well")
