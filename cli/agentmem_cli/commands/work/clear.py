"""`agentmem work clear`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
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
            gone = memory.forget_where(types="short_term", expired=True, dry_run=True)
            if not dry_run:
                memory.short_term.cleanup_expired()
            invocation.output.note(f"{'would take out' if dry_run else 'took out'} {len(gone)} expired")
            return
        fields = {} if everything else {"kind": "working"}
        found = memory.short_term.list(None, fields=fields, key=keys)
        missing = sorted({*(keys or ())} - {record.key for record in found})
        if missing:
            hint = "`agentmem work list` shows those there are"
            raise MemoryNotFoundError(missing[0], what="working-memory value", hint=hint)
        if found and not dry_run:
            if not keys:  # what was named one by one was meant, and `undo` brings it back
                confirm.ask(invocation, f"put away {plain.many(len(found), 'short-term memory')}")
            memory.forget([record.id for record in found])
    invocation.output.forgotten(found, dry_run=dry_run)
