"""`agentmem forget`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agentmem_cli import confirm, options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered
from agentmem_cli.output import plain


@filtered
def forget(
    context: typer.Context,
    references: options.References = None,
    *,
    filters: Filters,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="What happened before then.")
    ] = None,
    expired: Annotated[bool, typer.Option("--expired", help="What has expired.")] = False,
    purge: options.Purge = False,
    shred: options.Shred = False,
    dry_run: options.DryRun = False,
) -> None:
    """Put memories away; `restore` brings them back.

    They are at once invisible to every read. The id of a document stands for all of its chunks. Naming memories by a
    filter instead of by id asks first, and so do --purge and --shred; pinned memories are spared by filters.

    Examples:
        agentmem forget 7f3k2m9q
        agentmem forget --type note --before 30d --dry-run
    """
    from agent_memory.clock import parse_moment

    invocation = Invocation.of(context)
    if context.info_name in ("delete", "rm") and not (purge or shred):
        invocation.output.note(
            f"{context.info_name} is forget: it archives, and `agentmem restore` brings back"
        )
    chosen: dict[str, Any] = {**filters, **({"expired": True} if expired else {})}
    if before:
        chosen["until"] = parse_moment(before)
    ids = text_input.references(references) if references or not chosen else None
    with invocation.memory() as memory:
        plan = memory.plan_forget(ids, purge=purge, shred=shred, **chosen)
        records = list(plan.records)
        spared = memory.count(pinned=True, **chosen) if chosen and chosen.get("pinned") is None else 0
        if records and not dry_run:
            if chosen or plan.action != "archive":
                confirm.ask(invocation, f"{plan.action} {plain.many(len(records), 'memory')}")
            records = memory.forget(plan)
    invocation.output.forgotten(records, dry_run=dry_run, purge=purge, shred=shred)
    if spared:
        invocation.output.note(
            f"{plain.many(spared, 'pinned memory')} spared: unpin them, name them by id, or give --pinned"
        )
