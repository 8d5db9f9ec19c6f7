"""`agentmem pin`."""

from __future__ import annotations

import typer

from agentmem_cli import documents, options, text_input
from agentmem_cli.context import Invocation


def pin(context: typer.Context, references: options.References = None) -> None:
    """Mark memories as ones that always count.

    They are part of every brief, do not decay, and bulk forgetting spares them.

    Examples:
        agentmem pin 7f3k2m9q
        agentmem list --tag rule -o id | xargs agentmem pin
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        wanted = documents.chunks_for(memory, text_input.references(references))
        done = [memory.pin(reference) for reference in wanted]
    invocation.output.ids([record.id for record in done])
