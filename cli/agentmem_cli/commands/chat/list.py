"""`agentmem chat list`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def list_(
    context: typer.Context,
    archived: Annotated[
        bool, typer.Option("--archived", help="Those of which messages were put away, and how many.")
    ] = False,
) -> None:
    """List the conversations, the one most recently written to first.

    Examples:
        agentmem chat list
        agentmem chat list -o id | head -1
    """
    from agent_memory import clock

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        conversations = memory.conversation.get_conversations(archived=archived)
        memory.conversation.get_messages(1)  # settles which one is in use
        current = memory.conversation.conversation_id
    rows = [
        {
            "id": result.value,
            "messages": result.count,
            "first": clock.to_text(result.first),
            "last": clock.to_text(result.last),
            "current": result.value == current,
        }
        for result in conversations
    ]
    invocation.output.rows(rows)
