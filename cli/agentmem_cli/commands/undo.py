"""`agentmem undo`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.clock import to_text
from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def undo(
    context: typer.Context,
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, help="How many commands.")] = 1,
    dry_run: options.DryRun = False,
) -> None:
    """Take back the latest commands.

    More than one asks first. What was shredded cannot be brought back, and an import is passed over.

    Examples:
        agentmem undo
        agentmem undo 3 --dry-run
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        operations = memory.undo(count, dry_run=True)
        if operations and not dry_run:
            if count > 1:
                confirm.ask(invocation, f"take back {plain.many(len(operations), 'command')}")
            memory.undo(operations)
    rows = [
        {
            "id": operation.id,
            "started_at": to_text(operation.started_at),
            "verb": operation.verb,
            "changes": operation.changes,
        }
        for operation in operations
    ]
    invocation.output.rows(rows, none="there is nothing to take back")
    if not operations:
        return
    if dry_run:
        invocation.output.note(f"would take back {len(operations)}")
    else:
        invocation.output.note(f"took back {len(operations)}")
