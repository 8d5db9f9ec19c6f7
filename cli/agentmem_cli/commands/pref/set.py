"""`agentmem pref set`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def set_(
    context: typer.Context,
    category: Annotated[str, typer.Argument(metavar="CATEGORY", help="What it is about.")],
    text: options.Text = None,
    importance: options.Importance = None,
    tags: options.NewTags = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="Keep what was set before, and store this one beside it.")
    ] = False,
) -> None:
    """Set a preference, in place of the one that was set for that category.

    Examples:
        agentmem pref set editor "vim, with the default key bindings"
        agentmem pref set tone "short answers" --importance 0.9
    """
    invocation = Invocation.of(context)
    preference = text_input.one(text)
    with invocation.memory() as memory:
        written = memory.long_term.store_preference_detailed(
            category,
            preference,
            **options.only_given(importance=importance),
            tags=invocation.tags(tags),
            replace=not beside,
        )
    invocation.output.written([written])
