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
    """Use another conversation from now on, where none is named.

    That is remembered in the file, for everybody. AGENTMEM_SESSION still comes first.

    Examples:
        agentmem chat switch support-4711
        agentmem chat switch 7f3k
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        id = memory.conversation.use_conversation(conversation, default=True)
    if invocation.settings.get("session") not in (None, id):
        invocation.output.note(
            f"AGENTMEM_SESSION is {invocation.settings.get('session')}, which counts for more"
        )
    invocation.output.id(id)
