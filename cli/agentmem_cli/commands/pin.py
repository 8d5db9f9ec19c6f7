"""`agentmem pin`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def pin(context: typer.Context, references: options.References = None) -> None:
    """Mark memories as ones that always count.

    They are part of every brief, do not decay, and bulk forgetting spares them.

    Examples:
        agentmem pin 7f3k2m9q
        agentmem list --tag rule -o id | xargs agentmem pin
    """
    invocation = Invocation.of(context)
    wanted = text_input.references(references)
    with invocation.memory() as memory:
        done = memory.pin_many(wanted)
    invocation.output.ids([record.id for record in done])
