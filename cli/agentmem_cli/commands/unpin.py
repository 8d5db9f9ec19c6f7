"""`agentmem unpin`."""

from __future__ import annotations

import typer

from agentmem_cli import documents, options, text_input
from agentmem_cli.context import Invocation


def unpin(context: typer.Context, references: options.References = None) -> None:
    """Take the mark of `pin` off again.

    Examples:
        agentmem unpin 7f3k2m9q
        agentmem list --pinned -o id | xargs agentmem unpin
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        wanted = documents.chunks_for(memory, text_input.references(references))
        done = [memory.unpin(reference) for reference in wanted]
    invocation.output.ids([record.id for record in done])
