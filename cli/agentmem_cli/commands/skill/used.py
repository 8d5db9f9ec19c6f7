"""`agentmem skill used`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import errors
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
        if not memory.procedural.record_skill_usage(skill, not failed):
            known = [item.name for item in memory.procedural.list(None)]
            hint = (
                errors.near(skill, known, "agentmem skill used")
                or "`agentmem skill list` shows those there are"
            )
            raise MemoryNotFoundError(skill, what="skill", hint=hint)
        record = memory.procedural.get(skill)
    if record is not None:  # else it was forgotten in the meantime
        invocation.output.id(record.id)
        invocation.output.note(f"{record.success_count} of {record.use_count} uses went well")
