"""`agentmem chat show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.commands.chat import existing
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def show(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
    named: options.Conversation = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="How many of the newest; 50, or the window if smaller."
        ),
    ] = None,
    everything: options.All = False,
    archived: Annotated[
        bool,
        typer.Option("--archived", help="What was put away, instead; `agentmem restore` brings it back."),
    ] = False,
    system: Annotated[
        bool, typer.Option("--system/--no-system", help="With or without system messages.")
    ] = True,
) -> None:
    """Show a conversation's newest messages, oldest of them first.

    System messages come on top, and so does the call that a tool's result at the beginning answers.

    Examples:
        agentmem chat show 7f3k --all --ndjson
        agentmem chat show 7f3k --archived -o id | agentmem restore -
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        id = existing.use(memory, conversation or named, archived=archived)
        found = (
            memory.conversation.get_messages(include_system=system, archived=archived)
            if limit is None and not everything
            else memory.conversation.get_messages(None if everything else limit, system, archived=archived)
        )
        summary = memory.conversation.get_summary()
        messages = {"kind": "message", "conversation_id": id}
        total = memory.conversation.count(fields=messages, status="archived" if archived else "active")
    if summary is not None:
        invocation.output.note(f"earlier: {summary.content}")
    invocation.output.messages(found)
    if system and len(found) < total:
        invocation.output.note(f"the newest of {plain.many(total, 'message')}; --all shows all")
