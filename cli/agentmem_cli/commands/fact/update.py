"""`agentmem fact update`."""

from __future__ import annotations

import typer

from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation


def update(
    context: typer.Context,
    reference: options.Reference,
    text: options.Text = None,
    importance: options.Importance = None,
) -> None:
    """Store a new version of a fact; the old one stays in its history.

    Examples:
        agentmem fact update 7f3k2m9q "The staging database runs in Bergen"
        agentmem fact update 7f3k2m9q - --importance 0.9 < new.txt
    """
    invocation = Invocation.of(context)
    content = text_input.one(text)
    with invocation.memory() as memory:
        record = memory.long_term.update_fact_detailed(reference, content, importance)
    invocation.output.id(record.id)
