"""`agentmem fact update`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def update(
    context: typer.Context,
    reference: options.Reference,
    text: options.Text = None,
    importance: options.Importance = None,
    standing: Annotated[
        bool | None,
        typer.Option(
            "--standing/--no-standing", help="Whether it is part of every recall's standing context."
        ),
    ] = None,
) -> None:
    """Store a new version of a fact; the old one stays in its history.

    With --standing or --no-standing, a text that is left out stays as it is.

    Examples:
        agentmem fact update 7f3k2m9q "The staging database runs in Bergen"
        agentmem fact update 7f3k2m9q --no-standing
    """
    invocation = Invocation.of(context)
    content = None if text is None and standing is not None else text_input.one(text)
    with invocation.memory() as memory:
        record = memory.long_term.update_fact_detailed(reference, content, importance, standing=standing)
    invocation.output.id(record.id)
