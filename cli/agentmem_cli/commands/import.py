"""`agentmem import`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.commands import moved
from agentmem_cli.context import Invocation


def import_(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="What `agentmem export` wrote; - reads stdin.")
    ],
    on_conflict: moved.WhenDifferent = "refuse",
    no_embed: options.NoEmbed = False,
    dry_run: options.DryRun = False,
) -> None:
    """Take over what `export` wrote: ids, versions, times and all.

    The whole file is checked before anything is written. What is here already stays, so a second run changes nothing,
    and one that was stopped is run again. Nothing is ever deleted.

    Examples:
        agentmem import memories.ndjson --dry-run
        agentmem export - | agentmem --db other.db import -
    """
    from agent_memory.transfer.files import FileStream

    invocation = Invocation.of(context)
    invocation.dry_run = dry_run
    with FileStream.of(sys.stdin.buffer if file == "-" else file) as stream, invocation.memory() as memory:
        with invocation.progress("importing") as report:
            done = memory.import_from(
                stream,
                on_conflict=on_conflict,  # type: ignore[arg-type]
                dry_run=dry_run,
                progress=report,
            )
        if not dry_run:
            invocation.embed_pending(memory, min(done.changed, done.pending), no_embed)
    moved.say(invocation, done, dry_run=dry_run)
