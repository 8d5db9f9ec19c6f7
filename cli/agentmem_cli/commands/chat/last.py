"""`agentmem chat last`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def last(
    context: typer.Context,
    turns: Annotated[int, typer.Argument(metavar="N", min=1, help="How many turns.")] = 5,
    conversation: options.Conversation = None,
) -> None:
    """Show the last turns: what the user said, and what the assistant answered.

    Examples:
        agentmem chat last
        agentmem chat last 1 --json | jq -r '.[0].assistant.content'
    """
    from agent_memory.records import to_dict

    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        pairs = memory.conversation.get_last_n_turns(turns, conversation_id=conversation, must_exist=True)
    rows = [
        {"user": user and to_dict(user), "assistant": assistant and to_dict(assistant)}
        for user, assistant in pairs
    ]
    invocation.output.turns(rows)
