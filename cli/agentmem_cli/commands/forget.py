"""`agentmem forget`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agentmem_cli import confirm, documents, options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def forget(
    context: typer.Context,
    references: options.References = None,
    where: options.Where = None,
    types: options.Types = None,
    tags: options.Tags = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="TIME", help="What happened before then.")
    ] = None,
    session: options.Session = None,
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
    filters: dict[str, Any] = {
        "metadata": options.where(where),
        "types": types,
        "tags": tags,
        "until": parse_moment(before) if before else None,
        "session": session,
        "expired": expired,
    }
    by_filter = any(filters.values())
    if by_filter and references:
        raise ValidationError("give ids or a filter, not both", hint="leave one of them out")
    how: dict[str, Any] = {"purge": purge, "shred": shred}
    with invocation.memory() as memory:
        if by_filter:
            found = memory.forget_where(**filters, **how, dry_run=True)
        else:
            wanted = documents.chunks_for(memory, text_input.references(references))
            found = memory.forget(wanted, **how, dry_run=True)
        verb = "shred" if shred else "purge" if purge else "archive"
        if not dry_run and found and (by_filter or purge or shred):
            confirm.ask(invocation, f"{verb} {plain.many(len(found), 'memory')}")
        if not dry_run and found:
            found = (
                memory.forget([record.id for record in found], **how)
                if not expired
                else memory.forget_where(**filters, **how)
            )
    invocation.output.forgotten(found, dry_run=dry_run, **how)
