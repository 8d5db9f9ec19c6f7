"""`agentmem event recent`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def recent(
    context: typer.Context,
    hours: Annotated[float, typer.Option("--hours", metavar="N", min=0.0, help="How far back.")] = 24.0,
    limit: options.EventLimit = 50,
) -> None:
    """Show the events of the last hours, latest first.

    Examples:
        agentmem event recent
        agentmem event recent --hours 168 --limit 10
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        events = memory.episodic.get_recent_events(hours, limit)
    invocation.output.records(events, columns=options.EVENT_COLUMNS, none="no event fits")
