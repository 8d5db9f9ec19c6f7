"""`agentmem chat summarize`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def summarize(
    context: typer.Context,
    conversation: Annotated[
        str | None, typer.Argument(metavar="CONVERSATION", help="Its id, or the beginning of it.")
    ] = None,
    named: options.Conversation = None,
) -> None:
    """Summarise a conversation by its most telling sentences.

    The summary is stored beside the messages, which stay as they are. No language model is asked.

    Examples:
        agentmem chat summarize
        agentmem chat summarize support-4711 -o text
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        text = memory.conversation.summarize(conversation_id=conversation or named, must_exist=True)
    invocation.output.value(text)
