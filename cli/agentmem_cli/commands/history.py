"""`agentmem history`."""

from __future__ import annotations

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def history(context: typer.Context, reference: options.Reference) -> None:
    """List a memory's versions, oldest first.

    Examples:
        agentmem history 7f3k2m9q
        agentmem history home --json | jq '.[].after.content'
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        versions = memory.history(reference)
    invocation.output.versions(versions)
