"""`agentmem chat delete`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.commands.chat import existing
from agentmem_cli.context import Invocation


def delete(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
    purge: options.Purge = False,
    dry_run: options.DryRun = False,
) -> None:
    """Put a conversation away, its summary too; `agentmem undo` brings it back.

    Examples:
        agentmem chat delete support-4711
        agentmem chat delete 7f3k --dry-run
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        conversation = existing.use(memory, conversation)
        found = memory.conversation.get_messages(None)
        if not dry_run and confirm.ask(invocation, f"put away {len(found)} messages"):
            memory.conversation.delete_conversation(conversation, purge=purge)
    invocation.output.forgotten(found, dry_run=dry_run, purge=purge)
