"""`agentmem chat add`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.roles import role_of
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def add(
    context: typer.Context,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="user, assistant, system, tool, or any other.")],
    text: options.Text = None,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Who speaks.")] = None,
    at: options.At = None,
    conversation: options.Conversation = None,
    importance: options.Importance = None,
    tags: options.NewTags = None,
    metadata: options.Metadata = None,
) -> None:
    """Add a message at the end of a conversation.

    The conversation is the one named, else AGENTMEM_SESSION, else the one switched to, else the one most
    recently written to, else a new one.

    Examples:
        agentmem chat add user "Why is the build red?" --name Maria
        make 2>&1 | tail -5 | agentmem chat add tool -
    """
    invocation = Invocation.of(context)
    try:
        said = text_input.one(text)
    except ValidationError:
        if text is not None:
            raise
        meant = f"{role} TEXT" if role_of(role) else f"user {shlex.quote(role)}"
        raise ValidationError(
            f"there is no text beside the role '{role}'", hint=f"agentmem chat add {meant}"
        ) from None
    with invocation.memory() as memory:
        id = memory.conversation.add_message(
            role,
            said,
            metadata=options.metadata(metadata),
            **options.only_given(importance=importance),
            name=name,
            at=clock.parse_moment(at) if at else None,
            conversation_id=conversation,
            tags=invocation.tags(tags),
        )
    invocation.output.id(id)
