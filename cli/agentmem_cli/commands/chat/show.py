"""`agentmem chat show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.commands.chat import existing
from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
    named: options.Conversation = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the newest messages.")] = 50,
    everything: options.All = False,
    system: Annotated[
        bool, typer.Option("--system/--no-system", help="With or without system messages.")
    ] = True,
) -> None:
    """Show a conversation's messages, oldest first.

    Examples:
        agentmem chat show
        agentmem chat show 7f3k --all --ndjson
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        existing.use(memory, conversation or named)
        found = memory.conversation.get_messages(None if everything else limit, system)
        summary = memory.conversation.get_summary()
    if summary is not None:
        invocation.output.note(f"earlier: {summary.content}")
    invocation.output.messages(found)
