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
    from agent_memory.memories.long_term import PREFERENCE_IMPORTANCE

    invocation = Invocation.of(context)
    item = {
        "content": text_input.one(text),
        "kind": "preference",
        "category": category,
        "importance": PREFERENCE_IMPORTANCE if importance is None else importance,
        "tags": invocation.tags(tags),
        # With a key, setting again stores a new version of the same memory.
        "key": None if beside else f"preference:{category}",
    }
    with invocation.memory() as memory:
        written = memory.long_term.add_many_detailed([item])
    invocation.output.written(written)
