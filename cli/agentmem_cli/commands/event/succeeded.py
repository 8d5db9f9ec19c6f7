"""`agentmem event succeeded`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def succeeded(context: typer.Context, kind: options.EventKind = None, limit: options.EventLimit = 50) -> None:
    """Show the events that went well, latest first.

    Examples:
        agentmem event succeeded
        agentmem event succeeded --type deploy --limit 3
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        events = memory.episodic.get_successful_events(kind, limit)
    invocation.output.records(events, columns=options.EVENT_COLUMNS, none="no event fits")
