"""`agentmem event failed`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def failed(context: typer.Context, kind: options.EventKind = None, limit: options.EventLimit = 50) -> None:
    """Show the events that went wrong, latest first.

    Examples:
        agentmem event failed
        agentmem event failed --type deploy --limit 3
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        events = memory.episodic.get_failed_events(kind, limit)
    invocation.output.records(events, columns=options.EVENT_COLUMNS, none="no event fits")
