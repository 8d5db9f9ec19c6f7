"""`agentmem chat new`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def new(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="NEW-ID", help="Its id; made up if left out.")
    ] = None,
) -> None:
    """Begin a conversation, use it from now on, and print its id.

    Examples:
        agentmem chat new
        export AGENTMEM_SESSION=$(agentmem chat new -o id)
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        id = memory.conversation.new_conversation(conversation, default=True)
    invocation.output.id(id)
