"""`agentmem fact add`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def add(
    context: typer.Context,
    text: options.Text = None,
    tags: options.NewTags = None,
    key: options.Key = None,
    source: options.Source = None,
    importance: options.Importance = None,
    metadata: options.Metadata = None,
    force: options.Force = False,
) -> None:
    """Store a fact; one that is known already keeps its id and gains the tags.

    Examples:
        agentmem fact add "The staging database runs in Oslo" --tag ops
        echo "User's name is Alice" | agentmem fact add - --source onboarding
    """
    invocation = Invocation.of(context)
    fact = text_input.one(text)
    with invocation.memory() as memory:
        written = memory.long_term.store_fact_detailed(
            fact,
            **options.given(importance=importance),
            tags=invocation.tags(tags),
            source=source,
            key=key,
            metadata=options.metadata(metadata),
            force=force,
        )
    invocation.output.written([written])
