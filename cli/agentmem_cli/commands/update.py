"""`agentmem update`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from agent_memory.errors import ValidationError
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def update(
    context: typer.Context,
    reference: options.Reference,
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT|-]", help="The new text; - reads it from stdin.")
    ] = None,
    add_tags: Annotated[
        list[str] | None, typer.Option("--tag", "--add-tag", "-t", metavar="TAG", help="Add a tag.")
    ] = None,
    remove_tags: Annotated[
        list[str] | None, typer.Option("--remove-tag", metavar="TAG", help="Remove a tag.")
    ] = None,
    metadata: options.Metadata = None,
    importance: options.Importance = None,
    ttl: options.Ttl = None,
    key: options.Key = None,
    source: options.Source = None,
    session: options.Session = None,
    at: options.At = None,
    no_ttl: Annotated[bool, typer.Option("--no-ttl", help="Let it live for good.")] = False,
    no_key: Annotated[bool, typer.Option("--no-key", help="Take its key away.")] = False,
    no_source: Annotated[bool, typer.Option("--no-source", help="Take its source away.")] = False,
    no_at: Annotated[bool, typer.Option("--no-at", help="Take its time of happening away.")] = False,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="K=V", help="One of the type's own fields: outcome=success."),
    ] = None,
) -> None:
    """Store a new version of a memory; what is not given stays as it is.

    The old version stays in its history. A metadata value of null takes the name away.

    Examples:
        agentmem update 7f3k2m9q "User prefers light mode"
        agentmem update home --tag verified --meta checked=2026-05-08
    """
    from agent_memory.clock import parse_moment

    invocation = Invocation.of(context)
    content = text_input.one(text) if text is not None else None
    edits = {
        "importance": importance,
        "add_tags": add_tags,
        "remove_tags": remove_tags,
        "metadata": options.metadata(metadata),
        "key": key,
        "source": source,
        "session": session,
        "ttl": ttl,
        "occurred_at": parse_moment(at) if at else None,
    }
    fields = options.metadata(field) or {}
    changes: dict[str, Any] = {name: value for name, value in edits.items() if value is not None}
    for name, gone in {"key": no_key, "source": no_source, "ttl": no_ttl, "occurred_at": no_at}.items():
        if gone and name in changes:
            raise ValidationError(f"the {name} cannot be both set and taken away", hint="leave one out")
        if gone:
            changes[name] = None
    if content is not None:
        changes["content"] = content
    if not changes and not fields:
        raise ValidationError(
            "there is nothing to change", hint="give a new text, or an option such as --tag"
        )
    with invocation.memory() as memory:
        record = memory.update(reference, **changes, **fields)
    invocation.output.id(record.id)
