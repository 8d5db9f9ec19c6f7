"""`agentmem unpin`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def unpin(context: typer.Context, references: options.References = None) -> None:
    """Take the mark of `pin` off again.

    Examples:
        agentmem unpin 7f3k2m9q
        agentmem list --pinned -o id | xargs agentmem unpin
    """
    invocation = Invocation.of(context)
    wanted = text_input.references(references)
    with invocation.memory() as memory:
        done = memory.unpin_many(wanted)
    invocation.output.ids([record.id for record in done])
