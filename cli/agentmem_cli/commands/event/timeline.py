"""`agentmem event timeline`."""

from __future__ import annotations

import typer

from agent_memory import clock
from agentmem_cli import options
from agentmem_cli.context import Invocation


def timeline(
    context: typer.Context,
    since: options.Since = None,
    until: options.Until = None,
    kind: options.EventKind = None,
    limit: options.ListLimit = 100,
) -> None:
    """Show events in the order in which they happened.

    Examples:
        agentmem event timeline --since 7d
        agentmem event timeline --since 2026-05-01 --until 2026-06-01 --type deploy
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        events = memory.episodic.get_event_timeline(
            clock.parse_moment(since) if since else None,
            clock.parse_moment(until) if until else None,
            kind,
            limit,
        )
    invocation.output.records(events, columns=options.EVENT_COLUMNS, none="no event fits")
