"""`agentmem log`."""

from __future__ import annotations

import typer

from agent_memory.clock import to_text
from agentmem_cli import options
from agentmem_cli.context import Invocation


def log(context: typer.Context, limit: options.ListLimit = 20) -> None:
    """List the latest commands that changed something.

    Examples:
        agentmem log
        agentmem log --limit 100 --ndjson
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        operations = memory.log(limit)
    invocation.output.rows(
        [
            {
                "id": result.id,
                "started_at": to_text(result.started_at),
                "verb": result.verb,
                "changes": result.changes,
                "actor": result.actor,
                "session": result.session,
                "undone_by": result.undone_by,
            }
            for result in operations
        ],
        columns=("id", "started_at", "verb", "changes", "actor", "undone_by"),
        none="nothing was changed yet",
    )
