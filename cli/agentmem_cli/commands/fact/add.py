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
    from agent_memory.memories.long_term import FACT_IMPORTANCE

    invocation = Invocation.of(context)
    item = {
        "content": text_input.one(text),
        "kind": "fact",
        "tags": invocation.tags(tags),
        "key": key,
        "source": source,
        "metadata": options.metadata(metadata),
        "force": force,
        "importance": FACT_IMPORTANCE if importance is None else importance,
    }
    with invocation.memory() as memory:
        written = memory.long_term.add_many_detailed([item])
    invocation.output.written(written)
