"""`agentmem work clear`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def clear(
    context: typer.Context,
    keys: Annotated[list[str] | None, typer.Argument(metavar="KEY", help="Only these values.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All short-term memory: notes and context too.")
    ] = False,
    expired: Annotated[bool, typer.Option("--expired", help="Take out what has expired, for good.")] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Put working-memory values away; `agentmem undo` brings them back.

    Examples:
        agentmem work clear branch plan
        agentmem work clear --all -y
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        if expired:
            count = memory.short_term.cleanup_expired(dry_run=dry_run)
            invocation.output.note(f"{'would take out' if dry_run else 'took out'} {count} expired")
            return
        plan = memory.short_term.plan_clear(keys, everything=everything)
        if plan.records and not dry_run:
            if not keys:  # what was named one by one was meant, and `undo` brings it back
                confirm.ask(invocation, f"put away {plain.many(len(plan.records), 'short-term memory')}")
            memory.forget(plan)
    invocation.output.forgotten(list(plan.records), dry_run=dry_run)
