"""`agentmem work clear`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation


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
            invocation.output.note(f"took out {memory.short_term.cleanup_expired()} expired")
            return
        fields = {} if everything else {"kind": "working"}
        found = memory.short_term.list(None, fields=fields, **({"key": keys} if keys else {}))
        if dry_run or not found or confirm.ask(invocation, f"put away {len(found)} short-term memories"):
            memory.forget([record.id for record in found], dry_run=dry_run)
    invocation.output.forgotten(found, dry_run=dry_run)
