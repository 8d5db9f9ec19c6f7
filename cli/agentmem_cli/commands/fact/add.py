"""`agentmem fact add`."""

from __future__ import annotations

from typing import Annotated

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
    standing: Annotated[
        bool, typer.Option("--standing", help="Part of every recall's standing context; tags it standing.")
    ] = False,
    force: options.Force = False,
) -> None:
    """Store a fact; one that is known already keeps its id and gains the tags.

    Examples:
        agentmem fact add "Prices are in Swiss francs" --tag shop --standing
        echo "User's name is Alice" | agentmem fact add - --source onboarding
    """
    invocation = Invocation.of(context)
    fact = text_input.one(text)
    with invocation.memory() as memory:
        written = memory.long_term.store_fact_detailed(
            fact,
            **options.only_given(importance=importance),
            tags=invocation.tags(tags),
            source=source,
            key=key,
            metadata=options.metadata(metadata),
            standing=standing,
            force=force,
        )
    invocation.output.written([written])
