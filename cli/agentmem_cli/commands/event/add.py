"""`agentmem event add`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory import clock
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def add(
    context: typer.Context,
    text: options.Text = None,
    kind: Annotated[
        str, typer.Option("--type", metavar="KIND", help="What kind of event: deploy, ci, meeting.")
    ] = "event",
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", metavar="TEXT", help="How it ended: success, failed: why, any words."),
    ] = None,
    success: Annotated[
        bool | None,
        typer.Option("--succeeded/--failed", "--success/--failure", help="Whether it went well, outright."),
    ] = None,
    participants: Annotated[
        list[str] | None, typer.Option("--participant", metavar="NAME", help="Who took part.")
    ] = None,
    location: Annotated[
        str | None, typer.Option("--location", metavar="PLACE", help="Where it happened.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="TIME", help="How long it took: 90s, 2h.")
    ] = None,
    at: options.At = None,
    importance: options.Importance = None,
    tags: options.NewTags = None,
    metadata: options.Metadata = None,
    source: options.Source = None,
) -> None:
    """Record something that happened.

    Examples:
        agentmem event add "Deploy of version 2 failed: disk full" --type deploy --outcome failed
        agentmem event add "Sprint review" --type meeting --at "2026-05-08 14:00" --duration 1h
    """
    invocation = Invocation.of(context)
    said = text_input.one(text)
    with invocation.memory() as memory:
        id = memory.episodic.record_event(
            kind,
            said,
            outcome,
            participants,
            location,
            duration=clock.as_duration(duration) if duration else None,
            extra_metadata=options.metadata(metadata),
            **options.only_given(importance=importance),
            occurred_at=clock.parse_moment(at) if at else None,
            success=success,
            tags=invocation.tags(tags),
            source=source,
        )
    invocation.output.id(id)
