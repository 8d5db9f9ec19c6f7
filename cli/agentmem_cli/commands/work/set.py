"""`agentmem work set`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agent_memory.text.incoming import from_json
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def set_(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Its name.")],
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE|-", help="The value; - reads it from stdin.")
    ] = None,
    parse: Annotated[
        bool, typer.Option("--parse", help="Read the value as JSON instead of as text.")
    ] = False,
    ttl: options.Ttl = None,
    importance: options.Importance = None,
) -> None:
    """Set a working-memory value, replacing the one that was there.

    Examples:
        agentmem work set branch feature/login --ttl 8h
        agentmem work set plan '["tests", "docs"]' --parse
    """
    invocation = Invocation.of(context)
    text = text_input.one(value)
    parsed: Any = _parsed(text) if parse else text
    with invocation.memory() as memory:
        id = memory.short_term.set_working_memory(
            key, parsed, ttl=ttl, **options.only_given(importance=importance)
        )
    invocation.output.id(id)


def _parsed(text: str) -> Any:
    try:
        return from_json(text, "the value")
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"the value is not JSON: {error}", hint="leave --parse out to store it as text"
        ) from None
