"""`agentmem chat show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
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
        view = memory.conversation.get_conversation(
            conversation or named,
            **({"limit": None} if everything else options.only_given(limit=limit)),
            include_system=system,
            archived=archived,
        )
    if view.summary is not None:
        invocation.output.note(f"earlier: {view.summary.content}")
    invocation.output.messages(view.messages)
    if system and len(view.messages) < view.total:
        invocation.output.note(f"the newest of {plain.many(view.total, 'message')}; --all shows all")
