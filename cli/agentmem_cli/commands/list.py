"""`agentmem list`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.choices import listed, orders
from agentmem_cli import options
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered
from agentmem_cli.output import DEFAULT_COLUMNS


@filtered
def list_(
    context: typer.Context,
    *,
    filters: Filters,
    archived: Annotated[
        bool, typer.Option("--archived", help="What was forgotten, instead of what is live.")
    ] = False,
    sort: Annotated[str, typer.Option("--sort", metavar="BY", help=f"{listed(orders())}.")] = "created",
    limit: options.ListLimit = 100,
    everything: options.All = False,
) -> None:
    """List memories, newest first.

    Examples:
        agentmem list --type fact --tag ui
        agentmem list --all --ndjson > memories.ndjson
    """
    invocation = Invocation.of(context)
    statuses = ("archived", "superseded") if archived else ("active",)
    with invocation.memory() as memory:
        records = memory.list(None if everything else limit + 1, **filters, status=statuses, sort=sort)  # type: ignore[arg-type]
    shown = records if everything else records[:limit]
    none = "nothing was put away" if archived else "no memories"
    if filters:
        none += " that fits" if archived else " that fit"
    elif not archived:
        none += "; `agentmem add` stores one"
    columns = ("id", "type", "happened", "content", "tags") if sort == "occurred" else DEFAULT_COLUMNS
    invocation.output.records(shown, columns, none=none)
    if len(records) > len(shown):
        invocation.output.note(f"the newest {limit}; --all shows all")
