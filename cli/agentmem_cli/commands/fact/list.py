"""`agentmem fact list`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def list_(
    context: typer.Context,
    tags: options.Tags = None,
    limit: options.ListLimit = 100,
    everything: options.All = False,
) -> None:
    """List facts, newest first; with tags, those that have any of them.

    Examples:
        agentmem fact list --tag ops
        agentmem fact list --all -o id
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        facts = memory.long_term.list(None if everything else limit, tags=tags, fields={"kind": "fact"})
    none = "no fact fits" if tags else "nothing here yet"
    invocation.output.records(facts, none=none)
