"""`agentmem skill list`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


class Sort(StrEnum):
    """By what skills are listed."""

    CREATED = "created"
    USED = "used"
    SUCCESS = "success"


def list_(
    context: typer.Context,
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="Only this kind.")
    ] = None,
    sort: Annotated[Sort, typer.Option("--sort", help="By what.")] = Sort.CREATED,
    limit: options.ListLimit = 100,
) -> None:
    """List skills: newest first, or the most used, or those that have proved themselves.

    Success is ranked by how sure one can be of it: 9 of 10 counts for more than 3 of 3.

    Examples:
        agentmem skill list --sort success
        agentmem skill list --category ops -o id
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        enough = limit if category is None else memory.procedural.count()
        if sort is Sort.USED:
            skills = memory.procedural.get_most_used_skills(enough)
        elif sort is Sort.SUCCESS:
            skills = memory.procedural.get_most_successful_skills(1, enough)
        elif category is not None:
            skills = memory.procedural.get_skills_by_category(category, limit)
        else:
            skills = memory.procedural.list(limit)
    if category is not None:
        skills = [record for record in skills if record.category == category][:limit]
    none = "nothing here yet" if category is None and sort is Sort.CREATED else "no skill fits"
    columns = ("id", "name", "uses", "content", "triggers", "category")
    invocation.output.records(skills, columns=columns, none=none)
