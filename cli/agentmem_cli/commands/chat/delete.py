"""`agentmem chat delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def delete(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
    named: options.Conversation = None,
    purge: options.Purge = False,
    shred: options.Shred = False,
    dry_run: options.DryRun = False,
) -> None:
    """Put a conversation away, its summary too; `agentmem undo` brings it back.

    Asks first where no conversation is named, and with --purge or --shred, which reach what was archived before.

    Examples:
        agentmem chat delete support-4711
        agentmem chat delete 7f3k --dry-run
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        view = memory.conversation.get_conversation(conversation or named, limit=None)
        if not dry_run:
            if not (conversation or named) or purge or shred:
                verb = "shred" if shred else "purge" if purge else "put away"
                confirm.ask(invocation, f"{verb} {plain.many(len(view.messages), 'message')}")
            memory.conversation.delete_conversation(view.id, purge=purge, shred=shred)
    invocation.output.forgotten(view.messages, dry_run=dry_run, purge=purge, shred=shred)
