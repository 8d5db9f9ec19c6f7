"""`agentmem restore`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def restore(context: typer.Context, references: options.References = None) -> None:
    """Bring forgotten memories back as they were.

    A purged one is found by its whole id only.

    Examples:
        agentmem restore 7f3k2m9q
        agentmem list --archived -o id | xargs agentmem restore
    """
    invocation = Invocation.of(context)
    wanted = text_input.references(references)
    with invocation.memory() as memory:
        done = [memory.restore(reference) for reference in wanted]
    invocation.output.ids([record.id for record in done])
    invocation.output.note(f"restored {len(done)}")
