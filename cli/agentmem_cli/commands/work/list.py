"""`agentmem work list`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def list_(context: typer.Context, limit: options.ListLimit = 100, everything: options.All = False) -> None:
    """List the working-memory values that are set, newest first.

    Examples:
        agentmem work list
        agentmem work list --json | jq '.[] | {key, value}'
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        values = memory.short_term.list(None if everything else limit, fields={"kind": "working"})
    invocation.output.records(values, columns=("id", "key", "content", "expires"))
