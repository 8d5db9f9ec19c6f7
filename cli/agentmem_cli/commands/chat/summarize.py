"""`agentmem chat summarize`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli.context import Invocation


def summarize(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
) -> None:
    """Summarise a conversation by its most telling sentences, store that beside it, and print it.

    No language model is asked. The messages stay as they are.

    Examples:
        agentmem chat summarize
        agentmem chat summarize support-4711 -o text
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        if conversation is not None:
            conversation = memory.conversation.switch_conversation(conversation)
        text = memory.conversation.summarize()
    if text is None:
        raise MemoryNotFoundError(
            conversation or "(none)", what="conversation", hint="`agentmem chat list` shows those there are"
        )
    invocation.output.value(text)
