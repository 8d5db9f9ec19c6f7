"""`agentmem pref list`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def list_(
    context: typer.Context,
    category: Annotated[str | None, typer.Argument(metavar="CATEGORY", help="Only this category.")] = None,
) -> None:
    """List preferences, newest first.

    Examples:
        agentmem pref list
        agentmem pref list editor -o text
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        preferences = memory.long_term.get_preferences(category)
    none = "nothing here yet" if category is None else "no preference fits"
    invocation.output.records(preferences, columns=("id", "category", "content", "created"), none=none)
