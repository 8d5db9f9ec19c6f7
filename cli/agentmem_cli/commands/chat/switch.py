"""`agentmem chat switch`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def switch(
    context: typer.Context,
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ],
) -> None:
    """Make a conversation the one that messages go to when none is named.

    It is remembered in the file, for everybody. AGENTMEM_SESSION still comes first.

    Examples:
        agentmem chat switch support-4711
        agentmem chat switch 7f3k
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        id = memory.conversation.set_default_conversation(conversation)
    invocation.output.id(id)
